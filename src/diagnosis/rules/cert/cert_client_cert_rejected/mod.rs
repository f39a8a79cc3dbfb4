//! The server refused the certificate that the client showed.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity, Value};
use crate::protocol::tls::{AlertLevel, alert_name};
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `cert-client-cert-rejected`.
pub static RULE: Rule = Rule {
    slug: "cert-client-cert-rejected",
    layer: Layer::Cert,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(49),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
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
    references: &["RFC 5246 7.4.6", "RFC 8446 6.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let message = tls.client_certificate.as_ref()?;
    let leaf = message.certificates.first()?;
    let alert = tls.alerts.iter().find(|alert| {
        alert.level == AlertLevel::Fatal
            && alert.span.direction == Direction::ToClient
            && matches!(alert.description, 42..=46 | 48 | 49)
    })?;
    let expired = message.span.first.time > leaf.not_after;
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with("subject", &leaf.subject)
            .with("alert", alert.description)
            .with(
                "alert_name",
                alert_name(alert.description).map_or(Value::Phrase("unassigned"), Value::from),
            )
            .with_some("expired", expired.then_some(leaf.not_after))
            .and(Evidence::quote(&message.span, &leaf.subject)),
    )
}
