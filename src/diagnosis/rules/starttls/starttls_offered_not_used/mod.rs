//! STARTTLS was on offer and the client stayed in clear.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::Verb;
use crate::session::{Service, Session, Stage};

/// `starttls-offered-not-used`.
pub static RULE: Rule = Rule {
    slug: "starttls-offered-not-used",
    layer: Layer::StartTls,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    references: &["RFC 3207 4", "RFC 7435", "RFC 8461", "RFC 7672", "RFC 8314 3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if session.tls.is_some() || session.quality.only_direction.is_some() {
        return None;
    }
    let span = super::evidence::offer(session)?;
    let asked = session
        .exchanges()
        .iter()
        .any(|exchange| matches!(exchange.verb, Verb::StartTls | Verb::XAnonymousTls))
        || session
            .commands()
            .iter()
            .any(|command| matches!(command.verb.bytes(), b"STARTTLS" | b"STLS"));
    let mirror = session.smtp.as_ref().is_some_and(|dialogue| dialogue.decrypting_mirror)
        || session
            .retrieval
            .as_ref()
            .is_some_and(|dialogue| dialogue.decrypting_mirror);
    if asked || mirror || !(super::evidence::sent_something(session) || session.service.is_for_users()) {
        return None;
    }
    let first = super::evidence::first_step(session);
    let relay = session.service == Service::Smtp && !super::evidence::password_in_clear(session);
    Some(
        Finding::of(rule, Stage::Hello, Evidence::quote(&span, "STARTTLS is on offer"))
            .with("port", session.connection.server.port)
            .with_some("relay", relay.then_some("yes"))
            .and_some(first),
    )
}
