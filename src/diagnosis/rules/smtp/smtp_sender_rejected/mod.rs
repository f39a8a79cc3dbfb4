//! The reverse-path was refused.

use crate::diagnosis::rules::smtp::envelope::Kind;
use crate::diagnosis::{Actor, Check, Confidence, Finding, Layer, Rule, Severity};
use crate::session::Session;

/// `smtp-sender-rejected`.
pub static RULE: Rule = Rule {
    slug: "smtp-sender-rejected",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(66),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-server-421",
    ],
    references: &["RFC 5321 3.3", "RFC 6409 6.1", "RFC 3463 3.2, 3.8"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let refusal = super::envelope::first(session, Kind::SenderRejected)?;
    Some(super::envelope_finding::finding(rule, session, &refusal))
}
