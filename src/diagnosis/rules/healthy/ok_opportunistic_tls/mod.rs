//! Two mail servers use TLS without a certificate that could be verified: usual on port 25.

use crate::diagnosis::Value;
use crate::diagnosis::rules::cert::evidence::accepted_fault;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{Phase, cipher_suite_name};
use crate::session::{Service, Session, Stage};

/// `ok-opportunistic-tls`.
pub static RULE: Rule = Rule {
    slug: "ok-opportunistic-tls",
    layer: Layer::Healthy,
    severity: Severity::Ok,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 3207 4.1", "RFC 7435", "RFC 7672 1.3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if session.service != Service::Smtp || !session.upgraded() {
        return None;
    }
    let tls = session.tls.as_deref()?;
    if let Some((fault, message)) = accepted_fault(session) {
        let leaf = message.certificates.first()?;
        return Some(
            Finding::of(rule, Stage::Tls, Evidence::quote(&message.span, &leaf.subject))
                .with("fault", Value::Phrase(fault)),
        );
    }
    let hello = tls.server_hello.as_ref()?;
    let name = cipher_suite_name(hello.cipher_suite).filter(|name| name.contains("_anon_"))?;
    let used = tls.phase >= Phase::AfterApplicationData && tls.directions.to_server.application_records >= 2;
    used.then(|| Finding::of(rule, Stage::Tls, Evidence::server_hello(hello)).with("anonymous", name))
}
