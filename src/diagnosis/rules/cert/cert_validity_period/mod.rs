//! The certificate is out of its validity period at the time of the packet.

use crate::diagnosis::rules::cert::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `cert-validity-period`.
pub static RULE: Rule = Rule {
    slug: "cert-validity-period",
    layer: Layer::Cert,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(49),
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[
        "auth-requires-tls-first",
        "cert-missing-intermediate",
        "cert-name-mismatch",
        "cert-rejected-by-client",
        "cert-self-signed",
        "cert-untrusted-ca",
        "cert-weak-crypto",
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
    references: &["RFC 5280 4.1.2.5", "RFC 8446 4.4.2.4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (message, leaf) = evidence::shown(session)?;
    let rejection = evidence::rejection(session)?;
    let at = message.span.first.time;
    let out = message
        .certificates
        .iter()
        .find(|one| at > one.not_after || at < one.not_before)?;
    let expired = at > out.not_after;
    let finding = Finding::of(rule, Stage::Tls, Evidence::quote(&message.span, &leaf.subject))
        .with("subject", &out.subject)
        .with_some("expired", expired.then_some(out.not_after))
        .with_some("ago", expired.then(|| at.since(out.not_after)))
        .with_some("early", (!expired).then_some(out.not_before));
    Some(if rejection.may_mean_validity() {
        evidence::judged(finding, Some(rejection))
    } else {
        finding.as_severity(Severity::Risk)
    })
}
