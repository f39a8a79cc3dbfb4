//! The server accepts none of the application protocols that the client named.

use crate::captured::Captured;
use crate::diagnosis::Value;
use crate::diagnosis::rules::tls::evidence::{self, Meaning};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `tls-alpn-mismatch`.
pub static RULE: Rule = Rule {
    slug: "tls-alpn-mismatch",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(45),
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
    ],
    leans_on_absence: false,
    references: &["RFC 7301 3.2", "ALPACA, USENIX Security 2021"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (tls, alert) = evidence::alert_of(session, Meaning::ApplicationProtocol)?;
    let hello = tls.offer();
    let names: Vec<Captured> = hello.map(|hello| hello.alpn.clone()).unwrap_or_default();
    let web = names
        .iter()
        .any(|name| name.equals_ignoring_case("h2") || name.contains_ignoring_case("http/"));
    let list = Value::List(names.iter().map(Value::from).collect());
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with_some("names", (!names.is_empty()).then_some(list))
            .with_some("web", web.then_some("yes"))
            .and_some(hello.map(Evidence::client_hello)),
    )
}
