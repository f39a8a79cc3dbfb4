//! The client refused the server certificate with an alert.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity, Value};
use crate::protocol::tls::{AlertLevel, Phase, alert_name};
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `cert-rejected-by-client`.
pub static RULE: Rule = Rule {
    slug: "cert-rejected-by-client",
    layer: Layer::Cert,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(49),
    actors: &[Actor::Server, Actor::Client],
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
    references: &[
        "RFC 8446 6.2",
        "RFC 5280 6",
        "RFC 7817",
        "serverfault 1054770",
        "docker-mailserver notes on alert 46",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let alert = tls.alerts.iter().find(|alert| {
        alert.level == AlertLevel::Fatal
            && alert.span.direction == Direction::ToServer
            && matches!(alert.description, 42..=46 | 48 | 113)
            && alert.phase >= Phase::AfterServerHello
    })?;
    let shown = tls
        .server_certificate
        .as_ref()
        .and_then(|message| Some((message, message.certificates.first()?)));
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with("alert", alert.description)
            .with(
                "alert_name",
                alert_name(alert.description).map_or(Value::Phrase("unassigned"), Value::from),
            )
            .with_some("subject", shown.map(|(_, leaf)| &leaf.subject))
            .with_some("issuer", shown.map(|(_, leaf)| &leaf.issuer))
            .with_some("hidden", shown.is_none().then_some("yes"))
            .with_some("expired", (alert.description == 45).then_some("yes"))
            .with_some("unknown", (alert.description == 48).then_some("yes"))
            .with_some("name", tls.offer().and_then(|offer| offer.server_name.as_ref()))
            .and_some(shown.map(|(message, leaf)| Evidence::quote(&message.span, &leaf.subject))),
    )
}
