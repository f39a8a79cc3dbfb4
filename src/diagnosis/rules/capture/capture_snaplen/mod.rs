//! Packets of the session were cut by a snap length.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::session::Session;

/// `capture-snaplen`.
pub static RULE: Rule = Rule {
    slug: "capture-snaplen",
    layer: Layer::Capture,
    severity: Severity::Limit,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Capture],
    explains_away: &[],
    leans_on_absence: false,
    references: &[
        "pcap savefile format",
        "Wireshark \"Packet size limited during capture\"",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let directions = &session.connection.directions;
    let cut = directions.to_server.cut_segments + directions.to_client.cut_segments;
    if cut == 0 {
        return None;
    }
    let stamp = session
        .connection
        .gaps
        .iter()
        .find(|gap| gap.cut_by_snap_length)
        .map_or(session.connection.first, |gap| gap.found_at);
    Some(
        Finding::of(
            rule,
            session.stage,
            Evidence::frame(
                stamp,
                None,
                Note::of("segments shorter in the file than on the wire: {cut}").with("cut", cut),
            ),
        )
        .with("cut", cut),
    )
}
