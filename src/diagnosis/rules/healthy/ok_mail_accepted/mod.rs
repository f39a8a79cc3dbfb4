//! The server took responsibility for the mail.

use crate::captured::Captured;
use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity, Value};
use crate::protocol::smtp::Reply;
use crate::session::{Session, Stage, TransactionResult};

/// `ok-mail-accepted`.
pub static RULE: Rule = Rule {
    slug: "ok-mail-accepted",
    layer: Layer::Healthy,
    severity: Severity::Ok,
    confidence: Confidence::Confirmed,
    precedence: Some(99),
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 5321 4.2.5, 6.1", "sendmagic notes (au)"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let done = |result| matches!(result, TransactionResult::Accepted | TransactionResult::PartlyAccepted);
    let mut accepted = session
        .transactions
        .iter()
        .filter(|transaction| done(transaction.result));
    let first = accepted.next()?;
    let exchange = session.exchanges().get(first.data?)?;
    let reply = exchange
        .reply
        .yes()
        .filter(|reply| reply.class() == 2)
        .or(exchange.further_replies().first())?;
    let recipients = |fits: fn(u16) -> bool| {
        first
            .recipients
            .iter()
            .filter(|recipient| recipient.code.is_some_and(fits))
            .count()
    };
    let refused = recipients(|code| code >= 400);
    let mails = accepted.count().saturating_add(1);
    let words = facts::words(reply);
    Some(
        Finding::of(rule, Stage::FinalReply, Evidence::quote(&reply.span.get(), &words))
            .with("recipients", recipients(|code| code < 300))
            .with("reply", Value::Captured(words))
            .with_some("queue", queue_identifier(reply).map(Value::Captured))
            .with_some("refused", (refused > 0).then_some(refused))
            .with_some("mails", (mails > 1).then_some(mails)),
    )
}

/// The queue ID as Postfix ("queued as X"), Exim ("id=X") and sendmail ("X Message accepted for delivery") write it.
fn queue_identifier(reply: &Reply) -> Option<Captured> {
    let line = reply.lines.last()?.bytes();
    let words = || line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let is = |wanted: &'static [u8]| move |word: &&[u8]| word.eq_ignore_ascii_case(wanted);
    let postfix = || {
        let mut words = words();
        words.find(is(b"as")).filter(|_| reply.says("queued as"))?;
        words.next()
    };
    let exim = || words().find_map(|word| word.strip_prefix(b"id="));
    let sendmail = || {
        let (before, _) = words().zip(words().skip(1)).find(|(_, word)| is(b"Message")(word))?;
        let first = words().next().filter(is(b"Message"));
        Some(before).filter(|_| first.is_none() && reply.says("message accepted for delivery"))
    };
    postfix().or_else(exim).or_else(sendmail).map(Captured::new)
}
