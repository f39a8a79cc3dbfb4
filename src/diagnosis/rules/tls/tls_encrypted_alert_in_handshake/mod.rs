//! The handshake ended with a record that looks like an alert, encrypted.

use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{AlertLevel, Phase};
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `tls-encrypted-alert-in-handshake`.
pub static RULE: Rule = Rule {
    slug: "tls-encrypted-alert-in-handshake",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Inferred,
    precedence: Some(44),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
    ],
    references: &[
        "RFC 8446 5.1, 6, 4.4.4",
        "measured OpenSSL 3.0, GnuTLS 3.7.9, NSS 3.87, OpenJDK 17",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let clear = tls.alerts.iter().any(|alert| alert.level == AlertLevel::Fatal);
    let used = tls.directions.to_server.first_application_data.is_some() && tls.phase >= Phase::AfterApplicationData;
    if clear || used {
        return None;
    }
    let alert = tls
        .encrypted_alerts
        .iter()
        .find(|alert| alert.phase >= Phase::AfterServerHello && alert.phase < Phase::AfterApplicationData)?;
    let by_client = alert.direction == Direction::ToServer;
    // After the client's Finished a closing alert may be a client's farewell: another entry.
    if by_client
        && tls
            .directions
            .to_server
            .finished
            .is_some_and(|finished| finished < alert.stamp)
    {
        return None;
    }
    Some(
        Finding::of(
            rule,
            Stage::Tls,
            Evidence::frame(
                alert.stamp,
                Some(alert.direction),
                format!("encrypted record of {} octets, the size of an alert", alert.length),
            ),
        )
        .with(
            "sender",
            if by_client {
                Value::Phrase("client")
            } else {
                Value::Phrase("server")
            },
        )
        .with_some("by_client", by_client.then_some("yes"))
        .with_some("by_server", (!by_client).then_some("yes"))
        .and_some(tls.server_hello.as_ref().map(Evidence::server_hello)),
    )
}
