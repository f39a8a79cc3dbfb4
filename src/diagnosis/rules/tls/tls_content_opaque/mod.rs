//! From here on the content is encrypted.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{Phase, Version};
use crate::session::{Session, Stage};

/// `tls-content-opaque`.
pub static RULE: Rule = Rule {
    slug: "tls-content-opaque",
    layer: Layer::Tls,
    severity: Severity::Limit,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Capture],
    explains_away: &[],
    references: &["RFC 8446 2, 4.4", "RFC 5077", "RFC 5246 7.3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session
        .tls
        .as_deref()
        .filter(|tls| !tls.decrypted && tls.phase >= Phase::AfterHandshake)?;
    let record = tls.records.iter().find(|record| record.encrypted)?;
    let thirteen = tls
        .server_hello
        .as_ref()
        .is_some_and(|hello| hello.version == Version::TLS1_3);
    Some(
        Finding::of(
            rule,
            Stage::Encrypted,
            Evidence::frame(record.stamp, Some(record.direction), "first encrypted record"),
        )
        .with_some("thirteen", thirteen.then_some("yes"))
        .with_some("resumed", tls.resumed().then_some("yes")),
    )
}
