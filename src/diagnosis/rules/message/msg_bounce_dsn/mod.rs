//! The message reports that another message was not delivered, or late.

use super::evidence;
use crate::diagnosis::Value;
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
    references: &["RFC 3464 2", "RFC 6522", "RFC 3463", "RFC 5321 4.5.5", "RFC 3834"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    evidence::messages(session).find_map(|shown| {
        let statuses = &shown.message.delivery_statuses;
        let report = shown
            .message
            .report_type
            .as_ref()
            .is_some_and(|kind| kind.equals_ignoring_case("delivery-status"));
        if !report && statuses.is_empty() {
            return None;
        }
        let failed = statuses
            .iter()
            .find(|status| status.action.equals_ignoring_case("failed"));
        let finding = Finding::of(
            rule,
            Stage::Data,
            Evidence::quote(shown.span, "multipart/report; report-type=delivery-status"),
        );
        let Some(status) = failed.or(statuses.first()) else {
            return Some(finding);
        };
        let subject = status
            .status
            .bytes()
            .split(|byte| *byte == b'.')
            .nth(1)
            .and_then(phrase);
        let others = (statuses.len() as u64)
            .saturating_sub(1)
            .saturating_add(shown.message.delivery_statuses_not_kept);
        let delayed = status.action.equals_ignoring_case("delayed");
        let good = failed.is_none() && !delayed;
        Some(
            finding
                .with("recipient", &status.final_recipient)
                .with("action", &status.action)
                .with("status", &status.status)
                .with_some("subject", subject.map(Value::Phrase))
                .with_some("remote", status.remote_mta.as_ref())
                .with_some("diagnostic", status.diagnostic.as_ref())
                .with_some("others", (others > 0).then_some(others))
                .with_some("failed", failed.map(|_| "yes"))
                .with_some("delayed", delayed.then_some("yes"))
                .with_some("good", good.then_some("yes")),
        )
    })
}

fn phrase(subject: &[u8]) -> Option<&'static str> {
    Some(match subject {
        b"1" => "dsn_1",
        b"2" => "dsn_2",
        b"3" => "dsn_3",
        b"4" => "dsn_4",
        b"5" => "dsn_5",
        b"6" => "dsn_6",
        b"7" => "dsn_7",
        _ => return None,
    })
}
