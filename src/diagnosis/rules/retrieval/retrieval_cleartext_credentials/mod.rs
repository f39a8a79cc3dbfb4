//! A POP3 or IMAP password crossed the path readable.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

use super::evidence;

/// `retrieval-cleartext-credentials`.
pub static RULE: Rule = Rule {
    slug: "retrieval-cleartext-credentials",
    layer: Layer::Retrieval,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8314 3.1-3.2", "RFC 1939 13"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (command, login) = evidence::logins(session)
        .find(|(command, login)| login.secret.is_some() && evidence::in_clear(session, command))?;
    let dialogue = session.retrieval.as_deref()?;
    let bodies = dialogue.data_octets;
    let messages: u32 = session
        .commands()
        .iter()
        .map(|one| one.messages)
        .fold(0, u32::saturating_add);
    Some(
        Finding::of(rule, Stage::Auth, Evidence::retrieval(command))
            .with("protocol", evidence::protocol_name(session))
            .with("mechanism", &login.mechanism)
            .with("port", session.connection.server.port)
            .with_some("identity", login.identity.as_ref())
            .with_some("messages", (bodies > 0 && messages > 0).then_some(messages))
            .and_some(command.answer.yes().map(|answer| Evidence::answer(command, answer))),
    )
}
