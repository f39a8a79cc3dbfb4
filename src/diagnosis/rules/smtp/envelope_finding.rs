//! The finding of a refusal that the envelope's family sorts, with the values that its rules share.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::quality::FixedState;

use crate::captured::Captured;
use crate::diagnosis::lists;
use crate::diagnosis::providers::Place;
use crate::diagnosis::rules::facts::{self, is_enhanced, says_any};
use crate::diagnosis::rules::smtp::envelope::Refusal;
use crate::diagnosis::{Confidence, Evidence, Finding, Rule, Severity, Value};
use crate::protocol::smtp::{Detail, Exchange, Verb};
use crate::session::{Session, Stage, Transaction};

/// The finding of a refusal with the values that the rule's sentences speak of.
pub(super) fn finding(rule: &'static Rule, session: &Session, refusal: &Refusal<'_>) -> Finding {
    let mut finding = Finding::of(rule, stage(refusal.place), Evidence::reply(refusal.reply))
        .and_some(refusal.exchange.map(Evidence::command));
    if refusal.unclear {
        finding = finding.as_sure_as(Confidence::Possible);
    }
    let transaction = LazyCell::new(|| transaction(session, refusal.exchange?));
    let yes = |so: bool| so.then(|| Value::from("yes"));
    for name in USED.get(rule.slug).map(Vec::as_slice).unwrap_or_default() {
        let value = match *name {
            "reply" => Some(Value::Captured(facts::words(refusal.reply))),
            "client" => Some(session.connection.client.address.to_string().into()),
            "later" => yes(refusal.reply.class() == 4),
            "logged_in" => yes(facts::authenticated(session)),
            "unclear" => yes(refusal.unclear),
            "after_data" => yes(refusal.after_data()),
            "before_data" => yes(refusal.place == Place::Data),
            "disabled" => yes(refusal.text.is_none() && is_disabled(refusal)),
            "provider" => refusal.text.map(|text| text.provider.name.into()),
            name => of_mail(name, session, refusal, *transaction),
        };
        let refined = || yes(refusal.text?.refines == Some(name));
        finding = finding.with_some(name, value.or_else(refined));
    }
    // A mail that was accepted in the end, or another recipient's mail, makes the refusal no less true for this one.
    if rule.severity == Severity::Note {
        finding.as_severity(Severity::Fail)
    } else {
        finding
    }
}

const fn stage(place: Place) -> Stage {
    match place {
        Place::Connect => Stage::Greeting,
        Place::Ehlo => Stage::Hello,
        Place::Mail => Stage::Mail,
        Place::Rcpt => Stage::Rcpt,
        _ => Stage::FinalReply,
    }
}

/// The mailbox is there and takes no mail.
fn is_disabled(refusal: &Refusal<'_>) -> bool {
    is_enhanced(refusal.reply, 2, 1)
        || says_any(
            refusal.reply,
            &["disabled", "inactive", "suspended", "deactivated", "is not active"],
        )
}

/// The mail transaction that a command belongs to.
fn transaction<'a>(session: &'a Session, exchange: &Exchange) -> Option<&'a Transaction> {
    session.transactions.iter().find(|one| {
        session
            .exchanges()
            .get(one.mail)
            .is_some_and(|mail| mail.index <= exchange.index)
            && covers(session, one, exchange)
    })
}

/// What the mail transaction adds.
fn of_mail(name: &str, session: &Session, refusal: &Refusal<'_>, transaction: Option<&Transaction>) -> Option<Value> {
    let exchange = refusal.exchange?;
    let accepted = || {
        let codes = transaction?.recipients.iter().filter_map(|recipient| recipient.code);
        Some(codes.filter(|code| *code < 300).count()).filter(|count| *count > 0)
    };
    let sender = || transaction.map(|one| &one.reverse_path).filter(|path| !path.is_empty());
    match name {
        "recipient" => match &exchange.detail {
            Detail::Envelope { path: Some(path), .. } if exchange.verb == Verb::Rcpt => {
                Some(Value::from(&path.address))
            }
            _ => None,
        },
        "domain" => sender().and_then(domain).map(Value::Captured),
        "sender" => sender().map(Value::from),
        "others" => accepted().filter(|_| refusal.place == Place::Rcpt).map(Value::from),
        "accepted" => accepted().filter(|_| is_enhanced(refusal.reply, 5, 3)).map(Value::from),
        "declared" => transaction?.declared_size.map(Value::from),
        "size" => exchange.mail_data().map(|data| data.size.into()),
        "limit" => {
            let list = facts::list_before(session, exchange)?.reply.yes()?;
            lists::of(list).size_limit.filter(|limit| *limit > 0).map(Value::from)
        }
        _ => None,
    }
}

/// The values that each rule's sentences speak of.
static USED: LazyLock<HashMap<&'static str, Vec<&'static str>, FixedState>> = LazyLock::new(|| {
    super::RULES
        .iter()
        .map(|rule| (rule.slug, names_in(rule.texts.english)))
        .collect()
});

/// The names between braces, each once: `{name}`, `{?name}`, `{!name}`.
fn names_in(text: &'static str) -> Vec<&'static str> {
    let braces = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    let mut names = Vec::new();
    for (name, _) in braces {
        let name = name.trim_start_matches(['?', '!']);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn covers(session: &Session, transaction: &Transaction, exchange: &Exchange) -> bool {
    let index = |position: usize| session.exchanges().get(position).map(|one| one.index);
    index(transaction.mail) == Some(exchange.index)
        || transaction.data.and_then(index) == Some(exchange.index)
        || transaction
            .recipients
            .iter()
            .any(|recipient| index(recipient.exchange) == Some(exchange.index))
}

fn domain(address: &Captured) -> Option<Captured> {
    let at = address.bytes().iter().rposition(|byte| *byte == b'@')?;
    address.bytes().get(at + 1..).map(Captured::new)
}
