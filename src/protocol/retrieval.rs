//! What POP3 (RFC 1939, 2449, 2595) and IMAP (RFC 9051, 3501) sessions have in common as facts: commands with their
//! results, logins, the hand-over to TLS. Both decoders leave this behind; no verdicts.

pub(crate) mod answer;
pub(crate) mod foreign;
pub(crate) mod line;
pub(crate) mod login;
pub(crate) mod record;
#[cfg(test)]
pub(crate) mod script;

use crate::captured::Captured;
use crate::message::MessageFacts;
use crate::protocol::Seen;
use crate::secret::Secret;
use crate::span::{Span, Stamp};

/// First commands kept of a session.
pub const FIRST_COMMANDS: usize = 256;
/// Last commands kept of a session.
pub const LAST_COMMANDS: usize = 1024;

/// How the server answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// +OK, or tagged OK.
    Ok,
    /// -ERR, or tagged NO.
    No,
    /// Tagged BAD (IMAP only).
    Bad,
}

/// The final answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status indicator.
    pub status: Status,
    /// Response code between brackets, upper case, without arguments: "AUTHENTICATIONFAILED", "IN-USE", "SYS/TEMP".
    pub code: Option<Captured>,
    /// The text behind it.
    pub text: Captured,
    /// Where it was seen; a multi-line response up to its end.
    pub span: Span,
}

/// A login with what it showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// "USER/PASS", "APOP", "LOGIN" (the IMAP command), or the SASL mechanism in upper case.
    pub mechanism: Captured,
    /// User name, where shown.
    pub identity: Option<Captured>,
    /// A readable password or token crossed.
    pub secret: Option<Secret>,
    /// A challenge response or digest crossed.
    pub response: Option<Secret>,
    /// The client cancelled.
    pub cancelled: bool,
    /// Decoded OAuth error challenge.
    pub oauth_error: Option<Captured>,
}

/// A command with its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Number in the session, from 0.
    pub index: u64,
    /// IMAP tag.
    pub tag: Option<Captured>,
    /// Verb in upper case ("UID FETCH" with its prefix), at most 32 octets.
    pub verb: Captured,
    /// The line without its line end, at most 1,024 octets, credentials masked.
    pub line: Captured,
    /// Where it was seen, literals included.
    pub span: Span,
    /// Sent inside TLS and decrypted (or seen on a decrypting mirror).
    pub inside_tls: bool,
    /// Login facts: on PASS, APOP, AUTH, LOGIN, AUTHENTICATE.
    pub login: Option<Box<Login>>,
    /// The final answer; `Hidden` where a gap may hold it.
    pub answer: Seen<Answer>,
    /// Octets of message data in the response (RETR, TOP, FETCH literals).
    pub data_octets: u64,
    /// Messages retrieved by it.
    pub messages: u32,
    /// The first message retrieved in clear, as far as its header and structure.
    pub message: Option<Box<MessageFacts>>,
}

/// The capability list, as announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Keywords as sent ("STLS", "SASL PLAIN LOGIN", "AUTH=PLAIN", "LOGINDISABLED").
    pub keywords: Vec<Captured>,
    /// Sent inside TLS and decrypted (or seen on a decrypting mirror).
    pub inside_tls: bool,
    /// Where.
    pub span: Span,
}

/// The greeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// "+OK", "-ERR", "OK", "PREAUTH", "BYE".
    pub kind: Captured,
    /// Its text.
    pub text: Captured,
    /// APOP timestamp `<…@…>`.
    pub timestamp: Option<Captured>,
    /// Where.
    pub span: Span,
}

/// One session's dialogue.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Dialogue {
    /// Greeting.
    pub greeting: Option<Greeting>,
    /// Capability lists in order.
    pub capabilities: Vec<Capabilities>,
    /// Commands: the first [`FIRST_COMMANDS`] and the last [`LAST_COMMANDS`].
    pub commands: Vec<Command>,
    /// Commands in between that were not kept.
    pub commands_not_kept: u64,
    /// "* BYE" or an unsolicited "-ERR", with its text.
    pub bye: Option<(Captured, Span)>,
    /// Untagged "* BAD" and "* NO" texts, at most 16.
    pub warnings: Vec<(Captured, Span)>,
    /// The client said IDLE (RFC 2177) and no DONE followed: since when.
    pub idling: Option<Stamp>,
    /// Octets behind STARTTLS or STLS in the clear before TLS; at most 256 octets each.
    pub injected: Vec<(Span, Captured)>,
    /// The client's first octets were TLS or another protocol.
    pub foreign: Option<(&'static str, Span)>,
    /// After a gap the decoder guessed its place again, this often.
    pub resynchronised: u32,
    /// The stream was joined in the middle.
    pub joined_late: bool,
    /// STARTTLS or STLS was accepted, yet plaintext went on: a decrypting mirror.
    pub decrypting_mirror: bool,
    /// Octets of mail data retrieved in clear.
    pub data_octets: u64,
    /// Plaintext ended here for TLS.
    pub switched_to_tls: Option<Stamp>,
}
