//! The server has a temporary problem of its own.

use crate::diagnosis::{Actor, Check, Confidence, Layer, RefusalKind, Rule, Severity};

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
    leans_on_absence: true,
    references: &["RFC 5321 4.2.1, 4.5.4.1", "RFC 3463 3.4-3.5"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Refusal(RefusalKind::Temporary),
};
