//! The client began with a ClientHello where the server speaks plaintext first.

use crate::diagnosis::rules::starttls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `tls-hello-on-plaintext-port`.
pub static RULE: Rule = Rule {
    slug: "tls-hello-on-plaintext-port",
    layer: Layer::StartTls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(26),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-early-talker",
        "smtp-greeting-delayed",
        "smtp-no-greeting",
        "smtp-not-smtp-client",
        "smtp-server-421",
        "tcp-reset-before-greeting",
        "tcp-reset-mid-session",
        "tls-clienthello-too-large",
        "tls-decode-error-after-eof",
        "tls-handshake-stalled",
        "tls-other-fatal-alert",
        "tls-server-closes-without-alert",
        "tls-sslv2-sslv3-hello",
    ],
    leans_on_absence: false,
    references: &["RFC 8314 3", "RFC 8446 5.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if !evidence::is_hello_on_plaintext_port(session) {
        return None;
    }
    let tls = session.tls.as_ref()?;
    let greeting = evidence::greeting(session);
    let heard = session.connection.directions.to_client.octets > 0;
    let confidence = match (greeting.is_some(), heard) {
        (true, _) => Confidence::Confirmed,
        (false, true) => Confidence::Likely,
        // A server that speaks TLS on this port may have answered behind the end of the capture.
        (false, false) => Confidence::Possible,
    };
    let decisive = match tls.offer() {
        Some(hello) => Evidence::client_hello(hello),
        None => Evidence::frame(tls.began, Some(Direction::ToServer), "TLS record"),
    };
    Some(
        Finding::of(rule, Stage::Greeting, decisive)
            .as_sure_as(confidence)
            .with("port", session.connection.server.port)
            .with_some("implicit", session.service.is_implicit_tls().then_some("yes"))
            .with_some("greeting", greeting.as_ref().map(|greeting| &greeting.quotation))
            .and_some(greeting),
    )
}
