//! The connection was refused by a reset or by an ICMP error.

use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::packet::IcmpError;
use crate::session::{Session, Stage};
use crate::span::Direction;
use crate::tcp::{ConnectionFacts, Opening, Reset};

/// `tcp-connection-refused`.
pub static RULE: Rule = Rule {
    slug: "tcp-connection-refused",
    layer: Layer::Net,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(11),
    actors: &[Actor::Server, Actor::Network],
    explains_away: &["tcp-syn-no-answer"],
    leans_on_absence: false,
    references: &["RFC 9293 3.10.7.1", "RFC 792", "RFC 4443 3.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let connection = &session.connection;
    // Octets of either side prove that the connection came about: then the SYN-ACK is missing from the capture only.
    let carried = Direction::BOTH
        .into_iter()
        .any(|direction| connection.directions.get(direction).octets > 0);
    if connection.opening != Opening::SynOnly || carried || client_went_on(connection) {
        return None;
    }
    if let Some(error) = connection.icmp_errors.iter().find(|error| is_unreachable(error)) {
        let filter = matches!((error.version6, error.code), (false, 9 | 10 | 13) | (true, 1 | 5 | 6));
        let name = icmp_name(error);
        return Some(
            Finding::of(rule, Stage::Connect, Evidence::icmp(error))
                .with("reporter", error.reporter.to_string())
                .with("meaning", Value::Phrase(name))
                .with("server", connection.server.to_string())
                .with("port", connection.server.port)
                .with_some("filter", filter.then_some("yes"))
                .and_some(
                    connection
                        .directions
                        .to_server
                        .syn
                        .map(|syn| Evidence::frame(syn, Some(Direction::ToServer), "SYN")),
                ),
        );
    }
    let reset = connection
        .resets
        .iter()
        .find(|reset| reset.direction == Direction::ToClient)?;
    Some(
        Finding::of(
            rule,
            Stage::Connect,
            Evidence::frame(reset.stamp, Some(Direction::ToClient), "RST, ACK to the SYN"),
        )
        .with("reset", "yes")
        .with("server", connection.server.to_string())
        .with("port", connection.server.port)
        .and_some(
            connection
                .directions
                .to_server
                .syn
                .map(|syn| Evidence::frame(syn, Some(Direction::ToServer), "SYN")),
        ),
    )
}

/// The client sent more than SYNs and resets: an ACK, which only an answer brings forth.
fn client_went_on(connection: &ConnectionFacts) -> bool {
    let to_server = &connection.directions.to_server;
    let of_client = |reset: &&Reset| reset.direction == Direction::ToServer;
    let resets = connection.resets.iter().filter(of_client).count() as u64;
    to_server.segments > 1 + u64::from(to_server.syn_retransmissions) + resets
}

/// Destination unreachable, but for "fragmentation needed".
const fn is_unreachable(error: &IcmpError) -> bool {
    if error.version6 {
        error.kind == 1
    } else {
        error.kind == 3 && error.code != 4
    }
}

const fn icmp_name(error: &IcmpError) -> &'static str {
    match (error.version6, error.code) {
        (false, 0) | (true, 0) => "icmp_network_unreachable",
        (false, 1) | (true, 3) => "icmp_host_unreachable",
        (false, 3) | (true, 4) => "icmp_port_unreachable",
        (false, 9 | 10 | 13) | (true, 1 | 5 | 6) => "icmp_prohibited",
        _ => "icmp_unreachable",
    }
}
