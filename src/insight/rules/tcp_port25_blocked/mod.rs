//! Port 25 gets no answer at several servers while other ports of them do.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::insight::digest::Digest;
use crate::insight::history::Insight;
use crate::insight::window::Window;
use crate::session::{Outcome, Stage};
use crate::span::Direction;

/// `tcp-port25-blocked`.
pub static RULE: Rule = Rule {
    slug: "tcp-port25-blocked",
    layer: Layer::Net,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(10),
    actors: &[Actor::Network],
    explains_away: &[],
    leans_on_absence: false,
    references: &[
        "RFC 5068 3.1",
        "RFC 6409 3.1",
        "RFC 8314 3.3",
        "Sakura Internet OP25B notice 2006-10-16",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    window
        .by_client()
        .filter(|sessions| sessions.len() > 1)
        .filter_map(|sessions| of_client(rule, sessions))
        .collect()
}

fn of_client(rule: &'static Rule, sessions: &[&Digest]) -> Option<Insight> {
    let blocked: Vec<&Digest> = sessions
        .iter()
        .copied()
        .filter(|digest| {
            digest.server.port == 25
                && digest.outcome == Outcome::NoConnection
                && digest.root_cause == Some("tcp-syn-no-answer")
        })
        .collect();
    let servers: BTreeSet<IpAddr> = blocked.iter().map(|digest| digest.server.address).collect();
    let other = sessions
        .iter()
        .copied()
        .find(|digest| digest.server.port != 25 && digest.outcome != Outcome::NoConnection);
    let works = sessions
        .iter()
        .any(|digest| digest.server.port == 25 && digest.outcome != Outcome::NoConnection);
    if servers.len() < 2 || works {
        return None;
    }
    let first = blocked.first()?;
    let evidence = blocked.iter().skip(1).take(3).map(|digest| {
        Evidence::frame(
            digest.first,
            Some(Direction::ToServer),
            Note::of("SYN to {server}, no answer").with("server", digest.server.to_string()),
        )
    });
    let mut finding = Finding::of(
        rule,
        Stage::Connect,
        Evidence::frame(
            first.first,
            Some(Direction::ToServer),
            Note::of("SYN to {server}, no answer").with("server", first.server.to_string()),
        ),
    )
    .as_sure_as(if other.is_some() {
        Confidence::Likely
    } else {
        Confidence::Possible
    })
    .with("client", first.client.address.to_string())
    .with("servers", servers.len())
    .with_some("other", other.map(|digest| digest.server.to_string()));
    finding.evidence.extend(evidence);
    Some(Insight::on(finding, blocked.iter().copied().chain(other)))
}
