//! The command STARTTLS or STLS was refused.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::retrieval::Status;
use crate::protocol::smtp::Verb;
use crate::session::{Session, Stage};

/// `starttls-refused`.
pub static RULE: Rule = Rule {
    slug: "starttls-refused",
    layer: Layer::StartTls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(33),
    actors: &[Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "starttls-fallback-to-cleartext",
        "starttls-required",
    ],
    references: &["RFC 3207 4", "RFC 2595 4", "RFC 9051 6.2.1", "jakartaee/mail-api#29"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if let Some(exchange) = session
        .exchanges()
        .iter()
        .find(|exchange| matches!(exchange.verb, Verb::StartTls | Verb::XAnonymousTls))
        && let Some(reply) = facts::refusal(exchange)
    {
        let went_on = session.transactions.iter().any(|transaction| {
            session
                .exchanges()
                .get(transaction.mail)
                .is_some_and(|mail| mail.index > exchange.index)
        });
        return Some(
            Finding::of(rule, Stage::StartTls, Evidence::reply(reply))
                .with("reply", &facts::words(reply))
                .with_some("local", (reply.code == 454).then_some("yes"))
                .with_some("went_on", went_on.then_some("yes"))
                .and(Evidence::command(exchange)),
        );
    }
    let command = session
        .commands()
        .iter()
        .find(|command| matches!(command.verb.bytes(), b"STARTTLS" | b"STLS"))?;
    let answer = command.answer.yes().filter(|answer| answer.status != Status::Ok)?;
    Some(
        Finding::of(rule, Stage::StartTls, Evidence::answer(command, answer))
            .with("reply", &answer.text)
            .and(Evidence::retrieval(command)),
    )
}
