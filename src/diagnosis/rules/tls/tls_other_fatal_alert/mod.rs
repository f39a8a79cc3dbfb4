//! A fatal alert that no other rule explains.

use crate::diagnosis::rules::tls::evidence::{self, Meaning};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity, Value};
use crate::protocol::tls::alert_name;
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `tls-other-fatal-alert`.
pub static RULE: Rule = Rule {
    slug: "tls-other-fatal-alert",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(46),
    actors: &[Actor::Server, Actor::Client],
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
    ],
    leans_on_absence: true,
    references: &["RFC 8446 6.2", "RFC 5246 7.2.2", "IANA TLS Alerts"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (tls, alert) = evidence::alert_of(session, Meaning::Other)?;
    let code = alert.description;
    let by_client = alert.span.direction == Direction::ToServer;
    let finding = Finding::of(rule, Stage::Tls, Evidence::alert(alert))
        .with("code", code)
        .with(
            "alert",
            alert_name(code).map_or(Value::Phrase("unassigned"), Value::from),
        )
        .with_some("client", by_client.then_some("yes"))
        .with_some("server", (!by_client).then_some("yes"));
    let hint = match code {
        20 | 21 | 51 => "altered",
        22 | 32 | 47 | 50 => "unreadable",
        10 => "order",
        49 | 71 => "policy",
        80 => "internal",
        90 => "cancelled",
        115 => "stale",
        _ => "unknown",
    };
    let retries = tls.hello_retry_requests.len();
    Some(
        finding
            .with(hint, "yes")
            .with_some("retried", (retries > 0).then_some(retries))
            .and_some(tls.server_hello.as_ref().map(Evidence::server_hello))
            .and_some(tls.offer().map(Evidence::client_hello)),
    )
}
