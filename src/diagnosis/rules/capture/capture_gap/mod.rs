//! Octets are missing that the receiver acknowledged: lost by the capture, not by the network.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::session::Session;

/// `capture-gap`.
pub static RULE: Rule = Rule {
    slug: "capture-gap",
    layer: Layer::Capture,
    severity: Severity::Limit,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Capture],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 9293 3.10.7", "Wireshark \"TCP ACKed unseen segment\" Q&A"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let gap = session
        .connection
        .gaps
        .iter()
        .find(|gap| gap.acknowledged && !gap.cut_by_snap_length)?;
    let directions = &session.connection.directions;
    let missing = directions.to_server.missing_octets + directions.to_client.missing_octets;
    Some(
        Finding::of(
            rule,
            session.stage,
            Evidence::frame(
                gap.found_at,
                Some(gap.direction),
                Note::of("octets missing before this frame, acknowledged by the receiver: {length}")
                    .with("length", gap.length),
            ),
        )
        .with("octets", missing)
        .with("gaps", directions.to_server.gaps + directions.to_client.gaps),
    )
}
