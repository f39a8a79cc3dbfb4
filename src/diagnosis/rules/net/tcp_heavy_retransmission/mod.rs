//! Many segments had to be sent again.

use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::session::Session;
use crate::span::Direction;

/// `tcp-heavy-retransmission`.
pub static RULE: Rule = Rule {
    slug: "tcp-heavy-retransmission",
    layer: Layer::Net,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: Some(83),
    actors: &[Actor::Network],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 6298", "RFC 5681"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (direction, facts) = Direction::BOTH
        .into_iter()
        .map(|direction| (direction, session.connection.directions.get(direction)))
        .max_by_key(|(_, facts)| facts.retransmissions)?;
    let share = facts.retransmissions as f64 / facts.data_segments.max(1) as f64;
    let heavy = (facts.retransmissions >= 5 && share > 0.03) || facts.retransmission_timeouts >= 3;
    if !heavy {
        return None;
    }
    let stamp = session
        .connection
        .stuck
        .first()
        .map(|stuck| stuck.first)
        .or(facts.last_data)?;
    Some(
        Finding::of(
            rule,
            session.stage,
            Evidence::frame(
                stamp,
                Some(direction),
                Note::of("{again} of {all} segments sent again")
                    .with("again", facts.retransmissions)
                    .with("all", facts.data_segments),
            ),
        )
        .with("count", facts.retransmissions)
        .with("segments", facts.data_segments)
        .with(
            "sender",
            if direction == Direction::ToServer {
                Value::Phrase("client")
            } else {
                Value::Phrase("server")
            },
        ),
    )
}
