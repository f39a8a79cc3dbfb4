//! The server asked for a client certificate, got none and ended the handshake.

use crate::diagnosis::rules::tls::evidence::{self, Meaning};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::protocol::tls::{ContentType, EncryptedAlert, Record, TlsFacts, alert_name};
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
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-no-greeting",
        "smtp-server-421",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-before-greeting",
        "tcp-reset-mid-session",
        "tls-client-cert-requested",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-encrypted-alert-in-handshake",
        "tls-server-closes-without-alert",
    ],
    leans_on_absence: false,
    references: &["RFC 5246 7.4.4, 7.4.6", "RFC 8446 4.3.2, 4.4.2, 6.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    by_alert(rule, session).or_else(|| by_sizes(rule, session))
}

fn by_alert(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (tls, alert) = evidence::alert_of(session, Meaning::ClientCertificateMissing)?;
    let confidence = if alert.description == 116 {
        Confidence::Confirmed
    } else {
        Confidence::Likely
    };
    let request = tls.certificate_request.as_ref();
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .as_sure_as(confidence)
            .with("code", alert.description)
            .with_some("alert", alert_name(alert.description))
            .and_some(
                tls.client_certificate
                    .as_ref()
                    .map(|message| Evidence::quote(&message.span, "Certificate (empty)")),
            )
            .and_some(request.map(|span| Evidence::quote(span, "CertificateRequest"))),
    )
}

/// TLS 1.3: the client's flight has a record of the size of an empty Certificate, and the server answers with an alert.
fn by_sizes(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref().filter(|tls| !tls.decrypted)?;
    let empty = evidence::empty_certificate_sized(tls)?;
    let Some(alert) = server_alert(tls) else {
        return closed(rule, session, tls, empty);
    };
    Some(
        Finding::of(
            rule,
            Stage::Tls,
            Evidence::frame(
                alert.stamp,
                Some(alert.direction),
                Note::of("encrypted record of {length} octets, the size of an alert").with("length", alert.length),
            ),
        )
        .as_sure_as(Confidence::Inferred)
        .with("hidden", "yes")
        .and(sized(empty)),
    )
}

fn sized(empty: &Record) -> Evidence {
    Evidence::frame(
        empty.stamp,
        Some(empty.direction),
        Note::of("encrypted record of {length} octets, the size of an empty Certificate").with("length", empty.length),
    )
}

/// The same flight, and the server closes before either side has used the connection.
fn closed(rule: &'static Rule, session: &Session, tls: &TlsFacts, empty: &Record) -> Option<Finding> {
    let quality = &session.quality;
    let end = evidence::end(session).filter(|end| end.by == Role::Server && !end.forged)?;
    let answered = tls.records.iter().any(|record| {
        record.direction == Direction::ToClient
            && record.stamp.frame > empty.stamp.frame
            && record.content == ContentType::ApplicationData
    });
    let hidden = quality.cut_off || quality.gaps || quality.only_direction.is_some();
    (!answered && !hidden && end.stamp.time.since(empty.stamp.time) < evidence::STALLED).then(|| {
        Finding::of(rule, Stage::Tls, end.evidence())
            .as_sure_as(Confidence::Inferred)
            .with("closed", "yes")
            .and(sized(empty))
    })
}

/// An alert of the server before the client sent any application data.
fn server_alert(tls: &TlsFacts) -> Option<&EncryptedAlert> {
    let used = tls.directions.to_server.first_application_data.is_some();
    tls.encrypted_alerts
        .first()
        .filter(|alert| !used && alert.direction == Direction::ToClient)
}
