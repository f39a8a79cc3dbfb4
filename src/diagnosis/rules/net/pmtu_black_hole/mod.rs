//! Full-size segments vanish while small ones pass.

use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::session::Session;
use crate::span::Direction;

/// `pmtu-black-hole`.
pub static RULE: Rule = Rule {
    slug: "pmtu-black-hole",
    layer: Layer::Net,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(12),
    actors: &[Actor::Network],
    explains_away: &[
        "smtp-client-vanished",
        "smtp-data-no-final-reply",
        "smtp-server-421",
        "tcp-heavy-retransmission",
        "tcp-idle-dropped",
        "tls-clienthello-too-large",
        "tls-handshake-stalled",
    ],
    leans_on_absence: false,
    references: &[
        "RFC 1191",
        "RFC 2923 2.1",
        "RFC 4821",
        "RFC 8201",
        "Postfix FAQ \"Mail fails consistently with timeout or lost connection\"",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let connection = &session.connection;
    let (stuck, direction) = connection
        .stuck
        .iter()
        .filter(|stuck| {
            !stuck.acknowledged && stuck.retransmissions >= 3 && stuck.length >= 1000 && stuck.dont_fragment
        })
        .map(|stuck| (stuck, connection.directions.get(stuck.direction)))
        .next()?;
    let passed = direction.largest_acknowledged_segment;
    if passed >= stuck.length {
        return None;
    }
    let told = connection.icmp_errors.iter().find(|error| error.next_hop_mtu > 0);
    Some(
        Finding::of(
            rule,
            session.stage,
            Evidence::frame(
                stuck.first,
                Some(stuck.direction),
                Note::of("{length} octets, sent {times} times without an acknowledgment")
                    .with("length", stuck.length)
                    .with("times", stuck.retransmissions + 1),
            ),
        )
        .with("size", stuck.length)
        .with("tries", stuck.retransmissions + 1)
        .with("passed", passed)
        .with(
            "sender",
            if stuck.direction == Direction::ToServer {
                Value::Phrase("client")
            } else {
                Value::Phrase("server")
            },
        )
        .with_some("told", told.map(|error| error.next_hop_mtu))
        .and_some(told.map(Evidence::icmp)),
    )
}
