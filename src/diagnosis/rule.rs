//! What a rule is: its identity, and one function from a session's facts to a finding.

use crate::diagnosis::finding::{Confidence, Finding, Severity};
use crate::session::Session;

/// The layer that a rule speaks about; also its folder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Layer {
    /// The capture itself.
    Capture,
    /// TCP/IP and the path.
    Net,
    /// SMTP sessions, envelope, mail data.
    Smtp,
    /// Authentication.
    Auth,
    /// STARTTLS and port modes.
    StartTls,
    /// TLS handshake and records.
    Tls,
    /// Certificates.
    Cert,
    /// POP3 and IMAP.
    Retrieval,
    /// Message content.
    Message,
    /// Several sessions together.
    Cross,
    /// Healthy outcomes.
    Healthy,
}

impl Layer {
    /// The layer's word in slugs, folders, JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Net => "net",
            Self::Smtp => "smtp",
            Self::Auth => "auth",
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::Cert => "cert",
            Self::Retrieval => "retrieval",
            Self::Message => "message",
            Self::Cross => "cross",
            Self::Healthy => "healthy",
        }
    }
}

/// Who should act.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Actor {
    /// Owner or vendor of the client.
    Client,
    /// Operator of the server.
    Server,
    /// Whoever runs the network between.
    Network,
    /// Whoever made the capture.
    Capture,
}

impl Actor {
    /// The actor's word in texts and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Network => "network",
            Self::Capture => "capture",
        }
    }
}

/// A rule's three text files, as they lie in its folder.
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    /// `explain.en.md`.
    pub english: &'static str,
    /// `explain.ja.md`.
    pub japanese: &'static str,
    /// `examples.txt`: a conversation that fires and one that stays quiet.
    pub examples: &'static str,
}

/// What a refusal of MAIL, RCPT or mail data is about. Each refusal has exactly one kind, so that no two rules claim it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefusalKind {
    /// Third-party relay.
    RelayDenied,
    /// Mailbox or domain does not exist.
    UserUnknown,
    /// No room.
    Quota,
    /// The reverse-path.
    SenderRejected,
    /// Reverse DNS of the client.
    ReverseDns,
    /// A blocklist.
    Blocklist,
    /// SPF, DKIM, DMARC.
    DomainAuth,
    /// Greylisting.
    Greylist,
    /// Rate, connections, recipients.
    RateLimit,
    /// Message size.
    TooBig,
    /// Message content.
    Content,
    /// A temporary problem of the server.
    Temporary,
    /// Something that another rule speaks of: login, STARTTLS, HELO, order, form, line ends.
    Elsewhere,
}

/// How a rule looks at the facts.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// One session at a time. A rule fires at most once per session; several causes become one finding's evidence.
    Session(fn(&'static Rule, &Session) -> Option<Finding>),
    /// The session's first refusal of this kind; all refusals are sorted once for all these rules.
    Refusal(RefusalKind),
    /// Several sessions together: the check lives in the insight room under the same slug.
    Insight,
}

/// One entry of the catalogue as code.
#[derive(Debug)]
pub struct Rule {
    /// Stable identity, the catalogue's slug; never reused.
    pub slug: &'static str,
    /// Its layer.
    pub layer: Layer,
    /// What it says happened to the mail, unless a case raises or lowers it.
    pub severity: Severity,
    /// Default confidence.
    pub confidence: Confidence,
    /// Rank as root cause among findings of the same frame; `None`: never a root cause. Smaller wins.
    pub precedence: Option<u8>,
    /// Who should act, likeliest first.
    pub actors: &'static [Actor],
    /// Slugs whose findings become consequences (or witnesses) where this rule's finding is a `fail` in the same session. Of a
    /// rule on several sessions: whose insights are part of this rule's, where that is a `fail` and stands on all their sessions;
    /// where it excuses, which failures of its sessions.
    pub explains_away: &'static [&'static str],
    /// What it says depends on something that is not there: an offer that was not made, a better explanation, an answer.
    /// Where packets are missing it may only be missing from the capture, so it is never more than possible then.
    pub leans_on_absence: bool,
    /// RFC sections and other sources, checked.
    pub references: &'static [&'static str],
    /// Version of smtpcap that brought it.
    pub since: &'static str,
    /// Its texts.
    pub texts: Texts,
    /// Its check.
    pub check: Check,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.slug == other.slug
    }
}

/// The three text files of the rule folder this is written in.
#[macro_export]
macro_rules! rule_texts {
    () => {
        $crate::diagnosis::Texts {
            english: include_str!("explain.en.md"),
            japanese: include_str!("explain.ja.md"),
            examples: include_str!("examples.txt"),
        }
    };
}
