//! A challenge-response login without TLS.

use crate::diagnosis::rules::facts;
use crate::diagnosis::rules::retrieval::evidence::in_clear;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `auth-cram-md5-exposed`.
pub static RULE: Rule = Rule {
    slug: "auth-cram-md5-exposed",
    layer: Layer::Auth,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 2195", "RFC 6331", "RFC 8314", "RFC 5802 9"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    submission(rule, session).or_else(|| retrieval(rule, session))
}

/// POP3 and IMAP; APOP has a rule of its own.
fn retrieval(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (command, login) = session.commands().iter().find_map(|command| {
        let login = command.login.as_deref()?;
        let told = login.response.is_some()
            && login.secret.is_none()
            && !login.mechanism.equals_ignoring_case("APOP")
            && in_clear(session, command);
        told.then_some((command, login))
    })?;
    let bodies = session
        .retrieval
        .as_ref()
        .is_some_and(|dialogue| dialogue.data_octets > 0);
    Some(
        Finding::of(rule, Stage::Auth, Evidence::retrieval(command))
            .with("mechanism", &login.mechanism)
            .with_some("identity", login.identity.as_ref())
            .with_some("body", bodies.then_some("yes")),
    )
}

fn submission(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (exchange, auth) = facts::auth_attempts(session)
        .find(|(exchange, auth)| auth.response.is_some() && facts::in_clear(session, exchange))?;
    let body = session
        .transactions
        .iter()
        .any(|transaction| transaction.data.is_some());
    Some(
        Finding::of(rule, Stage::Auth, Evidence::command(exchange))
            .with("mechanism", &auth.mechanism)
            .with_some("identity", auth.identity.as_ref())
            .with_some("body", body.then_some("yes")),
    )
}
