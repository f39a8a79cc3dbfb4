//! The client address has no (consistent) reverse DNS.

use crate::diagnosis::{Actor, Check, Confidence, Layer, RefusalKind, Rule, Severity};

/// `smtp-client-rdns-rejected`.
pub static RULE: Rule = Rule {
    slug: "smtp-client-rdns-rejected",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(66),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-greeting-refused",
        "smtp-server-421",
    ],
    leans_on_absence: false,
    references: &["RFC 5321 4.1.4", "RFC 7372 3.3", "RFC 8601 2.7.3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Refusal(RefusalKind::ReverseDns),
};
