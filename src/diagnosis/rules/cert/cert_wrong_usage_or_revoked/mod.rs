//! The certificate is not made for servers, or the client says that it was revoked.

use super::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `cert-wrong-usage-or-revoked`.
pub static RULE: Rule = Rule {
    slug: "cert-wrong-usage-or-revoked",
    layer: Layer::Cert,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(49),
    actors: &[Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "cert-missing-intermediate",
        "cert-name-mismatch",
        "cert-rejected-by-client",
        "cert-untrusted-ca",
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
    references: &["RFC 5280 4.2.1.12", "RFC 6066 8", "RFC 8446 6.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// unsupported_certificate of OpenSSL, and what GnuTLS and Java send instead.
const ALERTS: &[u8] = &[42, 43, 46];

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let judged = evidence::judged(session);
    let told = session.tls.as_ref().and_then(|tls| evidence::complaint(tls));
    if let Some(alert) = told.filter(|alert| matches!(alert.description, 43 | 44 | 113)) {
        let usage = judged.as_ref().is_some_and(evidence::Judged::wrong_usage);
        return Some(
            Finding::of(
                rule,
                Stage::Tls,
                judged
                    .as_ref()
                    .map_or_else(|| Evidence::alert(alert), |one| one.quote(one.leaf)),
            )
            .with("alert", alert.description)
            .with_some("usage", (alert.description == 43 && usage).then_some("yes"))
            .with_some("unsupported", (alert.description == 43 && !usage).then_some("yes"))
            .with_some("revoked", (alert.description == 44).then_some("yes"))
            .with_some("staple", (alert.description == 113).then_some("yes"))
            .with_some("subject", judged.as_ref().map(|judged| &judged.leaf.subject))
            .and(Evidence::alert(alert)),
        );
    }
    let judged = judged.filter(|judged| judged.wrong_usage() && judged.decided(ALERTS))?;
    Some(judged.finding(rule, judged.leaf, ALERTS).with("usage", "yes"))
}
