//! The chain ends at an authority that clients do not know by themselves.

use crate::diagnosis::rules::cert::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

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
    references: &["RFC 5280 6.1", "RFC 8446 6.2 (48)"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (message, leaf) = evidence::shown(session)?;
    let rejection = evidence::rejection(session).filter(evidence::Rejection::may_mean_trust);
    if leaf.self_issued && message.certificates.len() == 1 {
        return None;
    }
    let last = message.certificates.last()?;
    let private = message.certificates.len() > 1 && last.self_issued && !evidence::is_public(&last.issuer);
    if !private || rejection.is_none() {
        return None;
    }
    let finding =
        Finding::of(rule, Stage::Tls, Evidence::quote(&message.span, &leaf.subject)).with("issuer", &last.issuer);
    Some(evidence::judged(finding, rejection))
}
