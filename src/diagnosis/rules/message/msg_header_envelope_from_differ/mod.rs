//! The domain of header From is not the domain of the envelope sender.

use super::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `msg-header-envelope-from-differ`.
pub static RULE: Rule = Rule {
    slug: "msg-header-envelope-from-differ",
    layer: Layer::Message,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    references: &["RFC 5321 3.3, 7.1", "RFC 5322 3.6.2", "RFC 7489 3.1", "RFC 8601"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    evidence::messages(session).find_map(|shown| {
        let transaction = shown
            .transaction
            .filter(|transaction| !transaction.reverse_path.is_empty())?;
        let from = shown.message.from.first()?;
        let (header, envelope) = (
            evidence::domain(&from.address)?,
            evidence::domain(&transaction.reverse_path)?,
        );
        if header == envelope {
            return None;
        }
        let same = evidence::organisation(&header) == evidence::organisation(&envelope);
        let list = shown.message.mailing_list;
        let grade = match (list, same) {
            (true, _) => "list",
            (false, true) => "related",
            (false, false) => "unrelated",
        };
        let text = format!("From: domain {}", String::from_utf8_lossy(header.bytes()));
        Some(
            Finding::of(rule, Stage::Data, Evidence::quote(shown.span, text))
                .with("header", &header)
                .with("envelope", &envelope)
                .with(grade, "yes")
                .with_some(
                    "sender",
                    shown
                        .message
                        .sender
                        .as_ref()
                        .and_then(|sender| evidence::domain(&sender.address))
                        .as_ref(),
                )
                .with_some("results", shown.message.authentication_results.first())
                .and_some(shown.mail.map(Evidence::command)),
        )
    })
}
