//! A limit of rate, connections or recipients was reached.

use crate::diagnosis::{Actor, Check, Confidence, Layer, RefusalKind, Rule, Severity};

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
    leans_on_absence: false,
    references: &["RFC 5321 4.5.3.1.8, 4.5.3.1.10", "RFC 3463 3.6", "Sisimai Rhost/Google"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Refusal(RefusalKind::RateLimit),
};
