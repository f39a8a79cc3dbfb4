//! What was said in one SMTP or LMTP session (RFC 5321, RFC 2033): the facts that the decoder leaves behind.
//! Commands with their replies, in the client's order, each with its span. No verdicts.

use crate::captured::Captured;
use crate::message::MessageFacts;
use crate::protocol::Seen;
use crate::protocol::smtp::few::Few;
pub use crate::protocol::smtp::reply_lines::ReplyLines;
use crate::secret::Secret;
use crate::span::{Direction, KeptSpan, Span, Stamp};

/// First exchanges kept of a session.
pub const FIRST_EXCHANGES: usize = 256;
/// Last exchanges kept of a session.
pub const LAST_EXCHANGES: usize = 4096;
/// Intermediate replies kept of one exchange (`challenges` counts all).
pub const INTERMEDIATE_REPLIES: usize = 16;
/// Further replies kept of one LMTP exchange.
pub const FURTHER_REPLIES: usize = 1000;
/// Replies kept that belong to no command.
pub const UNSOLICITED_REPLIES: usize = 64;

/// One reply: all its lines (RFC 5321, section 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Reply code, 200 to 599 in a sound reply.
    pub code: u16,
    /// Enhanced status code of the first line that has one (RFC 3463): class, subject, detail.
    pub enhanced: Option<(u8, u16, u16)>,
    /// Each line's text behind code and separator (enhanced code included), without its line end.
    pub lines: ReplyLines,
    /// Where it was seen.
    pub span: KeptSpan,
    /// What is wrong with its form.
    pub defects: ReplyDefects,
    /// Part of it lies in a gap, or the capture ended inside it.
    pub incomplete: bool,
}

impl Reply {
    /// A sound reply of these lines that stands nowhere in a capture: for asking what such words would mean.
    #[must_use]
    pub fn of_words(code: u16, lines: ReplyLines) -> Self {
        Self {
            code,
            enhanced: None,
            lines,
            span: KeptSpan::from(Span {
                direction: Direction::ToClient,
                start: 0,
                end: 0,
                first: Stamp::default(),
                last: Stamp::default(),
            }),
            defects: ReplyDefects::default(),
            incomplete: false,
        }
    }

    /// First digit of the code: 2 success, 3 intermediate, 4 transient failure, 5 permanent failure.
    #[must_use]
    pub const fn class(&self) -> u16 {
        self.code / 100
    }

    /// ASCII case-insensitive search in all lines.
    #[must_use]
    pub fn says(&self, words: &str) -> bool {
        self.lines.iter().any(|line| line.contains_ignoring_case(words))
    }
}

/// The first word of a line of an EHLO, CAPA or CAPABILITY list, before a blank or "=", is this, ASCII case ignored.
#[must_use]
pub fn is_keyword(line: &Captured, name: &str) -> bool {
    let (line, name) = (line.bytes(), name.as_bytes());
    // Most lines are other keywords, with other first letters.
    let first = |text: &[u8]| text.first().map(u8::to_ascii_lowercase);
    if first(line) != first(name) {
        return false;
    }
    let (word, behind) = line.split_at(name.len().min(line.len()));
    word.eq_ignore_ascii_case(name) && matches!(behind.first(), None | Some(b' ' | b'='))
}

/// The number behind SIZE among the extensions of an EHLO or LHLO reply (RFC 1870, section 3), in octets; 0 means no fixed
/// limit.
#[must_use]
pub fn size_limit(extensions: &[Captured]) -> Option<u64> {
    let line = extensions.iter().find(|line| is_keyword(line, "SIZE"))?;
    line.utf8()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Ways in which a reply broke RFC 5321, section 4.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ReplyDefects {
    /// Lines of one reply carry different codes.
    pub mixed_codes: bool,
    /// A line ended with LF alone.
    pub bare_line_feed: bool,
    /// A line longer than 512 octets.
    pub long_line: bool,
    /// The last line has "-" behind the code, but no more lines came.
    pub missing_last_line: bool,
    /// A line that does not begin with three digits.
    pub not_a_reply: bool,
}

/// The verb of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the command of the same name")]
pub enum Verb {
    Helo,
    Ehlo,
    Lhlo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Noop,
    Quit,
    Vrfy,
    Expn,
    Help,
    Turn,
    Etrn,
    Atrn,
    XClient,
    XForward,
    XAnonymousTls,
    /// Not known: [`Detail::Unknown`] has it as it was sent.
    Other,
}

/// A path's address (RFC 5321, section 4.1.2) without the angle brackets; empty for the null reverse-path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The mailbox as sent, without source route.
    pub address: Captured,
}

