//! The EHLO name on port 25 costs reputation.

use std::net::IpAddr;

use crate::diagnosis::Value;
use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Service, Session, Stage};

/// `smtp-helo-name-suspect`.
pub static RULE: Rule = Rule {
    slug: "smtp-helo-name-suspect",
    layer: Layer::Smtp,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 5321 4.1.1.1, 4.1.3, 4.1.4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (hello, name) = facts::hello_name(session)?;
    let text = name.utf8()?.trim();
    let tool = ["mail.example.com", "openssl.client.net"]
        .iter()
        .find(|tool| text.eq_ignore_ascii_case(tool));
    let kind = match tool {
        Some(_) => "name_of_tool",
        None if session.service != Service::Smtp || text.is_empty() => return None,
        None if is_address(text) => "name_bare_address",
        None if is_localhost(text) => "name_localhost",
        None if !text.contains('.') && !text.starts_with('[') => "name_unqualified",
        None if text.contains('_') => "name_underscore",
        None => return None,
    };
    Some(
        Finding::of(rule, Stage::Hello, Evidence::command(hello))
            .with("name", name)
            .with("kind", Value::Phrase(kind)),
    )
}

/// An address without brackets. Most names have a letter that none has.
fn is_address(name: &str) -> bool {
    name.bytes()
        .all(|octet| octet.is_ascii_hexdigit() || matches!(octet, b':' | b'.'))
        && name.parse::<IpAddr>().is_ok()
}

/// "localhost", "localhost.localdomain".
fn is_localhost(name: &str) -> bool {
    let (name, behind) = name.as_bytes().split_at(name.len().min("localhost".len()));
    name.eq_ignore_ascii_case(b"localhost") && matches!(behind.first(), None | Some(b'.'))
}
