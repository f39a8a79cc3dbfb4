//! The server has a temporary problem of its own.

use crate::diagnosis::rules::smtp::envelope::Kind;
use crate::diagnosis::{Actor, Check, Confidence, Finding, Layer, Rule, Severity};
use crate::session::Session;

/// `smtp-tempfail`.
pub static RULE: Rule = Rule {
    slug: "smtp-tempfail",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(69),
    actors: &[Actor::Server],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-server-421",
    ],
    references: &["RFC 5321 4.2.1, 4.5.4.1", "RFC 3463 3.4-3.5"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let refusal = super::envelope::first(session, Kind::Temporary)?;
    Some(super::envelope_finding::finding(rule, session, &refusal))
}
