//! A weak cipher suite was negotiated.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{cipher_suite_name, is_anonymous, is_weak};
use crate::session::{Service, Session, Stage};

/// `tls-weak-cipher`.
pub static RULE: Rule = Rule {
    slug: "tls-weak-cipher",
    layer: Layer::Tls,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[],
    references: &["RFC 7465", "RFC 9325 4.1-4.2", "RFC 7435 3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let hello = session.tls.as_deref()?.server_hello.as_ref()?;
    is_weak(hello.cipher_suite)?;
    // Between mail servers an anonymous suite is opportunistic encryption: better than none.
    if is_anonymous(hello.cipher_suite) && session.service == Service::Smtp {
        return None;
    }
    let name =
        cipher_suite_name(hello.cipher_suite).map_or_else(|| format!("0x{:04x}", hello.cipher_suite), str::to_owned);
    Some(Finding::of(rule, Stage::Tls, Evidence::server_hello(hello)).with("suite", name))
}
