//! BDAT (CHUNKING) went wrong.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::{Detail, Exchange, Verb};
use crate::session::{Session, Stage};

/// `smtp-bdat-error`.
pub static RULE: Rule = Rule {
    slug: "smtp-bdat-error",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(73),
    actors: &[Actor::Client, Actor::Network],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-content-rejected",
        "smtp-server-421",
    ],
    leans_on_absence: false,
    references: &["RFC 3030 2, 3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let exchanges = session.exchanges();
    exchanges.iter().enumerate().find_map(|(position, exchange)| {
        let next = exchanges.get(position + 1);
        refused_chunk(rule, session, exchange)
            .or_else(|| data_behind_chunk(rule, exchange, next?))
            .or_else(|| octets_left_over(rule, exchange, next?))
    })
}

fn chunk(exchange: &Exchange) -> Option<(Option<u64>, bool)> {
    match &exchange.detail {
        Detail::Bdat { size, last, .. } => Some((*size, *last)),
        _ => None,
    }
}

/// BDAT itself was refused for its form, its order, or because it is not known.
fn refused_chunk(rule: &'static Rule, session: &Session, exchange: &Exchange) -> Option<Finding> {
    let (size, _) = chunk(exchange)?;
    let reply = facts::refusal(exchange)?;
    let list = facts::list_before(session, exchange);
    let not_offered = list.is_some_and(|list| !facts::offers(list, "CHUNKING"));
    let fits = size.is_none() || not_offered || matches!(reply.code, 500..=504 | 521);
    if !fits || nobody_accepted(session, exchange) {
        return None;
    }
    let offered = list.is_some() && !not_offered;
    Some(
        Finding::of(rule, Stage::Data, Evidence::reply(reply))
            .with("command", &exchange.line)
            .with("reply", &facts::words(reply))
            .with_some("not_offered", not_offered.then_some("yes"))
            .with_some("no_number", size.is_none().then_some("yes"))
            .with_some(
                "inspected",
                (offered && size.is_some() && reply.code == 500).then_some("yes"),
            )
            .and(Evidence::command(exchange)),
    )
}

/// The recipients were refused before: then that refusal decided.
fn nobody_accepted(session: &Session, exchange: &Exchange) -> bool {
    let at = |position: usize| session.exchanges().get(position).map(|one| one.index);
    session
        .transactions
        .iter()
        .rev()
        .find(|one| at(one.mail).is_some_and(|mail| mail < exchange.index))
        .is_some_and(|one| {
            !one.recipients.is_empty()
                && one
                    .recipients
                    .iter()
                    .all(|recipient| recipient.code.is_some_and(|code| code >= 400))
        })
}

/// DATA in a transaction that was begun with BDAT.
fn data_behind_chunk(rule: &'static Rule, exchange: &Exchange, next: &Exchange) -> Option<Finding> {
    let (_, last) = chunk(exchange)?;
    let reply = facts::refusal(next).filter(|reply| reply.code == 503 && next.verb == Verb::Data && !last)?;
    Some(
        Finding::of(rule, Stage::Data, Evidence::reply(reply))
            .with("command", &next.line)
            .with("reply", &facts::words(reply))
            .with("mixed", "yes")
            .and(Evidence::command(exchange)),
    )
}

/// Behind the announced octets comes no command: the chunk is longer than announced.
fn octets_left_over(rule: &'static Rule, exchange: &Exchange, next: &Exchange) -> Option<Finding> {
    let (size, _) = chunk(exchange)?;
    exchange.reply.yes().filter(|reply| reply.class() == 2)?;
    let reply =
        facts::refusal(next).filter(|reply| matches!(reply.code, 500..=502 | 521) && next.verb == Verb::Other)?;
    Some(
        Finding::of(rule, Stage::Data, Evidence::command(next))
            .with("command", &exchange.line)
            .with("reply", &facts::words(reply))
            .with_some("announced", size)
            .and(Evidence::command(exchange))
            .and(Evidence::reply(reply)),
    )
}
