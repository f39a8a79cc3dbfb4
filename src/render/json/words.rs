//! The fixed words of JSON version 1 for the model's enums. Part of the schema: never changed, only added to.

use crate::protocol::Seen;
use crate::protocol::smtp::Verb;
use crate::session::{CaptureQuality, EndedBy, Outcome, Protocol, Security, Service, Stage, TransactionResult};
use crate::span::Role;
use crate::tcp::Opening;

/// Service.
#[must_use]
pub const fn service(service: Service) -> &'static str {
    match service {
        Service::Smtp => "smtp",
        Service::Submission => "submission",
        Service::Submissions => "submissions",
        Service::Lmtp => "lmtp",
        Service::Pop3 => "pop3",
        Service::Pop3s => "pop3s",
        Service::Imap => "imap",
        Service::Imaps => "imaps",
        Service::Other => "other",
    }
}

/// Protocol.
#[must_use]
pub const fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Smtp => "smtp",
        Protocol::Lmtp => "lmtp",
        Protocol::Pop3 => "pop3",
        Protocol::Imap => "imap",
    }
}

/// Security.
#[must_use]
pub const fn security(security: Security) -> &'static str {
    match security {
        Security::None => "none",
        Security::StartTls => "starttls",
        Security::Implicit => "implicit",
    }
}

/// Stage.
#[must_use]
pub const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connect",
        Stage::Greeting => "greeting",
        Stage::Hello => "ehlo",
        Stage::StartTls => "starttls",
        Stage::Tls => "tls",
        Stage::Encrypted => "encrypted",
        Stage::Auth => "auth",
        Stage::Mail => "mail",
        Stage::Rcpt => "rcpt",
        Stage::Data => "data",
        Stage::FinalReply => "final_reply",
        Stage::Mailbox => "mailbox",
        Stage::Quit => "quit",
    }
}

/// Who ended it.
#[must_use]
pub const fn ended_by(ended_by: EndedBy) -> &'static str {
    match ended_by {
        EndedBy::Fin(Role::Client) => "client_fin",
        EndedBy::Fin(Role::Server) => "server_fin",
        EndedBy::Reset(Role::Client) => "client_reset",
        EndedBy::Reset(Role::Server) => "server_reset",
        EndedBy::Idle => "idle",
        EndedBy::CaptureEnd => "capture_end",
        EndedBy::Operator => "stopped_by_operator",
        EndedBy::NeverOpened => "never_opened",
        EndedBy::Limit => "limit",
    }
}

/// Outcome.
#[must_use]
pub const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::PartlyAccepted => "partly_accepted",
        Outcome::Refused => "refused",
        Outcome::Deferred => "deferred",
        Outcome::AuthenticationFailed => "authentication_failed",
        Outcome::LoggedIn => "logged_in",
        Outcome::TlsFailed => "tls_failed",
        Outcome::NoConnection => "no_connection",
        Outcome::NoDialogue => "no_dialogue",
        Outcome::Aborted => "aborted",
        Outcome::NothingTried => "nothing_tried",
        Outcome::Encrypted => "encrypted",
        Outcome::Unknown => "unknown",
    }
}

/// Transaction result.
#[must_use]
pub const fn transaction(result: TransactionResult) -> &'static str {
    match result {
        TransactionResult::Accepted => "accepted",
        TransactionResult::PartlyAccepted => "partly_accepted",
        TransactionResult::Deferred => "deferred",
        TransactionResult::Refused => "refused",
        TransactionResult::Abandoned => "abandoned",
        TransactionResult::Unknown => "unknown",
    }
}

/// What the capture lacks; `["complete"]` where nothing is missing and nothing is doubled.
#[must_use]
pub fn quality(quality: &CaptureQuality) -> Vec<&'static str> {
    let mut words: Vec<&'static str> = [
        (quality.started_late, "started_late"),
        (quality.cut_off, "cut_off"),
        (quality.only_direction.is_some(), "one_direction"),
        (quality.gaps, "gaps"),
        (quality.snap_length, "snap_length"),
        (quality.duplicates, "duplicates"),
        (quality.conflicts, "conflicting_octets"),
        (quality.disordered, "disordered"),
        (quality.kernel_drops, "kernel_drops"),
    ]
    .into_iter()
    .filter_map(|(holds, word)| holds.then_some(word))
    .collect();
    if quality.is_complete() {
        words.insert(0, "complete");
    }
    words
}

/// Role.
#[must_use]
pub const fn role(role: Role) -> &'static str {
    match role {
        Role::Client => "client",
        Role::Server => "server",
    }
}

/// Opening.
#[must_use]
pub const fn opening(opening: Opening) -> &'static str {
    match opening {
        Opening::Handshake => "handshake",
        Opening::SynOnly => "syn_only",
        Opening::SynAckOnly => "syn_ack_only",
        Opening::MidStream => "mid_stream",
    }
}

/// First digit of a reply code (RFC 5321, section 4.2.1).
#[must_use]
pub const fn reply_class(code: u16) -> Option<&'static str> {
    match code / 100 {
        2 => Some("success"),
        3 => Some("intermediate"),
        4 => Some("transient failure"),
        5 => Some("permanent failure"),
        _ => None,
    }
}

/// Why there is no reply.
#[must_use]
pub const fn not_seen<T>(seen: &Seen<T>) -> Option<&'static str> {
    match seen {
        Seen::Yes(_) => None,
        Seen::No => Some("not_seen"),
        Seen::Hidden => Some("hidden"),
    }
}

/// A verb; empty for one that is not known.
#[must_use]
pub const fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Helo => "HELO",
        Verb::Ehlo => "EHLO",
        Verb::Lhlo => "LHLO",
        Verb::StartTls => "STARTTLS",
        Verb::Auth => "AUTH",
        Verb::Mail => "MAIL",
        Verb::Rcpt => "RCPT",
        Verb::Data => "DATA",
        Verb::Bdat => "BDAT",
        Verb::Rset => "RSET",
        Verb::Noop => "NOOP",
        Verb::Quit => "QUIT",
        Verb::Vrfy => "VRFY",
        Verb::Expn => "EXPN",
        Verb::Help => "HELP",
        Verb::Turn => "TURN",
        Verb::Etrn => "ETRN",
        Verb::Atrn => "ATRN",
        Verb::XClient => "XCLIENT",
        Verb::XForward => "XFORWARD",
        Verb::XAnonymousTls => "X-ANONYMOUSTLS",
        Verb::Other => "",
    }
}

/// An ICMP type and code (RFC 792, RFC 1812, RFC 4443).
#[must_use]
pub const fn icmp(version6: bool, kind: u8, code: u8) -> &'static str {
    match (version6, kind, code) {
        (false, 3, 0) => "network unreachable",
        (false, 3, 1) => "host unreachable",
        (false, 3, 2) => "protocol unreachable",
        (false, 3, 3) => "port unreachable",
        (false, 3, 4) => "fragmentation needed",
        (false, 3, 9 | 10 | 13) => "administratively prohibited",
        (false, 3, _) => "destination unreachable",
        (false, 11, _) | (true, 3, _) => "time exceeded",
        (false, 12, _) | (true, 4, _) => "parameter problem",
        (true, 1, 0) => "no route to destination",
        (true, 1, 1) => "administratively prohibited",
        (true, 1, 3) => "address unreachable",
        (true, 1, 4) => "port unreachable",
        (true, 1, 5) => "source address failed policy",
        (true, 1, 6) => "reject route",
        (true, 1, _) => "destination unreachable",
        (true, 2, _) => "packet too big",
        _ => "other",
    }
}
