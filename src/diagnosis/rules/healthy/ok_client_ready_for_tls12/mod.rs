//! The client offers TLS 1.2 or newer on this service.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{DowngradeSentinel, Version, cipher_suite_name};
use crate::session::{Session, Stage};

/// `ok-client-ready-for-tls12`.
pub static RULE: Rule = Rule {
    slug: "ok-client-ready-for-tls12",
    layer: Layer::Healthy,
    severity: Severity::Ok,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8997", "RFC 8446 4.2.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref().filter(|_| session.service.is_for_users())?;
    let (client, server) = (tls.offer()?, tls.server_hello.as_ref()?);
    let offered = client.maximum();
    let modern = client.cipher_suites.iter().any(|suite| {
        cipher_suite_name(*suite).is_some_and(|name| {
            !name.contains("_anon_")
                && (name.contains("_ECDHE_") || name.contains("_GCM_") || name.contains("_POLY1305_"))
        })
    });
    let old = (server.version < Version::TLS1_2).then_some(server.version);
    let ready = old.filter(|_| server.sentinel == Some(DowngradeSentinel::CouldTls12));
    (offered >= Version::TLS1_2 && modern).then(|| {
        Finding::of(rule, Stage::Tls, Evidence::client_hello(client))
            .with("offered", offered)
            .with("port", session.connection.server.port)
            .with_some("old", old)
            .with_some("ready", ready.map(|_| "yes"))
    })
}
