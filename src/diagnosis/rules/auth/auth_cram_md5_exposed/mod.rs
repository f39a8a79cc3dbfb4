//! A challenge-response login without TLS.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::diagnosis::rules::facts;
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
    references: &["RFC 2195", "RFC 6331", "RFC 8314", "RFC 5802 9"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (exchange, auth) =
        facts::auth_attempts(session).find(|(exchange, auth)| auth.response.is_some() && facts::in_clear(session, exchange))?;
    let body = session.transactions.iter().any(|transaction| transaction.data.is_some());
    Some(
        Finding::of(rule, Stage::Auth, Evidence::command(exchange))
            .with("mechanism", &auth.mechanism)
            .with_some("identity", auth.identity.as_ref())
            .with_some("body", body.then_some("yes")),
    )
}
