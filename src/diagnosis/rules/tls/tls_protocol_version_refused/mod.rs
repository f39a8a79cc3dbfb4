//! The server answered the ClientHello with alert 70 (protocol_version), or an SSL 3.0 hello with alert 40.

use crate::diagnosis::rules::tls::evidence::{self, Meaning};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{ClientHello, Version, alert_name};
use crate::session::{Session, Stage};

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
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-no-greeting",
        "smtp-server-421",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-before-greeting",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-sslv2-sslv3-hello",
    ],
    leans_on_absence: false,
    references: &["RFC 8446 6.2", "RFC 5246 7.2.2, E.1", "RFC 8996", "RFC 8997"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (tls, alert) = evidence::alert_of(session, Meaning::VersionRefused)?;
    let hello = tls.offer();
    let maximum = hello.map(ClientHello::maximum);
    let confidence = if alert.description == 70 {
        Confidence::Confirmed
    } else {
        Confidence::Likely
    };
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .as_sure_as(confidence)
            .with("code", alert.description)
            .with_some("alert", alert_name(alert.description))
            .with_some("offered", maximum)
            .with_some("old", maximum.filter(|version| *version < Version::TLS1_2))
            .with_some("modern", maximum.filter(|version| *version >= Version::TLS1_2))
            .with("port", session.connection.server.port)
            .with_some("implicit", session.service.is_implicit_tls().then_some("yes"))
            .and_some(hello.map(Evidence::client_hello)),
    )
}
