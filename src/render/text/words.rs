//! The words of the model's enums for people.

use crate::diagnosis::{Actor, Confidence, Severity};
use crate::session::{Outcome, Security};
use crate::span::Role;
use crate::text::Message;

/// Severity.
#[must_use]
pub const fn severity(severity: Severity) -> Message {
    match severity {
        Severity::Fail => Message::SeverityFail,
        Severity::Risk => Message::SeverityRisk,
        Severity::Note => Message::SeverityNote,
        Severity::Limit => Message::SeverityLimit,
        Severity::Ok => Message::SeverityOk,
    }
}

/// Confidence, as a sentence.
#[must_use]
pub const fn confidence(confidence: Confidence) -> Message {
    match confidence {
        Confidence::Confirmed => Message::ConfidenceConfirmed,
        Confidence::Likely => Message::ConfidenceLikely,
        Confidence::Possible => Message::ConfidencePossible,
        Confidence::Inferred => Message::ConfidenceInferred,
        Confidence::Unknown => Message::ConfidenceUnknown,
    }
}

/// Actor.
#[must_use]
pub const fn actor(actor: Actor) -> Message {
    match actor {
        Actor::Client => Message::ActorClient,
        Actor::Server => Message::ActorServer,
        Actor::Network => Message::ActorNetwork,
        Actor::Capture => Message::ActorCapture,
    }
}

/// Who sent something.
#[must_use]
pub const fn sender(role: Role) -> Message {
    match role {
        Role::Client => Message::FromClient,
        Role::Server => Message::FromServer,
    }
}

/// Outcome.
#[must_use]
pub const fn outcome(outcome: Outcome) -> Message {
    match outcome {
        Outcome::Accepted => Message::OutcomeAccepted,
        Outcome::PartlyAccepted => Message::OutcomePartlyAccepted,
        Outcome::Refused => Message::OutcomeRefused,
        Outcome::Deferred => Message::OutcomeDeferred,
        Outcome::AuthenticationFailed => Message::OutcomeAuthenticationFailed,
        Outcome::LoggedIn => Message::OutcomeLoggedIn,
        Outcome::TlsFailed => Message::OutcomeTlsFailed,
        Outcome::NoConnection => Message::OutcomeNoConnection,
        Outcome::NoDialogue => Message::OutcomeNoDialogue,
        Outcome::Aborted => Message::OutcomeAborted,
        Outcome::NothingTried => Message::OutcomeNothingTried,
        Outcome::Encrypted => Message::OutcomeEncrypted,
        Outcome::Unknown => Message::OutcomeUnknown,
    }
}

/// Protection.
#[must_use]
pub const fn security(security: Security) -> Message {
    match security {
        Security::None => Message::SecurityNone,
        Security::StartTls => Message::SecurityStartTls,
        Security::Implicit => Message::SecurityImplicit,
    }
}

/// An ICMP error's name; the types and codes are those of the JSON output's words.
#[must_use]
pub fn icmp(error: &crate::packet::IcmpError) -> Message {
    match crate::render::json::words::icmp(error.version6, error.kind, error.code) {
        "network unreachable" => Message::IcmpNetworkUnreachable,
        "host unreachable" => Message::IcmpHostUnreachable,
        "protocol unreachable" => Message::IcmpProtocolUnreachable,
        "port unreachable" => Message::IcmpPortUnreachable,
        "fragmentation needed" => Message::IcmpFragmentationNeeded,
        "administratively prohibited" => Message::IcmpProhibited,
        "destination unreachable" => Message::IcmpUnreachable,
        "time exceeded" => Message::IcmpTimeExceeded,
        "parameter problem" => Message::IcmpParameterProblem,
        "no route to destination" => Message::IcmpNoRoute,
        "address unreachable" => Message::IcmpAddressUnreachable,
        "source address failed policy" => Message::IcmpSourcePolicy,
        "reject route" => Message::IcmpRejectRoute,
        "packet too big" => Message::IcmpTooBig,
        _ => Message::IcmpOther,
    }
}
