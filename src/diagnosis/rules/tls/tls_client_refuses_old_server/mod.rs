//! The server chose an old version and the client refused it.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::Phase;
use crate::protocol::tls::alert_name;
use crate::session::{Session, Stage};
use crate::span::Role;

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
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
    ],
    references: &[
        "RFC 8996 4-5",
        "RFC 8446 6.2",
        "nanashinonozomi.com goo mail 2021-01-11",
        "netarium.jp Thunderbird 78",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let hello = tls.server_hello.as_ref()?;
    let alert = evidence::fatal(tls, Role::Client)
        .find(|alert| alert.description == 70 && alert.phase >= Phase::AfterServerHello)?;
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with("alert", alert.description)
            .with("alert_name", alert_name(alert.description).unwrap_or("unassigned"))
            .with("chosen", hello.version)
            .with_some("offered", tls.offer().map(|offer| offer.maximum()))
            .and(Evidence::server_hello(hello))
            .and_some(tls.offer().map(Evidence::client_hello)),
    )
}
