//! A certificate of the server had expired, or was not valid yet, when its packet crossed.

use super::evidence::{self, Reaction};
use crate::diagnosis::Value;
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
        "cert-untrusted-ca",
        "cert-weak-crypto",
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
    references: &["RFC 5280 4.1.2.5", "RFC 8446 4.4.2.4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// certificate_expired, and what GnuTLS and Java send instead.
const ALERTS: &[u8] = &[42, 45, 46];

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let Some(judged) = evidence::judged(session) else {
        return by_alert_alone(rule, session);
    };
    let (about, expired) = match (judged.expired(), judged.not_yet_valid()) {
        (Some(certificate), _) => (certificate, true),
        (None, Some(certificate)) => (certificate, false),
        (None, None) => return None,
    };
    let unused = judged.reaction == Reaction::Unclear && !session.service.is_for_users();
    if judged.reaction == Reaction::WentOn || unused {
        return None;
    }
    let (word, date, distance) = if expired {
        ("expired", about.not_after, judged.time().since(about.not_after))
    } else {
        ("early", about.not_before, about.not_before.since(judged.time()))
    };
    let intermediate = !std::ptr::eq(about, judged.leaf);
    Some(
        judged
            .finding(rule, about, ALERTS)
            .with(word, Value::Time(date))
            .with("days", evidence::days(distance))
            .with("time", Value::Time(judged.time()))
            .with_some("intermediate", intermediate.then_some("yes")),
    )
}

/// TLS 1.3 hides the certificate, but alert 45 says what the client saw (with the client's own clock).
fn by_alert_alone(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let alert = evidence::complaint(session.tls.as_ref()?).filter(|alert| alert.description == 45)?;
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .as_sure_as(Confidence::Likely)
            .with("told", "yes"),
    )
}
