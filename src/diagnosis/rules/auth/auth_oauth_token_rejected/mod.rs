//! An OAuth token was rejected; the reason hides in a 334 challenge.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `auth-oauth-token-rejected`.
pub static RULE: Rule = Rule {
    slug: "auth-oauth-token-rejected",
    layer: Layer::Auth,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(54),
    actors: &[Actor::Client],
    explains_away: &[
        "auth-credentials-rejected",
        "auth-payload-malformed",
        "auth-required",
        "smtp-client-vanished",
        "smtp-relay-denied",
    ],
    leans_on_absence: false,
    references: &["RFC 7628 3.2.2-3.2.3", "RFC 6750 3.1", "Google/Microsoft XOAUTH2 docs"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if facts::authenticated(session) {
        return None;
    }
    let (exchange, auth) = facts::auth_attempts(session).find(|(exchange, auth)| {
        let oauth = ["XOAUTH2", "OAUTHBEARER"]
            .iter()
            .any(|one| auth.mechanism.equals_ignoring_case(one));
        let rejected =
            facts::refusal(exchange).is_some_and(|reply| reply.code == 535 && !facts::says_any(reply, &["mechanism"]));
        auth.oauth_error.is_some() || (oauth && rejected)
    })?;
    let reply = facts::refusal(exchange);
    let decisive = exchange
        .intermediate()
        .last()
        .filter(|_| auth.oauth_error.is_some())
        .or(reply)?;
    Some(
        Finding::of(rule, Stage::Auth, Evidence::reply(decisive))
            .with("mechanism", &auth.mechanism)
            .with_some("error", auth.oauth_error.as_ref())
            .with_some("identity", auth.identity.as_ref())
            .with_some("reply", reply.map(facts::words).as_ref())
            .and(Evidence::command(exchange)),
    )
}
