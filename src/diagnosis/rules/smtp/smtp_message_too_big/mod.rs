//! The mail is larger than the server takes.

use crate::diagnosis::{Actor, Check, Confidence, Layer, RefusalKind, Rule, Severity};

/// `smtp-message-too-big`.
pub static RULE: Rule = Rule {
    slug: "smtp-message-too-big",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(68),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-content-rejected",
        "smtp-server-421",
    ],
    leans_on_absence: false,
    references: &["RFC 1870 3, 6", "RFC 3463 3.4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Refusal(RefusalKind::TooBig),
};
