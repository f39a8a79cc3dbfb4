//! The client insists on APOP, which this server does not have.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

use super::evidence;

/// `apop-not-possible`.
pub static RULE: Rule = Rule {
    slug: "apop-not-possible",
    layer: Layer::Retrieval,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(52),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &["retrieval-auth-failed", "smtp-client-vanished", "tcp-reset-mid-session"],
    leans_on_absence: false,
    references: &["RFC 1939 4, 7", "RFC 2449 5"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let dialogue = session.retrieval.as_deref()?;
    let greeting = dialogue.greeting.as_ref()?;
    let (command, answer) = evidence::logins(session)
        .filter(|(_, login)| login.mechanism.equals_ignoring_case("APOP"))
        .find_map(|(command, _)| {
            let answer = evidence::refusal(command)?;
            let impossible = greeting.timestamp.is_none() || evidence::says_no_apop(answer);
            let otherwise = evidence::is_busy(answer);
            // Another way in with the same data shows that the password was right and APOP was not.
            ((impossible || evidence::logged_in(session)) && !otherwise).then_some((command, answer))
        })?;
    let by_password = evidence::logged_in(session);
    Some(
        Finding::of(rule, Stage::Auth, Evidence::answer(command, answer))
            .as_severity(if by_password { Severity::Note } else { Severity::Fail })
            .with("reply", &evidence::words(command, answer))
            .with_some("without", greeting.timestamp.is_none().then_some("yes"))
            .with_some("by_password", by_password.then_some("yes"))
            .and(Evidence::quote(&greeting.span, &greeting.text))
            .and(Evidence::retrieval(command)),
    )
}