/// An ESMTP parameter, "SIZE=1000" or "SMTPUTF8".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Keyword as sent.
    pub keyword: Captured,
    /// Value as sent. The value of AUTH= (RFC 4954) is shown; it is no secret.
    pub value: Option<Captured>,
}

/// What is wrong with authentication data, said without showing it (catalogue `auth-payload-malformed`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayloadDefect {
    /// Not base64 (RFC 4648, section 4).
    NotBase64,
    /// PLAIN without exactly two NUL octets (RFC 4616, section 2).
    NulCount(usize),
    /// Decoded data ends in LF or CR.
    TrailingNewline,
    /// A CRAM-MD5 response that is not "user SP 32 hex digits" (RFC 2195, section 2).
    CramForm,
    /// The user name is empty.
    EmptyUser,
    /// The password is empty.
    EmptyPassword,
}

/// An authentication mechanism by its registered name (RFC 4422).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthFacts {
    /// Mechanism name as sent, upper case, at most 64 octets.
    pub mechanism: Captured,
    /// An initial response came with the command (RFC 4954, section 4).
    pub initial_response: bool,
    /// User name (authentication identity), where the mechanism shows it.
    pub identity: Option<Captured>,
    /// Authorisation identity, where given and not empty.
    pub authorisation_identity: Option<Captured>,
    /// A password or token that anybody on the path can read crossed; only with PLAIN, LOGIN, XOAUTH2, OAUTHBEARER.
    pub secret: Option<Secret>,
    /// A challenge response crossed (CRAM-MD5, DIGEST-MD5, SCRAM, NTLM, GSSAPI …).
    pub response: Option<Secret>,
    /// The first line with a secret or a response: the command, where it came as initial response.
    pub credential: Option<Span>,
    /// The client cancelled with "*".
    pub cancelled: bool,
    /// Number of 334 challenges seen.
    pub challenges: u32,
    /// The JSON of an OAuth error challenge, decoded (RFC 7628, section 3.2.2); at most 1,024 octets.
    pub oauth_error: Option<Captured>,
    /// The first challenge, decoded, where it is text (a CRAM-MD5 nonce, a LOGIN prompt); at most 256 octets.
    pub first_challenge: Option<Captured>,
    /// Defects of the data sent.
    pub defects: Vec<PayloadDefect>,
}

/// Line-end and line-length facts of mail data.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LineFacts {
    /// Lines.
    pub lines: u64,
    /// Longest line in octets with its line end.
    pub longest: u64,
    /// LF without CR before it.
    pub bare_line_feeds: u64,
    /// CR without LF behind it.
    pub bare_carriage_returns: u64,
    /// Octets of 0x80 and above.
    pub eight_bit: bool,
    /// "LF . LF", "LF . CRLF", "CRLF . LF" or "CR . CR" and the like: an end of data that only some servers see.
    pub ambiguous_ends: u64,
    /// Where the first bare LF, CR or ambiguous end was seen.
    pub first_odd: Option<Stamp>,
    /// Dots that were doubled at line starts (RFC 5321, section 4.5.2).
    pub stuffed_dots: u64,
}

