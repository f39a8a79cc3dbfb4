//! No common application protocol (alert 120).

use crate::diagnosis::Value;
use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::alert_name;
use crate::session::{Session, Stage};
use crate::span::Role;

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
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
    ],
    references: &[
        "RFC 7301 3.2",
        "Exim tls_alpn / \"TLS ALPN rejected\"",
        "ALPACA attack paper",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let alert = evidence::fatal(tls, Role::Server).find(|alert| alert.description == 120)?;
    let names: Vec<crate::captured::Captured> = tls.offer().map(|offer| offer.alpn.clone()).unwrap_or_default();
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with("alert", alert.description)
            .with("alert_name", alert_name(alert.description).unwrap_or("unassigned"))
            .with_some(
                "names",
                (!names.is_empty()).then(|| Value::List(names.iter().map(Into::into).collect())),
            )
            .and_some(tls.offer().map(Evidence::client_hello)),
    )
}
