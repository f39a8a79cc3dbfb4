//! The client refused a Diffie-Hellman group that is too small.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::alert_name;
use crate::session::{Session, Stage};
use crate::span::Role;

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
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-other-fatal-alert",
    ],
    references: &["RFC 7919 3", "RFC 9325 4.5", "RFC 5246 7.2.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let bits = tls.dhe_bits.filter(|bits| *bits < 2048)?;
    let alert = evidence::fatal(tls, Role::Client).find(|alert| matches!(alert.description, 40 | 47 | 71 | 80))?;
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with("alert", alert.description)
            .with("alert_name", alert_name(alert.description).unwrap_or("unassigned"))
            .with("bits", bits)
            .and_some(tls.offer().map(Evidence::client_hello)),
    )
}
