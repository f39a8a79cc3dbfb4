//! A certificate below the root has a weak signature or a short key.

use super::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::Session;

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
    references: &["RFC 9155", "RFC 9325 4.5", "CA/B Baseline Requirements 6.1.5"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// bad_certificate of OpenSSL and GnuTLS, certificate_unknown.
const ALERTS: &[u8] = &[42, 46];

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let judged = evidence::judged(session)?;
    let about = judged.weak()?;
    let decided = judged.decided(ALERTS) && judged.faults().is_empty();
    if !decided && !session.service.is_for_users() {
        return None;
    }
    let signature = (about.weak_signature && !about.self_issued).then_some(about.signature_algorithm.as_str());
    let finding = judged
        .finding(rule, about, ALERTS)
        .with_some("ended", decided.then_some("yes"))
        .with_some("signature", signature)
        .with_some("bits", signature.is_none().then_some(about.key.bits))
        .with_some("algorithm", signature.is_none().then_some(about.key.algorithm.as_str()));
    Some(if decided {
        finding.as_sure_as(Confidence::Likely)
    } else {
        finding.as_severity(Severity::Risk).as_sure_as(Confidence::Confirmed)
    })
}
