//! The chain is whole, but the client does not know the authority at its end.

use super::evidence::{self, Reaction};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::Session;

/// `cert-untrusted-ca`.
pub static RULE: Rule = Rule {
    slug: "cert-untrusted-ca",
    layer: Layer::Cert,
    severity: Severity::Risk,
    confidence: Confidence::Possible,
    precedence: Some(49),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "cert-rejected-by-client",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "starttls-client-abandons-after-220",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-client-aborts-after-finished",
        "tls-close-notify-missing",
        "tls-encrypted-alert-in-handshake",
        "tls-other-fatal-alert",
    ],
    references: &["RFC 5280 6.1", "RFC 8446 6.2 (48)"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let judged = evidence::judged(session)?;
    let Reaction::Complained(alert) = judged.reaction else {
        return None;
    };
    let about_chain = alert.description == 48 || (matches!(alert.description, 42 | 46) && judged.faults().is_empty());
    if !about_chain || !judged.linked() || judged.weak().is_some() {
        return None;
    }
    let top = judged.message.certificates.last()?;
    Some(
        judged
            .finding(rule, judged.leaf, &[42, 46, 48])
            .with("authority", &top.issuer)
            .with_some("root", top.self_issued.then_some("yes")),
    )
}
