//! The server marks that it could do a newer version.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{DowngradeSentinel, Version};
use crate::session::{Session, Stage};

/// `tls-downgrade-sentinel`.
pub static RULE: Rule = Rule {
    slug: "tls-downgrade-sentinel",
    layer: Layer::Tls,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: Some(45),
    actors: &[Actor::Network, Actor::Client],
    explains_away: &[],
    references: &["RFC 8446 4.1.3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let hello = tls.server_hello.as_ref()?;
    let sentinel = hello.sentinel?;
    let offered = tls.offer()?.maximum();
    let better = match sentinel {
        DowngradeSentinel::CouldTls13 => Version::TLS1_3,
        DowngradeSentinel::CouldTls12 => Version::TLS1_2,
    };
    let tampered = offered >= better && hello.version < better;
    let finding = Finding::of(rule, Stage::Tls, Evidence::server_hello(hello))
        .with("better", better)
        .with("chosen", hello.version)
        .with("offered", offered)
        .with_some("tampered", tampered.then_some("yes"));
    Some(if tampered {
        finding
    } else {
        finding.as_severity(Severity::Note)
    })
}
