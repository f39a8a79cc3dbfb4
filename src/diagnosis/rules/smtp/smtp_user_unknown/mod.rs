//! The recipient does not exist at this server, or the server says so.

use crate::diagnosis::{Actor, Check, Confidence, Layer, RefusalKind, Rule, Severity};

/// `smtp-user-unknown`.
pub static RULE: Rule = Rule {
    slug: "smtp-user-unknown",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(65),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-server-421",
    ],
    leans_on_absence: false,
    references: &[
        "RFC 5321 3.3, 4.2.3",
        "RFC 7505",
        "RFC 7504 4",
        "Sisimai Rhost NTTDOCOMO/KDDI",
        "sendmagic notes docomo/au",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Refusal(RefusalKind::UserUnknown),
};
