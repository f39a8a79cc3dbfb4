//! The client address stands on a blocklist, as the server says.

use crate::diagnosis::{Actor, Check, Confidence, Layer, RefusalKind, Rule, Severity};

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
    leans_on_absence: false,
    references: &["RFC 5782", "Spamhaus DNSBL usage FAQ", "Sisimai Rhost/Microsoft"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Refusal(RefusalKind::Blocklist),
};
