//! The server answered the ClientHello with alert 70 (protocol_version).

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{AlertLevel, Phase, Version};
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `tls-protocol-version-refused`.
pub static RULE: Rule = Rule {
    slug: "tls-protocol-version-refused",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(40),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-sslv2-sslv3-hello",
    ],
    references: &["RFC 8446 6.2", "RFC 5246 7.2.2, E.1", "RFC 8996", "RFC 8997"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_ref()?;
    let alert = tls.alerts.iter().find(|alert| {
        alert.span.direction == Direction::ToClient
            && alert.level == AlertLevel::Fatal
            && alert.description == 70
            && alert.phase == Phase::AfterClientHello
    })?;
    let hello = tls.offer();
    let maximum = hello.map(crate::protocol::tls::ClientHello::maximum);
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with_some("offered", maximum)
            .with_some("old", maximum.filter(|version| *version < Version::TLS1_2))
            .with_some("modern", maximum.filter(|version| *version >= Version::TLS1_2))
            .with("port", session.connection.server.port)
            .with_some("implicit", session.service.is_implicit_tls().then_some("yes"))
            .and_some(hello.map(Evidence::client_hello)),
    )
}
