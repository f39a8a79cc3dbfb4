//! The greeting took its time.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `smtp-greeting-delayed`.
pub static RULE: Rule = Rule {
    slug: "smtp-greeting-delayed",
    layer: Layer::Smtp,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: Some(84),
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[],
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
    let postscreen = first.filter(|first| greeting.span.last.time.since(first.time).as_secs() >= 3);
    Some(
        Finding::of(rule, Stage::Greeting, Evidence::reply(greeting))
            .with("delay", delay)
            .with_some(
                "postscreen",
                postscreen.map(|first| greeting.span.last.time.since(first.time)),
            ),
    )
}
