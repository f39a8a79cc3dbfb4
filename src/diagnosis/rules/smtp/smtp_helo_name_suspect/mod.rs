//! The EHLO name on port 25 costs reputation.

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
    let bare_address = text.parse::<std::net::IpAddr>().is_ok();
    let local = text.eq_ignore_ascii_case("localhost") || text.to_ascii_lowercase().starts_with("localhost.");
    let unqualified = !text.contains('.') && !text.starts_with('[');
    let kind = match tool {
        Some(_) => "name_of_tool",
        None if session.service != Service::Smtp || text.is_empty() => return None,
        None if bare_address => "name_bare_address",
        None if local => "name_localhost",
        None if unqualified => "name_unqualified",
        None if text.contains('_') => "name_underscore",
        None => return None,
    };
    Some(
        Finding::of(rule, Stage::Hello, Evidence::command(hello))
            .with("name", name)
            .with("kind", Value::Phrase(kind)),
    )
}
