//! The certificate has a weak signature or a short key.

use crate::diagnosis::rules::cert::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `cert-weak-crypto`.
pub static RULE: Rule = Rule {
    slug: "cert-weak-crypto",
    layer: Layer::Cert,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
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
    references: &["RFC 9155", "RFC 9325 4.5", "CA/B Baseline Requirements 6.1.5"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (message, leaf) = evidence::shown(session)?;
    let rejection = evidence::rejection(session).filter(evidence::Rejection::may_mean_trust);
    let weak = message
        .certificates
        .iter()
        .find(|one| !one.self_issued && one.weak_signature);
    let short = (leaf.key.algorithm == "RSA" && leaf.key.bits < 2048)
        || (leaf.key.algorithm.starts_with("EC") && leaf.key.bits < 224);
    if weak.is_none() && !short {
        return None;
    }
    let finding = Finding::of(rule, Stage::Tls, Evidence::quote(&message.span, &leaf.subject))
        .with_some("signature", weak.map(|one| one.signature_algorithm.clone()))
        .with_some("bits", short.then_some(leaf.key.bits));
    if rejection.is_none() && !evidence::matters(session) {
        return None;
    }
    Some(evidence::judged(finding, rejection))
}
