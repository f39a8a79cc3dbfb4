//! One session as facts: what the capture shows of one connection to a mail server, from SYN to the last segment.
//! No adjectives here: judging is the diagnosis room's work. Not serialisable on purpose: renderers own their copies.

use std::time::Duration;

use crate::captured::Captured;
use crate::protocol::retrieval;
use crate::protocol::smtp;
use crate::protocol::tls::{TlsFacts, TlsStart};
use crate::span::{Direction, Role, Stamp};
use crate::tcp::ConnectionFacts;

/// Number of a session's first frame: its identity within a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

/// The application protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Protocol {
    /// SMTP (RFC 5321).
    Smtp,
    /// LMTP (RFC 2033).
    Lmtp,
    /// POP3 (RFC 1939).
    Pop3,
    /// IMAP (RFC 9051).
    Imap,
}

/// What a server port offers, in the words of RFC 8314 and the IANA registry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Service {
    /// Port 25: relay between mail servers.
    Smtp,
    /// Port 587 (and 2525): message submission, STARTTLS.
    Submission,
    /// Port 465: message submission over implicit TLS.
    Submissions,
    /// Port 24 or a socket that speaks LMTP.
    Lmtp,
    /// Port 110.
    Pop3,
    /// Port 995: implicit TLS.
    Pop3s,
    /// Port 143.
    Imap,
    /// Port 993: implicit TLS.
    Imaps,
    /// A port that the user named and that is none of these; the protocol says the rest.
    Other,
}

impl Service {
    /// The service registered for a port.
    #[must_use]
    pub const fn of_port(port: u16) -> Self {
        match port {
            24 => Self::Lmtp,
            25 => Self::Smtp,
            587 | 2525 => Self::Submission,
            465 => Self::Submissions,
            110 => Self::Pop3,
            995 => Self::Pop3s,
            143 => Self::Imap,
            993 => Self::Imaps,
            _ => Self::Other,
        }
    }

    /// TLS is expected from the first octet.
    #[must_use]
    pub const fn is_implicit_tls(self) -> bool {
        matches!(self, Self::Submissions | Self::Pop3s | Self::Imaps)
    }

    /// A mail program or device uses it with its user's account: submission or retrieval, not relay.
    #[must_use]
    pub const fn is_for_users(self) -> bool {
        matches!(
            self,
            Self::Submission | Self::Submissions | Self::Pop3 | Self::Pop3s | Self::Imap | Self::Imaps
        )
    }
}

/// How the session was protected.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Security {
    /// Plaintext to the end.
    None,
    /// Upgraded by STARTTLS or STLS.
    StartTls,
    /// TLS from the first octet.
    Implicit,
}

/// How far a session came; later stages are greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// SYN to the end of the TCP handshake.
    Connect,
    /// Waiting for or reading the server's greeting.
    Greeting,
    /// EHLO, HELO, LHLO, CAPA, CAPABILITY.
    Hello,
    /// STARTTLS or STLS.
    StartTls,
    /// The TLS handshake.
    Tls,
    /// The dialogue inside TLS; nothing of it can be read without keys.
    Encrypted,
    /// AUTH, or a POP3 or IMAP login.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA or BDAT, up to the end of data.
    Data,
    /// The reply to the end of data.
    FinalReply,
    /// Reading the mailbox (POP3, IMAP).
    Mailbox,
    /// QUIT or LOGOUT.
    Quit,
}

/// Who ended the session, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndedBy {
    /// This side sent the first FIN.
    Fin(Role),
    /// This side's address sent a reset.
    Reset(Role),
    /// Silence.
    Idle,
    /// The capture ended first.
    CaptureEnd,
    /// Whoever watched live stopped watching; the session went on.
    Operator,
    /// The connection never came about.
    NeverOpened,
    /// A limit of the analysis.
    Limit,
}

/// What became of it, as far as the capture shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// Every message that was offered was accepted for all its recipients.
    Accepted,
    /// Some recipients or messages were accepted, some refused.
    PartlyAccepted,
    /// Refused permanently (5xx).
    Refused,
    /// Refused for now (4xx).
    Deferred,
    /// The login was refused and nothing else was accepted.
    AuthenticationFailed,
    /// Logged in and used the mailbox (POP3, IMAP).
    LoggedIn,
    /// The TLS handshake did not complete.
    TlsFailed,
    /// No TCP connection.
    NoConnection,
    /// Connected, but no dialogue came about.
    NoDialogue,
    /// A dialogue, broken off before its purpose was reached.
    Aborted,
    /// A dialogue that wanted no mail: EHLO, NOOP, QUIT.
    NothingTried,
    /// Encrypted: the end result cannot be read.
    Encrypted,
    /// The capture does not show enough.
    Unknown,
}

/// What the capture lacks of this session (P-rules of the catalogue, section 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CaptureQuality {
    /// No SYN: the beginning is not in the capture.
    pub started_late: bool,
    /// The capture ended before the session did.
    pub cut_off: bool,
    /// Only this direction has octets, and its acknowledgments prove that the other one had some too.
    pub only_direction: Option<Direction>,
    /// Octets are missing in one direction or both.
    pub gaps: bool,
    /// Segments were cut by a snap length.
    pub snap_length: bool,
    /// Copies of the same packets were dropped.
    pub duplicates: bool,
    /// Two copies of the same octets differ.
    pub conflicts: bool,
    /// Segments stood in the file before those that they answer: the order of its frames is not that of the wire.
    pub disordered: bool,
    /// The kernel dropped packets while the session was open, any of which may have been its (live).
    pub kernel_drops: bool,
}

