//! The first reply is a refusal instead of 220.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `smtp-greeting-refused`.
pub static RULE: Rule = Rule {
    slug: "smtp-greeting-refused",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(23),
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-no-greeting",
        "smtp-server-421",
    ],
    leans_on_absence: true,
    references: &["RFC 5321 3.1, 4.2.1", "RFC 7504 3-4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let dialogue = session.smtp.as_deref()?;
    let greeting = dialogue.greeting.as_ref().filter(|greeting| greeting.class() >= 4)?;
    if dialogue.early_talk.is_some() {
        return None;
    }
    let never = greeting.code == 521 || greeting.says("does not accept mail") || greeting.says("no smtp service here");
    let many = facts::says_any(
        greeting,
        &[
            "too many connections",
            "connection limit",
            "too many concurrent",
            "rate limit",
        ],
    );
    Some(
        Finding::of(rule, Stage::Greeting, Evidence::reply(greeting))
            .with("reply", &facts::words(greeting))
            .with_some("later", (greeting.class() == 4).then_some("yes"))
            .with_some("never", never.then_some("yes"))
            .with_some("many", many.then_some("yes")),
    )
}
