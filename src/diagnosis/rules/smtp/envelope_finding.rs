//! The finding of a refusal that the envelope's family sorts, with the values that its rules share.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::captured::Captured;
use crate::diagnosis::providers::Place;
use crate::diagnosis::rules::facts::{self, is_enhanced, says_any};
use crate::diagnosis::rules::smtp::envelope::Refusal;
use crate::diagnosis::{Confidence, Evidence, Finding, Rule, Severity, Value};
use crate::protocol::smtp::{Detail, Exchange};
use crate::session::{Session, Stage, Transaction};

/// The finding of a refusal with the values that the rules of this family share.
pub(super) fn finding(rule: &'static Rule, session: &Session, refusal: &Refusal<'_>) -> Finding {
    let reply = refusal.reply;
    let text = refusal.text;
    let unclear = refusal.unclear;
    let mut finding = Finding::of(rule, stage(refusal.place), Evidence::reply(reply))
        .and_some(refusal.exchange.map(Evidence::command));
    if unclear {
        finding = finding.as_sure_as(Confidence::Possible);
    }
    let yes = |so: bool| so.then(|| Value::from("yes"));
    let mut used = vec![
        ("reply", Some(Value::Captured(facts::words(reply)))),
        ("client", Some(session.connection.client.address.to_string().into())),
        ("later", yes(reply.class() == 4)),
        ("logged_in", yes(facts::authenticated(session))),
        ("unclear", yes(unclear)),
        ("after_data", yes(refusal.after_data())),
        ("before_data", yes(refusal.place == Place::Data)),
        ("disabled", yes(text.is_none() && is_disabled(refusal))),
        ("provider", text.map(|text| text.provider.name.into())),
    ];
    used.extend(text.and_then(|text| Some((text.refines?, yes(true)))));
    used.extend(
        refusal
            .exchange
            .into_iter()
            .flat_map(|exchange| of_mail(session, refusal, exchange)),
    );
    let names = USED.get(rule.slug).map(Vec::as_slice).unwrap_or_default();
    for (name, value) in used {
        if let Some(value) = value.filter(|_| names.contains(&name)) {
            finding = finding.with(name, value);
        }
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

/// What the mail transaction adds.
fn of_mail(session: &Session, refusal: &Refusal<'_>, exchange: &Exchange) -> [(&'static str, Option<Value>); 8] {
    let transaction = session.transactions.iter().find(|one| {
        session
            .exchanges()
            .get(one.mail)
            .is_some_and(|mail| mail.index <= exchange.index)
            && covers(session, one, exchange)
    });
    let accepted = transaction.map_or(0, |one| {
        let codes = one.recipients.iter().filter_map(|recipient| recipient.code);
        codes.filter(|code| *code < 300).count()
    });
    let recipient = match &exchange.detail {
        Detail::Rcpt {
            forward_path: Some(path),
            ..
        } => Some(path.address.clone()),
        _ => None,
    };
    let sender = transaction
        .map(|one| one.reverse_path.clone())
        .filter(|path| !path.is_empty());
    let limit = facts::list_before(session, exchange)
        .and_then(Session::size_limit)
        .filter(|limit| *limit > 0);
    [
        ("recipient", recipient.map(Value::Captured)),
        ("domain", sender.as_ref().and_then(domain).map(Value::Captured)),
        ("sender", sender.map(Value::Captured)),
        (
            "others",
            (accepted > 0 && refusal.place == Place::Rcpt).then(|| accepted.into()),
        ),
        (
            "accepted",
            (accepted > 0 && is_enhanced(refusal.reply, 5, 3)).then(|| accepted.into()),
        ),
        (
            "declared",
            transaction.and_then(|one| one.declared_size).map(Into::into),
        ),
        ("size", exchange.mail_data().map(|data| data.size.into())),
        ("limit", limit.map(Into::into)),
    ]
}

/// The values that each rule's sentences speak of.
static USED: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    super::RULES
        .iter()
        .map(|rule| (rule.slug, names_in(rule.texts.english)))
        .collect()
});

/// The names between braces: `{name}`, `{?name}`, `{!name}`.
fn names_in(text: &'static str) -> Vec<&'static str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name.trim_start_matches(['?', '!']))
        .collect()
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
