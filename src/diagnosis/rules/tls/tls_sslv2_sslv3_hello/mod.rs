//! The client offers SSL 2.0 or SSL 3.0 only.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{AlertLevel, Version};
use crate::session::{Session, Stage};

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
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-no-shared-cipher",
        "tls-no-shared-group-or-sigalg",
        "tls-protocol-version-refused",
    ],
    references: &["RFC 6176", "RFC 7568", "RFC 5246 E.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let hello = tls
        .offer()
        .filter(|hello| hello.maximum() <= Version::SSL3 || hello.ssl2_format)?;
    let refused = tls.server_hello.is_none() && tls.alerts.iter().any(|alert| alert.level == AlertLevel::Fatal);
    let only = hello.maximum() <= Version::SSL3;
    let finding = Finding::of(rule, Stage::Tls, Evidence::client_hello(hello))
        .with("offered", hello.maximum())
        .with_some("only", only.then_some("yes"))
        .with_some("refused", refused.then_some("yes"));
    Some(if refused && only {
        finding.as_severity(Severity::Fail)
    } else {
        finding
    })
}
