//! A first contact is put off for some minutes.

use crate::diagnosis::{Actor, Check, Confidence, Layer, RefusalKind, Rule, Severity};

/// `smtp-greylisted`.
pub static RULE: Rule = Rule {
    slug: "smtp-greylisted",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(67),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-server-421",
        "smtp-tempfail",
    ],
    leans_on_absence: false,
    references: &["RFC 6647 2, 5", "RFC 5321 4.5.4.1", "Postfix POSTSCREEN_README"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Refusal(RefusalKind::Greylist),
};
