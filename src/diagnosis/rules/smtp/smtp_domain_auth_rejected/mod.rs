//! SPF, DKIM or DMARC of the sender domain did not pass, as the server says.

use crate::diagnosis::{Actor, Check, Confidence, Layer, RefusalKind, Rule, Severity};

/// `smtp-domain-auth-rejected`.
pub static RULE: Rule = Rule {
    slug: "smtp-domain-auth-rejected",
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
    references: &[
        "RFC 7372",
        "RFC 7208 8",
        "RFC 7489 10.3",
        "Gmail SMTP errors and codes",
        "Sisimai Rhost/Google",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Refusal(RefusalKind::DomainAuth),
};
