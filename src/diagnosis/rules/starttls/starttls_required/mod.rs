//! The server goes no further without STARTTLS.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::Verb;
use crate::session::{Session, Stage};

/// `starttls-required`.
pub static RULE: Rule = Rule {
    slug: "starttls-required",
    layer: Layer::StartTls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(32),
    actors: &[Actor::Client],
    explains_away: &[
        "auth-required",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
    ],
    references: &[
        "RFC 3207 4",
        "RFC 8314",
        "RFC 8689",
        "Exchange \"Must issue a STARTTLS command first\"",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if session.tls.is_some() {
        return None;
    }
    let (exchange, reply) = session
        .exchanges()
        .iter()
        .filter(|exchange| !matches!(exchange.verb, Verb::StartTls | Verb::Auth))
        .filter_map(|exchange| Some((exchange, facts::refusal(exchange)?)))
        .find(|(_, reply)| {
            facts::wants_starttls(reply)
                || facts::is_enhanced(reply, 7, 29)
                || facts::is_enhanced(reply, 7, 10) && reply.says("encrypt")
        })?;
    let offered = facts::list_before(session, exchange).map(|list| facts::offers(list, "STARTTLS"));
    Some(
        Finding::of(rule, Stage::Mail, Evidence::reply(reply))
            .with("reply", &facts::words(reply))
            .with("command", &exchange.line)
            .with_some("not_offered", (offered == Some(false)).then_some("yes"))
            .and(Evidence::command(exchange)),
    )
}
