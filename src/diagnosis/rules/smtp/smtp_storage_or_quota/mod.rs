//! The mailbox or the server has no room.

use crate::diagnosis::{Actor, Check, Confidence, Layer, RefusalKind, Rule, Severity};

/// `smtp-storage-or-quota`.
pub static RULE: Rule = Rule {
    slug: "smtp-storage-or-quota",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(66),
    actors: &[Actor::Server],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-server-421",
    ],
    leans_on_absence: false,
    references: &["RFC 5321 4.2.3", "RFC 3463 3.3-3.4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Refusal(RefusalKind::Quota),
};
