//! The client refused the version that the server chose.

use crate::diagnosis::rules::tls::evidence::{self, Meaning};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{ClientHello, Phase, TlsFacts, Version};
use crate::session::{Session, Stage};
use crate::span::{Direction, Role};

/// `tls-client-refuses-old-server`.
pub static RULE: Rule = Rule {
    slug: "tls-client-refuses-old-server",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(40),
    actors: &[Actor::Server],
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
    references: &["RFC 8996 4, 5", "RFC 8446 6.2", "RFC 5246 E.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    by_alert(rule, session).or_else(|| by_closing(rule, session))
}

fn by_alert(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (tls, alert) = evidence::alert_of(session, Meaning::OldServerRefused)?;
    Some(with_versions(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert)).with("alert", "yes"),
        tls,
    ))
}

/// The server chose TLS 1.1 or older below the client's offer, and the client left without a word.
fn by_closing(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = evidence::unfinished(session).filter(|tls| tls.phase == Phase::AfterServerHello)?;
    let chosen = tls.server_hello.as_ref()?.version;
    let offered = tls.offer()?.maximum();
    let end = evidence::end(session).filter(|end| end.by == Role::Client)?;
    let quick = end
        .stamp
        .time
        .since(evidence::last_record(tls, Direction::ToClient)?.time)
        < evidence::STALLED;
    let fits = quick && chosen < Version::TLS1_2 && offered >= Version::TLS1_2;
    fits.then(|| {
        with_versions(
            Finding::of(rule, Stage::Tls, end.evidence()).as_sure_as(Confidence::Possible),
            tls,
        )
    })
}

fn with_versions(finding: Finding, tls: &TlsFacts) -> Finding {
    finding
        .with_some("chosen", tls.server_hello.as_ref().map(|hello| hello.version))
        .with_some("offered", tls.offer().map(ClientHello::maximum))
        .and_some(tls.server_hello.as_ref().map(Evidence::server_hello))
        .and_some(tls.offer().map(Evidence::client_hello))
}