/// The mail data of one transaction, by DATA or BDAT.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFacts {
    /// The octets sent, terminator included.
    pub span: Span,
    /// Message size in octets, dot-stuffing undone and the terminator not counted.
    pub size: u64,
    /// Octets of it that are missing in gaps.
    pub missing: u64,
    /// Where the end of data was seen: CRLF . CRLF, or the last octet of the last BDAT chunk.
    pub ended: Option<Stamp>,
    /// Number of BDAT chunks; 0 for DATA.
    pub chunks: u32,
    /// Line facts.
    pub line_facts: LineFacts,
    /// The message's header and structure.
    pub message: Option<Box<MessageFacts>>,
}

/// What a command carried.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// Nothing more.
    None,
    /// EHLO, HELO or LHLO.
    Hello {
        /// Its argument; may be empty.
        name: Captured,
    },
    /// AUTH.
    Auth(Box<AuthFacts>),
    /// MAIL or RCPT.
    Envelope {
        /// The reverse-path of MAIL, the forward-path of RCPT; `None` where it could not be read.
        path: Option<Path>,
        /// ESMTP parameters.
        parameters: Few<Parameter>,
    },
    /// DATA, from the command to the end of data. `None` before the client sent any.
    Data(Option<Box<DataFacts>>),
    /// BDAT (RFC 3030): one chunk.
    Bdat {
        /// The announced size; `None` where it is no number.
        size: Option<u64>,
        /// LAST was said.
        last: bool,
        /// The whole message, on the chunk that ended it.
        data: Option<Box<DataFacts>>,
    },
    /// XCLIENT or XFORWARD attributes, as sent.
    Attributes(Captured),
    /// The verb of a command that is not known, at most 32 octets of it.
    Unknown(Captured),
}

/// A command with its reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// Number in the session, from 0, counting those not kept.
    pub index: u64,
    /// The verb.
    pub verb: Verb,
    /// The command line without its line end, at most 1,024 octets, credentials replaced by `********`.
    pub line: Captured,
    /// Where the command line was seen.
    pub command: KeptSpan,
    /// It ended with LF alone.
    pub bare_line_feed: bool,
    /// What it carried.
    pub detail: Detail,
    /// Where the 3xx of DATA, or the first 334, was answered: the client went on.
    pub continued: bool,
    /// The final reply.
    pub reply: Seen<Reply>,
    /// Replies in front of the final one, and behind those the ones that come after it.
    pub(super) other_replies: Few<Reply>,
    /// How many of them are intermediate.
    pub(super) intermediate_replies: u8,
    /// Sent before the reply to the command before it was seen: pipelined (RFC 2920).
    pub pipelined: bool,
    /// Seen inside TLS, decrypted.
    pub inside_tls: bool,
}

// The memory of a session that waits is mostly its exchanges. More than this is the allocator's next size.
const _: () = assert!(size_of::<Exchange>() <= 160);

impl Exchange {
    /// A command that has no reply yet; its number, and whether it is inside TLS, come with the decoder's `send`.
    #[inline]
    pub(super) fn sent(verb: Verb, line: Captured, detail: Detail, command: Span) -> Self {
        Self {
            index: 0,
            verb,
            line,
            command: command.into(),
            bare_line_feed: false,
            detail,
            continued: false,
            reply: Seen::No,
            other_replies: Few::default(),
            intermediate_replies: 0,
            pipelined: false,
            inside_tls: false,
        }
    }

    /// Length of the command line on the wire, in octets, line end included; 0 for a command that was not seen.
    #[must_use]
    pub const fn line_length(&self) -> u64 {
        self.command.length()
    }

    /// Intermediate replies: 334 challenges, 354.
    #[must_use]
    pub fn intermediate(&self) -> &[Reply] {
        let count = usize::from(self.intermediate_replies);
        self.other_replies.get(..count).unwrap_or_default()
    }

    /// LMTP: one reply per accepted recipient but the first, after the end of data (RFC 2033, section 4.2).
    #[must_use]
    pub fn further_replies(&self) -> &[Reply] {
        let count = usize::from(self.intermediate_replies);
        self.other_replies.get(count..).unwrap_or_default()
    }

