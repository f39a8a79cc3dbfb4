//! The reverse-path was refused.

use crate::diagnosis::{Actor, Check, Confidence, Layer, RefusalKind, Rule, Severity};

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
    leans_on_absence: false,
    references: &["RFC 5321 3.3", "RFC 6409 6.1", "RFC 3463 3.2, 3.8"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Refusal(RefusalKind::SenderRejected),
};
