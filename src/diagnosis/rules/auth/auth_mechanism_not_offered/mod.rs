//! The client used an AUTH mechanism that the list before it does not name.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `auth-mechanism-not-offered`.
pub static RULE: Rule = Rule {
    slug: "auth-mechanism-not-offered",
    layer: Layer::Auth,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(52),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[
        "auth-credentials-rejected",
        "auth-oauth-token-rejected",
        "auth-payload-malformed",
        "auth-required",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-relay-denied",
    ],
    leans_on_absence: true,
    references: &[
        "RFC 4954 3-4",
        "RFC 8314 4",
        "goope.jp \"CRAM-MD5廃止のお知らせ\"",
        "thexyz/strangecode CRAM-MD5 notices",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if facts::authenticated(session) {
        return None;
    }
    let (exchange, auth, reply, offered) = facts::auth_attempts(session).find_map(|(exchange, auth)| {
        let reply = facts::refusal(exchange)?;
        let offered = facts::mechanisms(facts::list_before(session, exchange)?);
        let named = offered
            .iter()
            .any(|one| one.bytes().eq_ignore_ascii_case(auth.mechanism.bytes()));
        let tls_first = facts::wants_starttls(reply) || matches!(reply.code, 530 | 538);
        (!named && !tls_first && reply.class() == 5).then_some((exchange, auth, reply, offered))
    })?;
    let none = offered.is_empty();
    Some(
        Finding::of(rule, Stage::Auth, Evidence::reply(reply))
            .with("mechanism", &auth.mechanism)
            .with("reply", &facts::words(reply))
            .with_some(
                "offered",
                (!none).then(|| crate::diagnosis::Value::List(offered.iter().map(Into::into).collect())),
            )
            .and(Evidence::command(exchange)),
    )
}