impl CaptureQuality {
    /// Nothing is missing.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        !(self.started_late
            || self.cut_off
            || self.only_direction.is_some()
            || self.gaps
            || self.snap_length
            || self.kernel_drops)
    }
}

/// One recipient of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient {
    /// Position of its RCPT in the dialogue's exchanges.
    pub exchange: usize,
    /// The forward-path's mailbox; empty where it could not be read.
    pub address: Captured,
    /// Its reply code; `None` where not seen.
    pub code: Option<u16>,
}

/// How a mail transaction ended (RFC 5321, section 3.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TransactionResult {
    /// A 2xx after the end of data, for every recipient.
    Accepted,
    /// A 2xx after the end of data, but some recipients were refused.
    PartlyAccepted,
    /// A 4xx decided.
    Deferred,
    /// A 5xx decided.
    Refused,
    /// RSET, a new EHLO, or the end of the session before a decision.
    Abandoned,
    /// The deciding reply is not in the capture.
    Unknown,
}

/// One mail transaction: MAIL to the final reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// Position of MAIL in the dialogue's exchanges.
    pub mail: usize,
    /// The reverse-path's mailbox; empty for `<>`.
    pub reverse_path: Captured,
    /// SIZE= as declared, in octets.
    pub declared_size: Option<u64>,
    /// Recipients in order, the first 1,000.
    pub recipients: Vec<Recipient>,
    /// Recipients that are not listed.
    pub recipients_not_listed: u64,
    /// Position of DATA or of the last BDAT.
    pub data: Option<usize>,
    /// Result.
    pub result: TransactionResult,
}

/// How long each side let the other wait, stage by stage.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Timing {
    /// SYN to SYN-ACK.
    pub connect: Option<Duration>,
    /// End of the TCP handshake to the end of the greeting; where implicit TLS was decrypted, from the end of its handshake.
    pub greeting: Option<Duration>,
    /// EHLO or HELO to its reply.
    pub hello: Option<Duration>,
    /// STARTTLS to its reply.
    pub start_tls: Option<Duration>,
    /// ClientHello to the client's Finished or the first application data.
    pub tls: Option<Duration>,
    /// First AUTH to its final reply.
    pub auth: Option<Duration>,
    /// First MAIL to its reply.
    pub mail: Option<Duration>,
    /// Slowest RCPT.
    pub rcpt: Option<Duration>,
    /// First octet of mail data to the end of data.
    pub data: Option<Duration>,
    /// End of data to the final reply.
    pub final_reply: Option<Duration>,
    /// Sum of waits for the server.
    pub server_share: Duration,
    /// Sum of waits for the client.
    pub client_share: Duration,
}

/// One session.
#[derive(Clone, PartialEq, Debug)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// TCP facts.
    pub connection: Box<ConnectionFacts>,
    /// The service of the server's port.
    pub service: Service,
    /// The protocol; `None` where neither content nor port tells.
    pub protocol: Option<Protocol>,
    /// The protocol was confirmed by content, not believed by port.
    pub protocol_confirmed: bool,
    /// How it was protected.
    pub security: Security,
    /// SMTP or LMTP dialogue in clear (or decrypted).
    pub smtp: Option<Box<smtp::Dialogue>>,
    /// POP3 or IMAP dialogue in clear (or decrypted).
    pub retrieval: Option<Box<retrieval::Dialogue>>,
    /// TLS.
    pub tls: Option<Box<TlsFacts>>,
    /// Mail transactions.
    pub transactions: Vec<Transaction>,
    /// What the capture lacks.
    pub quality: CaptureQuality,
    /// How far it came.
    pub stage: Stage,
    /// Who ended it.
    pub ended_by: EndedBy,
    /// What became of it.
    pub outcome: Outcome,
    /// Times.
    pub timing: Timing,
    /// How far the capture had been read when the session was over for the analysis: its last frame, or, of a session that
    /// ended earlier, the frame that showed it: so long at least was it silent.
    pub capture_end: Option<Stamp>,
}

impl Session {
    /// How long it lasted.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.connection.last.time.since(self.connection.first.time)
    }

    /// The SMTP exchanges; none where the dialogue is not SMTP or was not readable.
    #[must_use]
    pub fn exchanges(&self) -> &[smtp::Exchange] {
        self.smtp.as_ref().map_or(&[], |dialogue| &dialogue.exchanges)
    }

    /// The POP3 or IMAP commands.
    #[must_use]
    pub fn commands(&self) -> &[retrieval::Command] {
        self.retrieval.as_ref().map_or(&[], |dialogue| &dialogue.commands)
    }

    /// The extensions of an EHLO or LHLO reply: its lines but the first (RFC 5321, section 4.1.1.1).
    #[must_use]
    pub fn extensions(exchange: &smtp::Exchange) -> &[Captured] {
        exchange
            .reply
            .yes()
            .and_then(|reply| reply.lines.get(1..))
            .unwrap_or_default()
    }

    /// The number behind SIZE in an EHLO or LHLO reply (RFC 1870, section 3), in octets; 0 means no fixed limit.
    #[must_use]
    pub fn size_limit(exchange: &smtp::Exchange) -> Option<u64> {
        smtp::size_limit(Self::extensions(exchange))
    }

    /// TLS began as agreed in plaintext or was inferred to have.
    #[must_use]
    pub fn upgraded(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.start != TlsStart::Implicit)
    }
}
