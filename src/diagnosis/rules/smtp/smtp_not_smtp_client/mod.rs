//! The client speaks another protocol.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `smtp-not-smtp-client`.
pub static RULE: Rule = Rule {
    slug: "smtp-not-smtp-client",
    layer: Layer::Smtp,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: Some(25),
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 5321 4.5.1", "Postfix smtpd_forbidden_commands"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let foreign = session.smtp.as_deref()?.foreign.as_ref()?;
    Some(
        Finding::of(rule, Stage::Greeting, Evidence::quote(&foreign.span, &foreign.first))
            .with("protocol", foreign.looks_like)
            .with("client", session.connection.client.address.to_string()),
    )
}
