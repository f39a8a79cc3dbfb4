//! A limit of rate, connections or recipients was reached.

use crate::diagnosis::rules::smtp::envelope::Kind;
use crate::diagnosis::{Actor, Check, Confidence, Finding, Layer, Rule, Severity};
use crate::session::Session;

/// `smtp-rate-limited`.
pub static RULE: Rule = Rule {
    slug: "smtp-rate-limited",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(67),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-greeting-refused",
        "smtp-server-421",
        "smtp-tempfail",
    ],
    references: &["RFC 5321 4.5.3.1.8, 4.5.3.1.10", "RFC 3463 3.6", "Sisimai Rhost/Google"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let refusal = super::envelope::first(session, Kind::RateLimit)?;
    Some(super::envelope_finding::finding(rule, session, &refusal))
}
