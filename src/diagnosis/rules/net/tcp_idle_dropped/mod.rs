//! The connection was silent, and then its packets got no answer any more.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::protocol::smtp::Verb;
use crate::session::Session;
use crate::tcp::Opening;

/// `tcp-idle-dropped`.
pub static RULE: Rule = Rule {
    slug: "tcp-idle-dropped",
    layer: Layer::Net,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(79),
    actors: &[Actor::Network, Actor::Client],
    explains_away: &[
        "smtp-client-vanished",
        "smtp-data-no-final-reply",
        "tcp-heavy-retransmission",
    ],
    leans_on_absence: false,
    references: &[
        "RFC 2177 3",
        "RFC 9051 5.4",
        "RFC 5382 REQ-5",
        "stalwartlabs/stalwart#3299",
        "chatmail/core#5096",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let connection = &session.connection;
    if connection.opening == Opening::SynOnly || session.quality.only_direction.is_some() {
        return None;
    }
    if farewell(session) {
        return None;
    }
    let closing = connection
        .directions
        .to_server
        .fin
        .or(connection.directions.to_client.fin);
    // Everything sent after the silence is repeated and never answered, or answered with a reset only.
    let stuck = connection
        .stuck
        .iter()
        .find(|stuck| !stuck.acknowledged && stuck.retransmissions >= 3 && stuck.length < 1000);
    let silence = connection
        .longest_silence
        .map(|(from, until)| (from, until, until.time.since(from.time)));
    let long = silence.filter(|(_, _, length)| length.as_secs() >= 60);
    let reset_after = long.and_then(|(_, until, _)| {
        connection
            .resets
            .iter()
            .find(|reset| {
                reset.stamp >= until
                    && reset.in_window
                    && !reset.after_fin
                    && closing.is_none_or(|fin| fin.frame > reset.stamp.frame)
            })
            .filter(|reset| reset.stamp.time.since(until.time).as_secs() < 10)
    });
    if let Some(stuck) = stuck
        && connection
            .directions
            .get(stuck.direction.opposite())
            .last
            .is_none_or(|last| last < stuck.first || last.time < stuck.last.time)
    {
        let idle = connection
            .directions
            .get(stuck.direction.opposite())
            .last
            .map(|last| stuck.first.time.since(last.time));
        return Some(
            Finding::of(
                rule,
                session.stage,
                Evidence::frame(
                    stuck.first,
                    Some(stuck.direction),
                    Note::of("{length} octets, sent {times} times without an answer")
                        .with("length", stuck.length)
                        .with("times", stuck.retransmissions + 1),
                ),
            )
            .with("tries", stuck.retransmissions + 1)
            .with("waited", stuck.last.time.since(stuck.first.time))
            .with_some("idle", idle.filter(|idle| idle.as_secs() >= 60))
            .and(Evidence::frame(
                stuck.last,
                Some(stuck.direction),
                "last retransmission",
            )),
        );
    }
    let (_, _, length) = long?;
    let reset = reset_after?;
    Some(
        Finding::of(
            rule,
            session.stage,
            Evidence::frame(reset.stamp, Some(reset.direction), "RST right after the silence"),
        )
        .with("idle", length)
        .with("reset", "yes"),
    )
}

fn farewell(session: &Session) -> bool {
    session
        .smtp
        .as_ref()
        .is_some_and(|dialogue| dialogue.unsolicited.iter().any(|reply| reply.code == 421))
        || session
            .exchanges()
            .iter()
            .any(|exchange| exchange.verb == Verb::Quit && exchange.reply.yes().is_some())
        || session
            .retrieval
            .as_ref()
            .is_some_and(|dialogue| dialogue.bye.is_some())
}
