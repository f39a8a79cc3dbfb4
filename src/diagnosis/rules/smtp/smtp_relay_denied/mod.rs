//! The server does not pass mail on for this client.

use crate::diagnosis::rules::smtp::envelope::Kind;
use crate::diagnosis::{Actor, Check, Confidence, Finding, Layer, Rule, Severity};
use crate::session::Session;

/// `smtp-relay-denied`.
pub static RULE: Rule = Rule {
    slug: "smtp-relay-denied",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(64),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-server-421",
    ],
    references: &[
        "RFC 5321 3.6.2, 7.9",
        "RFC 6409 4.3",
        "sendmagic note \"SMTP応答コード au編\"",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let refusal = super::envelope::first(session, Kind::RelayDenied)?;
    Some(super::envelope_finding::finding(rule, session, &refusal))
}
