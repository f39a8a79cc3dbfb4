//! Duplicates made by the capture itself.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::session::Session;

/// `capture-artifacts`.
pub static RULE: Rule = Rule {
    slug: "capture-artifacts",
    layer: Layer::Capture,
    severity: Severity::Limit,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Capture],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 9293 3.1", "Wireshark checksum offloading notes"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let directions = &session.connection.directions;
    let copies = directions.to_server.capture_duplicates + directions.to_client.capture_duplicates;
    let large = directions
        .to_server
        .largest_segment
        .max(directions.to_client.largest_segment);
    if copies == 0 && large <= 9000 {
        return None;
    }
    let finding = Finding::of(
        rule,
        session.stage,
        Evidence::frame(
            session.connection.first,
            None,
            Note::of("copies of packets: {copies}, largest segment: {large} octets")
                .with("copies", copies)
                .with("large", large),
        ),
    );
    let finding = finding.with_some("copies", (copies > 0).then_some(copies));
    Some(finding.with_some("large", (large > 9000).then_some(large)))
}
