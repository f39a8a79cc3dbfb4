//! Only the server certificate was sent, without the one that links it to a root.

use crate::diagnosis::rules::cert::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `cert-missing-intermediate`.
pub static RULE: Rule = Rule {
    slug: "cert-missing-intermediate",
    layer: Layer::Cert,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(49),
    actors: &[Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "cert-rejected-by-client",
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-client-aborts-after-finished",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-encrypted-alert-in-handshake",
        "tls-other-fatal-alert",
    ],
    leans_on_absence: false,
    references: &["RFC 5246 7.4.2", "RFC 8446 4.4.2", "RFC 5280 4.2.2.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (message, leaf) = evidence::shown(session)?;
    let rejection = evidence::rejection(session).filter(evidence::Rejection::may_mean_trust);
    let alone = message.certificates.len() == 1 && !leaf.self_issued;
    let broken = message.certificates.windows(2).any(|pair| match pair {
        [one, next] => one.issuer != next.subject,
        _ => false,
    });
    if !(alone && !evidence::is_root(&leaf.issuer) || broken) || message.unreadable > 0 {
        return None;
    }
    rejection?;
    let finding = Finding::of(rule, Stage::Tls, Evidence::quote(&message.span, &leaf.subject))
        .with("issuer", &leaf.issuer)
        .with_some("order", (!alone).then_some("yes"));
    Some(evidence::judged(finding, rejection))
}
