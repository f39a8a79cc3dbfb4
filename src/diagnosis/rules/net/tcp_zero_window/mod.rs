//! A side stopped reading for five seconds or more.

use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::Session;
use crate::span::Direction;

/// `tcp-zero-window`.
pub static RULE: Rule = Rule {
    slug: "tcp-zero-window",
    layer: Layer::Net,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: Some(82),
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 9293 3.8.6.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (zero, length) = session
        .connection
        .zero_windows
        .iter()
        .map(|zero| (zero, zero.until.time.since(zero.from.time)))
        .filter(|(_, length)| length.as_secs() >= 5)
        .max_by_key(|(_, length)| *length)?;
    let receiver = zero.blocked.opposite();
    Some(
        Finding::of(
            rule,
            session.stage,
            Evidence::frame(zero.from, Some(receiver), "window 0"),
        )
        .with(
            "receiver",
            if receiver == Direction::ToClient {
                Value::Phrase("server")
            } else {
                Value::Phrase("client")
            },
        )
        .with("length", length)
        .with_some("reopened", zero.reopened.then_some("yes"))
        .and(Evidence::frame(
            zero.until,
            None,
            if zero.reopened {
                "window open again"
            } else {
                "still closed"
            },
        )),
    )
}
