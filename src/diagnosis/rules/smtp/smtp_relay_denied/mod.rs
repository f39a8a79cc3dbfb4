//! The server does not pass mail on for this client.

use crate::diagnosis::{Actor, Check, Confidence, Layer, RefusalKind, Rule, Severity};

/// `smtp-relay-denied`.
pub static RULE: Rule = Rule {
    slug: "smtp-relay-denied",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(64),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-server-421",
    ],
    leans_on_absence: false,
    references: &[
        "RFC 5321 3.6.2, 7.9",
        "RFC 6409 4.3",
        "sendmagic note \"SMTP応答コード au編\"",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Refusal(RefusalKind::RelayDenied),
};
