//! A fatal alert that no other entry explains.

use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{AlertLevel, Phase, alert_name};
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `tls-other-fatal-alert`.
pub static RULE: Rule = Rule {
    slug: "tls-other-fatal-alert",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(46),
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
    ],
    references: &["RFC 8446 6.2", "RFC 5246 7.2.2", "IANA TLS Alerts"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let alert = tls
        .alerts
        .iter()
        .find(|alert| alert.level == AlertLevel::Fatal && !elsewhere(tls, alert, session))?;
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with(
                "sender",
                if alert.span.direction == Direction::ToServer {
                    Value::Phrase("client")
                } else {
                    Value::Phrase("server")
                },
            )
            .with("alert", alert.description)
            .with("alert_name", alert_name(alert.description).unwrap_or("unassigned"))
            .and_some(tls.offer().map(Evidence::client_hello)),
    )
}

/// Alerts that have an entry of their own.
fn elsewhere(tls: &crate::protocol::tls::TlsFacts, alert: &crate::protocol::tls::Alert, session: &Session) -> bool {
    let by_client = alert.span.direction == Direction::ToServer;
    let certificate = matches!(alert.description, 42..=46 | 48 | 49 | 113);
    let after_close = by_client
        && alert.description == 50
        && session
            .connection
            .directions
            .to_client
            .fin
            .is_some_and(|fin| fin < alert.span.first);
    let empty_certificate = tls
        .client_certificate
        .as_ref()
        .is_some_and(|message| message.certificates.is_empty());
    certificate
        || after_close
        || matches!(alert.description, 0 | 70 | 86 | 112 | 116 | 120)
        || (alert.description == 40 && alert.phase == Phase::AfterClientHello && !by_client)
        || (!by_client && matches!(alert.description, 40 | 50) && empty_certificate)
}
