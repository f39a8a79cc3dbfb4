//! The server could not check the login for now (454 and the like).

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `auth-temporary-failure`.
pub static RULE: Rule = Rule {
    slug: "auth-temporary-failure",
    layer: Layer::Auth,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(55),
    actors: &[Actor::Server],
    explains_away: &[
        "auth-required",
        "smtp-client-vanished",
        "smtp-relay-denied",
        "smtp-tempfail",
    ],
    leans_on_absence: true,
    references: &["RFC 4954 4, 6", "RFC 5530 3", "RFC 3206 4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if facts::authenticated(session) {
        return None;
    }
    let (exchange, auth, reply) = facts::auth_attempts(session).find_map(|(exchange, auth)| {
        let reply = facts::refusal(exchange)?;
        let temporary = reply.class() == 4
            || facts::says_any(
                reply,
                &["temporary authentication failure", "connection lost to authentication"],
            );
        (temporary && !super::evidence::is_policy(session, exchange, reply)).then_some((exchange, auth, reply))
    })?;
    Some(
        Finding::of(rule, Stage::Auth, Evidence::reply(reply))
            .with("mechanism", &auth.mechanism)
            .with("reply", &facts::words(reply))
            .and(Evidence::command(exchange)),
    )
}
