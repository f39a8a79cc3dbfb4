//! The client found the server's Diffie-Hellman group too small.

use crate::diagnosis::rules::tls::evidence::{self, Meaning};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::alert_name;
use crate::session::{Session, Stage};

/// `tls-weak-dh-rejected`.
pub static RULE: Rule = Rule {
    slug: "tls-weak-dh-rejected",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(43),
    actors: &[Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "cert-weak-crypto",
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
        "tls-other-fatal-alert",
    ],
    leans_on_absence: false,
    references: &["RFC 7919 3", "RFC 9325 4.5", "RFC 5246 7.2.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (tls, alert) = evidence::alert_of(session, Meaning::WeakKeyExchange)?;
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with("code", alert.description)
            .with_some("alert", alert_name(alert.description))
            .with_some("bits", tls.dhe_bits)
            .with("wanted", evidence::STRONG_BITS)
            .and_some(tls.server_hello.as_ref().map(Evidence::server_hello)),
    )
}
