//! APOP was used: the password is open to guessing, the mail is readable.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

use super::evidence;

/// `apop-weak`.
pub static RULE: Rule = Rule {
    slug: "apop-weak",
    layer: Layer::Retrieval,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 1939 7", "RFC 6151 2", "IPA 2007-04-19 APOP notice", "Leurent 2007"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// Longest timestamp of ordinary servers, in octets; longer ones are crafted.
const USUAL_TIMESTAMP: usize = 200;

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (command, login) = evidence::logins(session).find(|(command, login)| {
        login.mechanism.equals_ignoring_case("APOP") && login.response.is_some() && evidence::in_clear(session, command)
    })?;
    let dialogue = session.retrieval.as_deref()?;
    let greeting = dialogue.greeting.as_ref();
    let timestamp = greeting.and_then(|one| one.timestamp.as_ref());
    let odd = timestamp
        .is_some_and(|one| one.bytes().len() > USUAL_TIMESTAMP || !one.bytes().iter().all(u8::is_ascii_graphic));
    Some(
        Finding::of(rule, Stage::Auth, Evidence::retrieval(command))
            .with_some("identity", login.identity.as_ref())
            .with_some("odd", timestamp.filter(|_| odd))
            .with_some("bodies", (dialogue.data_octets > 0).then_some(dialogue.data_octets))
            .and_some(greeting.map(|one| Evidence::quote(&one.span, &one.text))),
    )
}