    /// Keeps an intermediate reply, up to [`INTERMEDIATE_REPLIES`]; the final one was not yet seen.
    pub(super) fn add_intermediate(&mut self, reply: Reply) {
        if usize::from(self.intermediate_replies) < INTERMEDIATE_REPLIES {
            self.other_replies.push(reply);
            self.intermediate_replies += 1;
        }
    }

    /// Keeps a challenge of AUTH; beyond [`INTERMEDIATE_REPLIES`] it takes the place of the one before.
    pub(super) fn add_challenge(&mut self, reply: Reply) {
        match self.other_replies.last_mut() {
            Some(last) if usize::from(self.intermediate_replies) >= INTERMEDIATE_REPLIES => *last = reply,
            _ => self.add_intermediate(reply),
        }
    }

    /// Keeps a reply that came after the final one, up to [`FURTHER_REPLIES`].
    pub(super) fn add_further(&mut self, reply: Reply) {
        if self.further_replies().len() < FURTHER_REPLIES {
            self.other_replies.push(reply);
        }
    }

    /// The mail data that this DATA or BDAT exchange carried; `None` on other commands, and before the client sent any.
    #[must_use]
    pub fn mail_data(&self) -> Option<&DataFacts> {
        match &self.detail {
            Detail::Data(data) | Detail::Bdat { data, .. } => data.as_deref(),
            _ => None,
        }
    }
}

/// A protocol that stood in front of SMTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preamble {
    /// PROXY protocol version 1 or 2 (HAProxy).
    Proxy {
        /// 1 or 2.
        version: u8,
        /// Source address and port that it names, as text; empty for LOCAL or UNKNOWN.
        source: Captured,
        /// Where it was seen.
        span: Span,
    },
}

/// What the client's first octets were, where they were no SMTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignClient {
    /// What they look like: "HTTP", "RDP", "SSH", "binary".
    pub looks_like: &'static str,
    /// The first line, at most 64 octets.
    pub first: Captured,
    /// Where.
    pub span: Span,
}

/// One session's dialogue.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Dialogue {
    /// PROXY protocol in front.
    pub preamble: Option<Box<Preamble>>,
    /// The greeting (the first reply, 220 or a refusal).
    pub greeting: Option<Reply>,
    /// First line of a multi-line greeting: postscreen's "220-" comes seconds before "220 ".
    pub greeting_began: Option<Stamp>,
    /// The client sent octets before the greeting was complete: where.
    pub early_talk: Option<Box<Span>>,
    /// Commands with replies: the first [`FIRST_EXCHANGES`] and the last [`LAST_EXCHANGES`].
    pub exchanges: Vec<Exchange>,
    /// Exchanges in between that were not kept.
    pub exchanges_not_kept: u64,
    /// Replies that belong to no command: 421 at a time-out, a reply too many.
    pub unsolicited: Few<Reply>,
    /// Replies that belong to no command and were not kept: more than [`UNSOLICITED_REPLIES`].
    pub unsolicited_not_kept: u64,
    /// The client does not speak SMTP.
    pub foreign: Option<Box<ForeignClient>>,
    /// Octets that came behind STARTTLS in the clear, before TLS began, by sender; at most 256 octets each.
    pub injected: Few<(Span, Captured)>,
    /// LMTP is spoken.
    pub lmtp: bool,
    /// After a gap the decoder guessed its place again, this often.
    pub resynchronised: u32,
    /// The stream was joined in the middle.
    pub joined_late: bool,
    /// Lines longer than the limit that were cut.
    pub cut_lines: u32,
    /// STARTTLS was accepted, yet plaintext went on in both directions: a decrypting mirror. What follows was inside TLS
    /// on the wire.
    pub decrypting_mirror: bool,
    /// Where the plaintext dialogue ended for a TLS handshake: the last octet of the 220 reply to STARTTLS (or, where
    /// that is missing, the first TLS record).
    pub switched_to_tls: Option<Stamp>,
}
