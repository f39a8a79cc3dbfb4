//! The message is a delivery status notification: what it says.

use crate::diagnosis::rules::message::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `msg-bounce-dsn`.
pub static RULE: Rule = Rule {
    slug: "msg-bounce-dsn",
    layer: Layer::Message,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 3464 2", "RFC 6522", "RFC 3463", "RFC 5321 4.5.5", "RFC 3834"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    evidence::messages(session).find_map(|seen| {
        let statuses = &seen.facts.delivery_statuses;
        let first = statuses
            .iter()
            .find(|status| status.action.equals_ignoring_case("failed"))
            .or(statuses.first())?;
        Some(
            Finding::of(
                rule,
                Stage::Data,
                Evidence::quote(seen.span, first.diagnostic.as_ref().unwrap_or(&first.status)),
            )
            .with("recipient", &first.final_recipient)
            .with("status", &first.status)
            .with_some("failed", first.action.equals_ignoring_case("failed").then_some("yes"))
            .with_some("delayed", first.action.equals_ignoring_case("delayed").then_some("yes"))
            .with("action", &first.action)
            .with_some("server", first.remote_mta.as_ref())
            .with_some("diagnostic", first.diagnostic.as_ref())
            .with_some("others", (statuses.len() > 1).then_some(statuses.len() - 1)),
        )
    })
}
