//! A retry with a lowered version was refused with alert 86.

use crate::diagnosis::rules::tls::evidence::{self, Meaning};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::ClientHello;
use crate::session::{Session, Stage};

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
    references: &["RFC 7507 3, 4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (tls, alert) = evidence::alert_of(session, Meaning::Fallback)?;
    let hello = tls.offer();
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with_some("offered", hello.map(ClientHello::maximum))
            .with_some("marked", hello.filter(|hello| hello.fallback_scsv).map(|_| "yes"))
            .and_some(hello.map(Evidence::client_hello)),
    )
}
