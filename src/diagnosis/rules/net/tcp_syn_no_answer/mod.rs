//! The SYN was sent again and again, and nothing answered.

use std::time::Duration;

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::session::{EndedBy, Session, Stage};
use crate::span::{Direction, Stamp};
use crate::tcp::Opening;

/// So long an answer may take: a client waits a second before it repeats its SYN (RFC 6298, section 2).
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// `tcp-syn-no-answer`.
pub static RULE: Rule = Rule {
    slug: "tcp-syn-no-answer",
    layer: Layer::Net,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(10),
    actors: &[Actor::Network],
    explains_away: &["smtp-no-greeting"],
    leans_on_absence: false,
    references: &["RFC 9293 3.8.1", "RFC 6298 5", "RFC 5321 4.5.3.2", "RFC 8305"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let connection = &session.connection;
    let to_server = &connection.directions.to_server;
    let syn = to_server.syn?;
    let last = to_server.last_syn.unwrap_or(syn);
    let silent = connection.icmp_errors.is_empty()
        && connection
            .resets
            .iter()
            .all(|reset| reset.direction == Direction::ToServer);
    if session.ended_by == EndedBy::Operator {
        // Whoever stopped watching did not wait for the answer.
        return None;
    }
    match connection.opening {
        // A client that speaks was answered, whatever of that is in the capture.
        Opening::SynOnly if silent && to_server.octets == 0 && to_server.syn_retransmissions >= 1 => {
            Some(modest_at_the_end(
                session,
                last,
                Finding::of(
                    rule,
                    Stage::Connect,
                    Evidence::frame(
                        syn,
                        Some(Direction::ToServer),
                        Note::of("SYN, sent {times} times").with("times", to_server.syn_retransmissions + 1),
                    ),
                )
                .with("server", connection.server.to_string())
                .with("port", connection.server.port)
                .with("tries", to_server.syn_retransmissions + 1)
                .with("waited", last.time.since(syn.time))
                .and(Evidence::frame(last, Some(Direction::ToServer), "last SYN")),
            ))
        }
        Opening::Handshake if half_open(session) => {
            let answer = connection.directions.to_client.syn?;
            Some(
                Finding::of(
                    rule,
                    Stage::Connect,
                    Evidence::frame(
                        answer,
                        Some(Direction::ToClient),
                        Note::of("SYN, ACK, sent {times} times")
                            .with("times", connection.directions.to_client.syn_retransmissions + 1),
                    ),
                )
                .with("half_open", "yes")
                .with("server", connection.server.to_string())
                .with("port", connection.server.port)
                .with("tries", connection.directions.to_client.syn_retransmissions + 1),
            )
        }
        _ => None,
    }
}

/// Where the capture ends just behind the second SYN, its answer may have come there: one lost SYN is nothing rare.
fn modest_at_the_end(session: &Session, last: Stamp, finding: Finding) -> Finding {
    let followed = session.capture_end.map(|end| end.time.since(last.time));
    let tries = session.connection.directions.to_server.syn_retransmissions + 1;
    if tries < 3 && followed.is_some_and(|followed| followed < ANSWER_TIME) {
        finding.as_sure_as(Confidence::Possible)
    } else {
        finding
    }
}

/// The server answered again and again, and the client's ACK never came: the way back is cut.
fn half_open(session: &Session) -> bool {
    let connection = &session.connection;
    connection.handshake_ack.is_none()
        && connection.directions.to_client.syn_retransmissions >= 1
        && connection.directions.to_server.octets == 0
        && connection.resets.is_empty()
}
