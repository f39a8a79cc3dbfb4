//! The server refused a login because it was not protected by TLS.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

use super::evidence;

/// `retrieval-plaintext-disallowed`.
pub static RULE: Rule = Rule {
    slug: "retrieval-plaintext-disallowed",
    layer: Layer::Retrieval,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(51),
    actors: &[Actor::Client],
    explains_away: &["retrieval-auth-failed", "smtp-client-vanished", "tcp-reset-mid-session"],
    leans_on_absence: false,
    references: &["RFC 2595 3.2", "RFC 9051 6.2.3, 7.2.2", "RFC 5530 3", "RFC 8314 4.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if evidence::logged_in(session) {
        return None;
    }
    let dialogue = session.retrieval.as_deref()?;
    let disabled = dialogue.capabilities.iter().find(|list| {
        list.keywords
            .iter()
            .any(|word| word.equals_ignoring_case("LOGINDISABLED"))
    });
    let refused = session.commands().iter().find_map(|command| {
        let answer = evidence::refusal(command)?;
        let of_login = command.login.is_some() || command.verb.equals_ignoring_case("USER");
        let announced = disabled.is_some_and(|list| list.span.first.frame < command.span.first.frame)
            && command.verb.equals_ignoring_case("LOGIN");
        let hidden = evidence::in_clear(session, command);
        (of_login && hidden && (evidence::wants_tls(answer) || announced)).then_some((command, answer))
    });
    let (command, answer) = refused?;
    let warned = dialogue
        .warnings
        .iter()
        .find(|(text, _)| evidence::says_any(text, &["plaintext authentication"]));
    let exposed = command.login.as_ref().is_some_and(|login| login.secret.is_some());
    Some(
        Finding::of(rule, Stage::Auth, Evidence::answer(command, answer))
            .with("protocol", evidence::protocol_name(session))
            .with("reply", &evidence::words(command, answer))
            .with_some("disabled", disabled.map(|_| "LOGINDISABLED"))
            .with_some("exposed", exposed.then_some("yes"))
            .and(Evidence::retrieval(command))
            .and_some(disabled.map(|list| Evidence::quote(&list.span, "CAPABILITY … LOGINDISABLED")))
            .and_some(warned.map(|(text, span)| Evidence::quote(span, text))),
    )
}
