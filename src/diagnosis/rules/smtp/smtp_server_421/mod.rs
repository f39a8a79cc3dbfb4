//! The server ended the session with 421.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::{Exchange, Verb};
use crate::session::{Session, TransactionResult};
use crate::span::{Direction, Stamp};

/// `smtp-server-421`.
pub static RULE: Rule = Rule {
    slug: "smtp-server-421",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(70),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &["smtp-client-vanished", "tcp-reset-mid-session"],
    leans_on_absence: true,
    references: &["RFC 5321 3.8, 4.2.3, 4.5.3.2.7"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// The client's first FIN or reset.
fn client_left(session: &Session) -> Option<Stamp> {
    let connection = &session.connection;
    let reset = connection
        .resets
        .iter()
        .find(|reset| reset.in_window && reset.direction == Direction::ToServer)
        .map(|reset| reset.stamp);
    connection
        .directions
        .to_server
        .fin
        .into_iter()
        .chain(reset)
        .min_by_key(|stamp| stamp.frame)
}

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let dialogue = session.smtp.as_deref()?;
    let answered = dialogue.exchanges.iter().filter_map(|exchange| exchange.reply.yes());
    let reply = dialogue
        .unsolicited
        .iter()
        .chain(answered)
        .find(|reply| reply.code == 421)?;
    if facts::says_any(
        reply,
        &[
            "too many connections",
            "too many concurrent",
            "too many recipients",
            "rate",
            "too many messages",
            "throttl",
        ],
    ) {
        return None;
    }
    let quit = dialogue
        .exchanges
        .iter()
        .any(|exchange| exchange.verb == Verb::Quit && exchange.command.first() < reply.span.first());
    // A server may still say that it lost the connection: then the client's leaving is the cause.
    let left = client_left(session).is_some_and(|left| left.frame < reply.span.first().frame)
        || facts::says_any(reply, &["lost input connection", "lost connection"]);
    if quit || left {
        return None;
    }
    let errors = dialogue
        .exchanges
        .iter()
        .filter(|exchange| facts::refusal(exchange).is_some_and(|one| one.code != 421))
        .count();
    let last = session
        .connection
        .directions
        .to_server
        .last_data
        .map(|stamp| reply.span.first().time.since(stamp.time))
        .filter(|idle| idle.as_secs() >= 10);
    // Where MAIL is not in the capture there is no transaction; the reply to the message tells all the same.
    let taken = |exchange: &Exchange| {
        matches!(exchange.verb, Verb::Data | Verb::Bdat) && facts::replied(exchange, |code| code / 100 == 2)
    };
    let accepted = session
        .transactions
        .iter()
        .any(|one| one.result == TransactionResult::Accepted)
        || (session.transactions.is_empty() && dialogue.exchanges.iter().any(taken));
    let finding = Finding::of(rule, session.stage, Evidence::reply(reply))
        .with("reply", &facts::words(reply))
        .with_some("errors", (errors > 0).then_some(errors))
        .with_some("idle", last);
    Some(if accepted {
        finding.as_severity(Severity::Note)
    } else {
        finding
    })
}
