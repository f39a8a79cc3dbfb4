//! The server name was missing or unknown to the server.

use crate::diagnosis::rules::tls::evidence::{self, Meaning};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::AlertLevel;
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `tls-sni-problem`.
pub static RULE: Rule = Rule {
    slug: "tls-sni-problem",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(45),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "cert-name-mismatch",
        "cert-rejected-by-client",
        "cert-self-signed",
        "cert-untrusted-ca",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-no-greeting",
        "smtp-server-421",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-before-greeting",
        "tcp-reset-mid-session",
        "tls-client-aborts-after-finished",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
    ],
    leans_on_absence: false,
    references: &["RFC 6066 3", "RFC 8446 9.2", "RFC 7817"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    by_alert(rule, session).or_else(|| by_certificate(rule, session))
}

fn by_alert(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let fatal = evidence::alert_of(session, Meaning::ServerName).map(|(_, alert)| alert);
    let warned = || {
        tls.alerts.iter().find(|alert| {
            alert.description == 112
                && alert.level == AlertLevel::Warning
                && alert.span.direction == Direction::ToClient
        })
    };
    let alert = fatal.or_else(warned)?;
    let severity = if fatal.is_some() {
        Severity::Fail
    } else {
        Severity::Note
    };
    let hello = tls.offer();
    let name = hello.and_then(|hello| hello.server_name.as_ref());
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .as_severity(severity)
            .as_sure_as(Confidence::Confirmed)
            .with_some("name", name)
            .with_some("refused", fatal.map(|_| "yes"))
            .with_some("warned", fatal.is_none().then_some("yes"))
            .and_some(hello.map(Evidence::client_hello)),
    )
}

/// The certificate itself says that no name was sent.
fn by_certificate(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let hello = tls.offer().filter(|hello| hello.server_name.is_none())?;
    let message = tls.server_certificate.as_ref()?;
    let certificate = message.certificates.first()?;
    let placeholder = certificate.subject.contains_ignoring_case("invalid2.invalid")
        || certificate.subject.contains_ignoring_case("no sni provided");
    if !placeholder {
        return None;
    }
    let refused = tls
        .alerts
        .iter()
        .any(|alert| alert.span.direction == Direction::ToServer && alert.level == AlertLevel::Fatal)
        || tls.directions.to_server.first_application_data.is_none();
    let severity = if refused { Severity::Fail } else { Severity::Risk };
    Some(
        Finding::of(rule, Stage::Tls, Evidence::quote(&message.span, &certificate.subject))
            .as_severity(severity)
            .with("subject", &certificate.subject)
            .and(Evidence::client_hello(hello)),
    )
}
