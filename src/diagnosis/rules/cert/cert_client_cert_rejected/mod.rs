//! The server ended the session over the client's certificate.

use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::AlertLevel;
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
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-client-vanished",
        "starttls-client-abandons-after-220",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-client-cert-required",
        "tls-close-notify-missing",
        "tls-encrypted-alert-in-handshake",
        "tls-other-fatal-alert",
    ],
    references: &["RFC 5246 7.4.6", "RFC 8446 6.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_ref()?;
    let message = tls.client_certificate.as_ref()?;
    let leaf = message.certificates.first()?;
    let alert = tls.alerts.iter().find(|alert| {
        alert.span.direction == Direction::ToClient
            && alert.level == AlertLevel::Fatal
            && matches!(alert.description, 42..=46 | 48 | 49)
            && alert.span.first.frame >= message.span.first.frame
    })?;
    let time = message.span.first.time;
    let name = crate::protocol::tls::alert_name(alert.description).unwrap_or("unassigned");
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with("alert", alert.description)
            .with("name", name)
            .with("subject", &leaf.subject)
            .with("issuer", &leaf.issuer)
            .with_some(
                "expired",
                (leaf.not_after < time).then_some(Value::Time(leaf.not_after)),
            )
            .with_some("usage", (leaf.client_authentication == Some(false)).then_some("yes"))
            .and(Evidence::quote(&message.span, &leaf.subject)),
    )
}
