//! The mail was refused for what is in it.

use crate::diagnosis::{Actor, Check, Confidence, Layer, RefusalKind, Rule, Severity};

/// `smtp-content-rejected`.
pub static RULE: Rule = Rule {
    slug: "smtp-content-rejected",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(72),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-server-421",
    ],
    leans_on_absence: false,
    references: &["RFC 5321 3.3, 4.1.1.4", "RFC 3463 3.7-3.8"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Refusal(RefusalKind::Content),
};
