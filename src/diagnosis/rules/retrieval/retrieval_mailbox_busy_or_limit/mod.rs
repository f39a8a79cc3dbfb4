//! The server refused because mailbox, account or server is taken or out of order for now.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Outcome, Session, Stage};

use super::evidence;

/// `retrieval-mailbox-busy-or-limit`.
pub static RULE: Rule = Rule {
    slug: "retrieval-mailbox-busy-or-limit",
    layer: Layer::Retrieval,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(57),
    actors: &[Actor::Server, Actor::Client],
    explains_away: &["smtp-client-vanished", "tcp-reset-mid-session"],
    leans_on_absence: false,
    references: &["RFC 2449 6.5, 8.1", "RFC 3206 4", "RFC 5530 3", "RFC 9051 7.1.5"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let dialogue = session.retrieval.as_deref()?;
    if dialogue.foreign.is_some() {
        return None;
    }
    let refused = session.commands().iter().find_map(|command| {
        Some((
            command,
            evidence::refusal(command).filter(|answer| evidence::is_busy(answer))?,
        ))
    });
    let (decisive, reply, code) = if let Some((command, answer)) = refused {
        (
            Evidence::answer(command, answer),
            evidence::words(command, answer),
            answer.code.clone(),
        )
    } else if let Some(greeting) = dialogue.greeting.as_ref().filter(|one| {
        (one.kind.equals_ignoring_case("-ERR") || one.kind.equals_ignoring_case("BYE"))
            && evidence::says_busy(&one.text)
    }) {
        (
            Evidence::quote(&greeting.span, &greeting.text),
            greeting.text.clone(),
            None,
        )
    } else {
        let (text, span) = dialogue.bye.as_ref().filter(|(text, _)| evidence::says_busy(text))?;
        (Evidence::quote(span, text), text.clone(), None)
    };
    let is = |names: &[&str], words: &[&str]| {
        code.as_ref()
            .is_some_and(|one| names.iter().any(|name| one.equals_ignoring_case(name)))
            || evidence::says_any(&reply, words)
    };
    let locked = is(&["IN-USE", "INUSE"], &["[in-use]", "[inuse]", "lock", "in use"]);
    let often = is(&["LOGIN-DELAY"], &["[login-delay]", "wait interval", "frequent"]);
    let many = is(&["LIMIT"], &["[limit]", "too many", "maximum number"]);
    let system = is(
        &["SYS/TEMP", "SYS/PERM", "UNAVAILABLE", "SERVERBUG"],
        &["[sys/", "[unavailable]"],
    );
    let passed = session.outcome == Outcome::LoggedIn;
    Some(
        Finding::of(rule, session.stage.min(Stage::Mailbox), decisive)
            .as_severity(if passed { Severity::Note } else { Severity::Fail })
            .with("protocol", evidence::protocol_name(session))
            .with("reply", &reply)
            .with_some("locked", locked.then_some("yes"))
            .with_some("often", (often && !locked).then_some("yes"))
            .with_some("many", (many && !locked && !often).then_some("yes"))
            .with_some("system", (system && !locked && !often && !many).then_some("yes")),
    )
}
