//! The server refused a version that the client lowered on purpose (alert 86).

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::alert_name;
use crate::session::{Session, Stage};
use crate::span::Role;

/// `tls-inappropriate-fallback`.
pub static RULE: Rule = Rule {
    slug: "tls-inappropriate-fallback",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(45),
    actors: &[Actor::Client, Actor::Network],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
    ],
    references: &["RFC 7507 3-4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let alert = evidence::fatal(tls, Role::Server).find(|alert| alert.description == 86)?;
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with("alert", alert.description)
            .with("alert_name", alert_name(alert.description).unwrap_or("unassigned"))
            .with_some("offered", tls.offer().map(|offer| offer.maximum()))
            .and_some(tls.offer().map(Evidence::client_hello)),
    )
}
