//! The client address stands on a blocklist, as the server says.

use crate::diagnosis::rules::smtp::envelope::Kind;
use crate::diagnosis::{Actor, Check, Confidence, Finding, Layer, Rule, Severity};
use crate::session::Session;

/// `smtp-dnsbl-rejected`.
pub static RULE: Rule = Rule {
    slug: "smtp-dnsbl-rejected",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(66),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-greeting-refused",
        "smtp-server-421",
    ],
    references: &["RFC 5782", "Spamhaus DNSBL usage FAQ", "Sisimai Rhost/Microsoft"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let refusal = super::envelope::first(session, Kind::Blocklist)?;
    Some(super::envelope_finding::finding(rule, session, &refusal))
}
