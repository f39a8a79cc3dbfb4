//! A middlebox overwrote the greeting, the STARTTLS keyword or a command.

use crate::diagnosis::rules::starttls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Finding, Layer, Rule, Severity};
use crate::session::Outcome;
use crate::session::{Session, Stage};

/// `starttls-stripped`.
pub static RULE: Rule = Rule {
    slug: "starttls-stripped",
    layer: Layer::StartTls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(30),
    actors: &[Actor::Network],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-ehlo-fallback-helo",
        "smtp-helo-rejected",
        "starttls-not-offered",
        "starttls-refused",
        "starttls-required",
    ],
    leans_on_absence: false,
    references: &["RFC 3207 6", "RFC 9325 3.2", "Cisco ASA: inspect esmtp"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (kind, masked) = evidence::masked(session)?;
    let severity = match session.outcome {
        _ if session.tls.is_some() => Severity::Note,
        Outcome::Accepted | Outcome::PartlyAccepted | Outcome::LoggedIn => Severity::Risk,
        // A masked greeting alone takes nothing away.
        _ if kind == "greeting" && evidence::offer(session).is_some_and(|offer| offer.has_starttls) => Severity::Note,
        // The change is a fact; what came of it is not in the capture.
        Outcome::Unknown => Severity::Risk,
        _ => Severity::Fail,
    };
    Some(
        Finding::of(rule, Stage::Hello, masked.clone())
            .as_severity(severity)
            .with("line", &masked.quotation)
            .with_some("keyword", (kind == "keyword").then_some("yes"))
            .with_some("command", (kind == "command").then_some("yes"))
            .with_some("greeting", (kind == "greeting").then_some("yes"))
            .with_some(
                "clear",
                evidence::crossed(session)
                    .filter(|_| session.tls.is_none())
                    .map(|_| "yes"),
            ),
    )
}
