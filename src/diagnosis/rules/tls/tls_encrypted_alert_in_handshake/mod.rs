//! An encrypted alert ended the handshake; its content cannot be read.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::protocol::tls::Phase;
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
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-no-greeting",
        "smtp-server-421",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-before-greeting",
        "tcp-reset-mid-session",
        "tls-client-aborts-after-finished",
        "tls-client-cert-requested",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
    ],
    leans_on_absence: false,
    references: &[
        "RFC 8446 4.4.4, 5.1, 6",
        "RFC 5246 6.2.3, 7.2",
        "measured with GnuTLS 3.7.9, NSS 3.87, OpenJDK 17",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref().filter(|tls| !tls.decrypted)?;
    if tls.client_hellos.is_empty() || session.quality.gaps {
        return None;
    }
    let alert = tls.encrypted_alerts.first()?;
    let by_client = alert.direction == Direction::ToServer;
    let unused = tls.directions.to_server.first_application_data.is_none();
    // TLS 1.3 is complete for the client while the server still looks at its flight.
    let server_judges = !by_client
        && alert.inferred
        && alert.phase == Phase::AfterHandshake
        && unused
        && tls.directions.to_client.first_application_data.is_none();
    if alert.phase >= Phase::AfterHandshake && !server_judges {
        return None;
    }
    if server_judges && evidence::empty_certificate_sized(tls).is_some() {
        return None;
    }
    let quoted = Note::of("encrypted alert, {length} octets").with("length", alert.length);
    let confidence = if alert.inferred {
        Confidence::Inferred
    } else {
        Confidence::Likely
    };
    let early_close = evidence::end(session).is_some_and(|end| end.stamp.frame < alert.stamp.frame);
    (!early_close).then(|| {
        Finding::of(
            rule,
            Stage::Tls,
            Evidence::frame(alert.stamp, Some(alert.direction), quoted),
        )
        .as_sure_as(confidence)
        .with_some("client", by_client.then_some("yes"))
        .with_some("server", (!by_client).then_some("yes"))
        .with("octets", alert.length)
        .and_some(tls.server_hello.as_ref().map(Evidence::server_hello))
    })
}
