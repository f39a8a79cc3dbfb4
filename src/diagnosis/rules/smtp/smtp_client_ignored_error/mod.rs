//! The client went on after an error reply as if nothing had been said.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::{Exchange, Verb};
use crate::session::Session;

/// `smtp-client-ignored-error`.
pub static RULE: Rule = Rule {
    slug: "smtp-client-ignored-error",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(86),
    actors: &[Actor::Client],
    explains_away: &["smtp-client-vanished", "smtp-server-421"],
    leans_on_absence: true,
    references: &["RFC 5321 4.2, 4.2.1", "RFC 2920 3.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (error, next, kind) = data_without_recipients(session)
        .or_else(|| text_without_go_ahead(session))
        .or_else(|| mail_without_login(session))?;
    let reply = facts::refusal(error)?;
    let noise = session
        .exchanges()
        .iter()
        .filter(|one| one.index >= next.index && facts::refusal(one).is_some())
        .count();
    Some(
        Finding::of(rule, session.stage, Evidence::command(next))
            .with("error", &facts::words(reply))
            .with("refused", &error.line)
            .with("next", &next.line)
            .with(kind, "yes")
            .with_some("noise", (noise > 1).then_some(noise))
            .and(Evidence::reply(reply)),
    )
}

/// The refusal, the command that ignored it, and which of the three cases it is.
type Ignored<'a> = (&'a Exchange, &'a Exchange, &'static str);

/// Sent when the refusal could be known: commands in flight in a pipelined group are legal.
fn knew(error: &Exchange, next: &Exchange) -> bool {
    !next.pipelined && facts::refusal(error).is_some_and(|reply| reply.span.last() < next.command.first())
}

fn data_without_recipients(session: &Session) -> Option<Ignored<'_>> {
    let at = |position: usize| session.exchanges().get(position);
    session.transactions.iter().find_map(|one| {
        let last = one.recipients.last()?;
        let nobody = one.recipients_not_listed == 0
            && one
                .recipients
                .iter()
                .all(|recipient| recipient.code.is_some_and(|code| code >= 400));
        let error = at(last.exchange)?;
        let next = session
            .exchanges()
            .iter()
            .find(|next| next.index == error.index + 1 && matches!(next.verb, Verb::Data | Verb::Bdat))?;
        (nobody && knew(error, next)).then_some((error, next, "nobody"))
    })
}

fn text_without_go_ahead(session: &Session) -> Option<Ignored<'_>> {
    let exchanges = session.exchanges();
    exchanges
        .iter()
        .zip(exchanges.iter().skip(1))
        .find_map(|(error, next)| {
            let text = error.verb == Verb::Data
                && error.intermediate().is_empty()
                && error.mail_data().is_none()
                && next.verb == Verb::Other;
            (text && knew(error, next) && facts::refusal(next).is_some()).then_some((error, next, "text"))
        })
}

/// A client that goes on without login and is heard has done nothing amiss; one that is refused has.
fn mail_without_login(session: &Session) -> Option<Ignored<'_>> {
    if facts::authenticated(session) {
        return None;
    }
    let (error, _) = facts::auth_attempts(session)
        .filter(|(exchange, _)| facts::refusal(exchange).is_some())
        .last()?;
    let next = session
        .exchanges()
        .iter()
        .find(|one| one.index > error.index && one.verb == Verb::Mail)?;
    let refused = session.exchanges().iter().any(|one| {
        one.index >= next.index && matches!(one.verb, Verb::Mail | Verb::Rcpt) && facts::refusal(one).is_some()
    });
    (refused && knew(error, next)).then_some((error, next, "login"))
}
