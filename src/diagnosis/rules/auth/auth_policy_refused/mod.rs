//! The login was refused by policy: app password, basic authentication off, locked.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `auth-policy-refused`.
pub static RULE: Rule = Rule {
    slug: "auth-policy-refused",
    layer: Layer::Auth,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(53),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[
        "auth-credentials-rejected",
        "auth-required",
        "smtp-client-vanished",
        "smtp-relay-denied",
        "smtp-sender-rejected",
    ],
    leans_on_absence: false,
    references: &[
        "RFC 4954 6",
        "RFC 5248",
        "Microsoft 535 5.7.139 / 550 5.7.30 notices",
        "Sisimai Rhost/Google",
        "muratec \"Gmail 2022-05-30\"",
    ],
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
        super::evidence::is_policy(session, exchange, reply).then_some((exchange, auth, reply))
    })?;
    Some(
        Finding::of(rule, Stage::Auth, Evidence::reply(reply))
            .with("mechanism", &auth.mechanism)
            .with("reply", &facts::words(reply))
            .with_some("identity", auth.identity.as_ref())
            .and(Evidence::command(exchange)),
    )
}
