//! The server rejected the login (535) although mechanism and form of the data were right.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `auth-credentials-rejected`.
pub static RULE: Rule = Rule {
    slug: "auth-credentials-rejected",
    layer: Layer::Auth,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(54),
    actors: &[Actor::Client],
    explains_away: &[
        "auth-required",
        "auth-temporary-failure",
        "auth-tls-inner-outcome",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-relay-denied",
        "smtp-sender-rejected",
        "smtp-server-421",
        "tcp-reset-mid-session",
    ],
    leans_on_absence: false,
    references: &[
        "RFC 4954 4, 6",
        "RFC 4616 2",
        "newbedev \"SASL LOGIN authentication failed: UGFzc3dvcmQ6\"",
        "brandonchecketts.com (SASL server count)",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if facts::authenticated(session) {
        return None;
    }
    let (exchange, auth) = facts::auth_attempts(session).find(|(exchange, auth)| {
        !auth.cancelled
            && auth.defects.is_empty()
            && auth.oauth_error.is_none()
            && !is_oauth(&auth.mechanism)
            && was_offered(session, exchange, &auth.mechanism)
            && facts::refusal(exchange).is_some_and(|reply| is_plain_rejection(session, exchange, reply))
    })?;
    let reply = facts::refusal(exchange)?;
    let attempts = facts::auth_attempts(session)
        .filter(|(one, _)| facts::refusal(one).is_some())
        .count();
    Some(
        Finding::of(rule, Stage::Auth, Evidence::reply(reply))
            .with_some("mechanism", Some(&auth.mechanism).filter(|name| !name.is_empty()))
            .with("reply", &facts::words(reply))
            .with_some("identity", auth.identity.as_ref())
            .with_some("attempts", (attempts > 1).then_some(attempts))
            .and(Evidence::command(exchange)),
    )
}

fn is_oauth(mechanism: &crate::captured::Captured) -> bool {
    ["XOAUTH2", "OAUTHBEARER"]
        .iter()
        .any(|one| mechanism.equals_ignoring_case(one))
}

/// A mechanism that the list before it does not name is another matter; without a list nobody can say.
fn was_offered(
    session: &Session,
    exchange: &crate::protocol::smtp::Exchange,
    mechanism: &crate::captured::Captured,
) -> bool {
    facts::list_before(session, exchange).is_none_or(|list| {
        let offered = facts::mechanisms(list);
        offered.is_empty()
            || offered
                .iter()
                .any(|one| one.bytes().eq_ignore_ascii_case(mechanism.bytes()))
    })
}

/// 535, or an older server's 5xx to AUTH, without words of policy, mechanism or encryption.
fn is_plain_rejection(
    session: &Session,
    exchange: &crate::protocol::smtp::Exchange,
    reply: &crate::protocol::smtp::Reply,
) -> bool {
    let generic = reply.code == 535
        || (matches!(reply.code, 501 | 550 | 554) && reply.enhanced.is_some_and(|(_, subject, _)| subject == 7));
    generic
        && !super::evidence::is_policy(session, exchange, reply)
        && !facts::wants_starttls(reply)
        && !facts::says_any(
            reply,
            &[
                "invalid authentication mechanism",
                "mechanism not supported",
                "invalid base64",
                "malformed",
            ],
        )
}
