//! A weak cipher suite was negotiated.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{
    Weakness, cipher_suite_name, is_aead, is_cbc_sha1, is_ecdhe, is_ecdsa, is_static_rsa, is_weak,
};
use crate::session::Service;
use crate::session::{Session, Stage};

/// `tls-weak-cipher`.
pub static RULE: Rule = Rule {
    slug: "tls-weak-cipher",
    layer: Layer::Tls,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 7465", "RFC 9325 4.1, 4.2", "RFC 7435 3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = evidence::completed(session)?;
    let hello = tls.server_hello.as_ref()?;
    let suite = hello.cipher_suite;
    let weakness = is_weak(suite);
    let relay = session.service == Service::Smtp;
    let (severity, kind) = match weakness {
        // Between mail servers nobody checks certificates anyhow (RFC 7435).
        Some(Weakness::Anonymous) if relay => return None,
        Some(Weakness::NoEncryption) => (Severity::Risk, "null"),
        Some(Weakness::Anonymous) => (Severity::Risk, "anonymous"),
        Some(Weakness::Export | Weakness::Des | Weakness::Rc2) => (Severity::Risk, "short"),
        Some(Weakness::Rc4) => (Severity::Risk, "rc4"),
        Some(Weakness::TripleDes) => (Severity::Risk, "triple"),
        Some(Weakness::Md5) => (Severity::Risk, "md5"),
        None if is_static_rsa(suite) => (Severity::Note, "static"),
        None if is_cbc_sha1(suite) => (Severity::Note, "cbc"),
        None => return None,
    };
    let choice = tls.offer().is_some_and(|offer| {
        evidence::suites(offer).any(|other| is_aead(other) && is_ecdhe(other) && !is_ecdsa(other))
    });
    Some(
        Finding::of(rule, Stage::Tls, Evidence::server_hello(hello))
            .as_severity(severity)
            .with_some("suite", cipher_suite_name(suite))
            .with(kind, "yes")
            .with_some("choice", choice.then_some("yes"))
            .with_some("only", (!choice).then_some("yes")),
    )
}
