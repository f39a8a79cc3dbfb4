//! The client spoke before the greeting was complete.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::{Reply, Verb};
use crate::session::{Session, Stage};

/// `smtp-early-talker`.
pub static RULE: Rule = Rule {
    slug: "smtp-early-talker",
    layer: Layer::Smtp,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: Some(24),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-greeting-delayed",
        "smtp-greeting-refused",
        "smtp-pipelining-violation",
        "smtp-server-421",
        "tcp-reset-mid-session",
    ],
    leans_on_absence: false,
    references: &[
        "RFC 5321 3.1, 4.3.1",
        "Postfix POSTSCREEN_README",
        "Exim smtp_enforce_sync",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let dialogue = session.smtp.as_deref()?;
    let early = dialogue.early_talk.as_ref()?;
    let gave_up = dialogue.exchanges.first().is_some_and(|first| first.verb == Verb::Quit);
    if dialogue.preamble.is_some() || dialogue.foreign.is_some() || gave_up {
        return None;
    }
    let refused = refusal_for_it(session);
    // Without a refusal, packets that crossed on the way must not look like impatience.
    if refused.is_none() {
        let greeting = dialogue.greeting.as_ref()?;
        let gap = greeting.span.last().time.since(early.first.time);
        let half = session.connection.round_trip.unwrap_or_default() / 2;
        if gap <= half.max(std::time::Duration::from_millis(20)) {
            return None;
        }
    }
    let decisive = match refused {
        Some(reply) => Evidence::reply(reply),
        None => Evidence::quote(early, "client octets before the end of the greeting"),
    };
    let finding = Finding::of(rule, Stage::Greeting, decisive).with_some("reply", refused.map(facts::words).as_ref());
    Some(if refused.is_some() {
        finding
            .as_severity(Severity::Fail)
            .and(Evidence::quote(early, "client octets before the end of the greeting"))
    } else {
        finding
    })
}

/// The server's refusal of the early talk: in place of the greeting, or in words later.
fn refusal_for_it(session: &Session) -> Option<&Reply> {
    let dialogue = session.smtp.as_deref()?;
    let worded = |reply: &Reply| {
        facts::says_any(
            reply,
            &[
                "synchronization",
                "synchronisation",
                "protocol error",
                "pregreet",
                "before greeting",
                "command rejected",
                "not waited",
            ],
        )
    };
    let went_well = dialogue
        .exchanges
        .iter()
        .filter_map(|exchange| exchange.reply.yes().filter(|reply| reply.class() == 2))
        .map(|reply| reply.span.first().frame)
        .min();
    // Behind a command that was accepted, a refusal is about something else.
    let unsolicited = dialogue
        .unsolicited
        .iter()
        .filter(|reply| went_well.is_none_or(|frame| reply.span.first().frame < frame));
    dialogue
        .greeting
        .iter()
        .filter(|greeting| greeting.class() >= 4)
        .chain(unsolicited.filter(|reply| reply.class() >= 4))
        .chain(
            dialogue
                .exchanges
                .iter()
                .filter_map(facts::refusal)
                .filter(|reply| worded(reply)),
        )
        .next()
}
