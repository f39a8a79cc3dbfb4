//! The hello is one of SSL 2.0 or SSL 3.0.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{Phase, Version};
use crate::session::{Session, Stage};
use crate::span::Role;

/// `tls-sslv2-sslv3-hello`.
pub static RULE: Rule = Rule {
    slug: "tls-sslv2-sslv3-hello",
    layer: Layer::Tls,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: Some(41),
    actors: &[Actor::Client],
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
        "tls-server-closes-without-alert",
    ],
    leans_on_absence: false,
    references: &["RFC 6176", "RFC 7568", "RFC 5246 E.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let hello = tls
        .offer()
        .filter(|hello| hello.ssl2_format || hello.maximum() <= Version::SSL3)?;
    let old = hello.maximum() <= Version::SSL3;
    let ended = tls.server_hello.is_none()
        && tls.phase < Phase::AfterHandshake
        && (evidence::fatal_alert(session).is_some()
            || evidence::end(session).is_some_and(|end| end.by == Role::Server));
    let severity = if ended && old { Severity::Fail } else { Severity::Risk };
    Some(
        Finding::of(rule, Stage::Tls, Evidence::client_hello(hello))
            .as_severity(severity)
            .with("offered", hello.maximum())
            .with_some("format", (hello.ssl2_format && !old).then_some("yes"))
            .with_some("refused", (ended && old).then_some("yes"))
            .and_some(tls.alerts.first().map(Evidence::alert)),
    )
}
