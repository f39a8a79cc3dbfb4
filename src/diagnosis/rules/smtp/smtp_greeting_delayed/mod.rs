//! The greeting took its time.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::Verb;
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `smtp-greeting-delayed`.
pub static RULE: Rule = Rule {
    slug: "smtp-greeting-delayed",
    layer: Layer::Smtp,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: Some(84),
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &[
        "RFC 5321 4.5.3.2.1",
        "RFC 1413",
        "Cisco ESA \"What can cause the SMTP banner to be delayed\"",
        "Postfix POSTSCREEN_README",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let delay = session.timing.greeting.filter(|delay| delay.as_millis() >= 3500)?;
    let dialogue = session.smtp.as_deref()?;
    let greeting = dialogue.greeting.as_ref()?;
    let first = dialogue.greeting_began;
    // The client's FIN or QUIT before the greeting: it did not wait that long.
    let fin = session
        .connection
        .directions
        .to_server
        .fin
        .filter(|fin| fin.time < greeting.span.first().time);
    let quit = dialogue
        .exchanges
        .first()
        .filter(|one| one.verb == Verb::Quit && one.command.first().time < greeting.span.first().time);
    let gave_up = quit.map(|one| one.command.first()).or(fin);
    let opened = session
        .connection
        .handshake_ack
        .or(session.connection.directions.to_client.syn)?;
    let postscreen = first.filter(|first| greeting.span.last().time.since(first.time).as_secs() >= 3);
    Some(
        Finding::of(rule, Stage::Greeting, Evidence::reply(greeting))
            .with("delay", delay)
            .with_some("waited", gave_up.map(|stamp| stamp.time.since(opened.time)))
            .with_some(
                "postscreen",
                postscreen.map(|first| greeting.span.last().time.since(first.time)),
            )
            .as_severity(if gave_up.is_some() {
                Severity::Fail
            } else {
                rule.severity
            })
            .and_some(gave_up.map(|stamp| Evidence::frame(stamp, Some(Direction::ToServer), "the client gives up"))),
    )
}
