//! The server demanded a client certificate and got none.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{Phase, Version, alert_name};
use crate::session::{Session, Stage};
use crate::span::{Direction, Role};

/// `tls-client-cert-required`.
pub static RULE: Rule = Rule {
    slug: "tls-client-cert-required",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(43),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-client-aborts-after-finished",
        "tls-client-cert-requested",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-encrypted-alert-in-handshake",
        "tls-other-fatal-alert",
    ],
    references: &["RFC 5246 7.4.4, 7.4.6", "RFC 8446 4.3.2, 4.4.2, 6.2 (116)"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let empty = tls
        .client_certificate
        .as_ref()
        .filter(|message| message.certificates.is_empty() && message.unreadable == 0);
    let clear = evidence::fatal(tls, Role::Server).find(|alert| {
        alert.description == 116
            || (matches!(alert.description, 40 | 41 | 42 | 50)
                && alert.phase >= Phase::AfterClientFlight
                && empty.is_some())
    });
    if let Some(alert) = clear {
        return Some(
            Finding::of(rule, Stage::Tls, Evidence::alert(alert))
                .with("alert", alert.description)
                .with("alert_name", alert_name(alert.description).unwrap_or("unassigned"))
                .and_some(
                    tls.certificate_request
                        .as_ref()
                        .map(|span| Evidence::quote(span, "CertificateRequest")),
                )
                .and_some(empty.map(|message| Evidence::quote(&message.span, "Certificate: empty"))),
        );
    }
    // TLS 1.3: an empty Certificate is a record of 25 octets before the client's Finished; the server's alert is hidden.
    let hello = tls
        .server_hello
        .as_ref()
        .filter(|hello| hello.version == Version::TLS1_3)?;
    let empty = tls
        .records
        .iter()
        .find(|record| record.direction == Direction::ToServer && record.encrypted && record.length == 25)?;
    let alert = tls
        .encrypted_alerts
        .iter()
        .find(|alert| alert.direction == Direction::ToClient && alert.phase < Phase::AfterApplicationData)?;
    Some(
        Finding::of(
            rule,
            Stage::Tls,
            Evidence::frame(
                alert.stamp,
                Some(Direction::ToClient),
                "encrypted record of the size of an alert",
            ),
        )
        .as_sure_as(Confidence::Inferred)
        .with("hidden", "yes")
        .and(Evidence::frame(
            empty.stamp,
            Some(Direction::ToServer),
            "encrypted record of the size of an empty Certificate",
        ))
        .and(Evidence::server_hello(hello)),
    )
}
