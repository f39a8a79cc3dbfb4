//! Only one direction of the session is in the capture.

use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::Session;
use crate::span::Direction;

/// `capture-one-way`.
pub static RULE: Rule = Rule {
    slug: "capture-one-way",
    layer: Layer::Capture,
    severity: Severity::Limit,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Capture],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 9293 3.4", "RFC 3449 2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let direction = session.quality.only_direction?;
    let first = session
        .connection
        .directions
        .get(direction)
        .first_data
        .unwrap_or(session.connection.first);
    let only = match direction {
        Direction::ToServer => Value::Phrase("client"),
        Direction::ToClient => Value::Phrase("server"),
    };
    Some(
        Finding::of(
            rule,
            session.stage,
            Evidence::frame(
                first,
                Some(direction),
                "data of one direction; the other side's ACKs prove more",
            ),
        )
        .with("only", only),
    )
}
