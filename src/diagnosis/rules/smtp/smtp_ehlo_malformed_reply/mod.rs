//! A reply breaks the rules of form, so that strict clients cannot read it.

use crate::diagnosis::Value;
use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::Verb;
use crate::session::{Session, Stage, TransactionResult};

/// `smtp-ehlo-malformed-reply`.
pub static RULE: Rule = Rule {
    slug: "smtp-ehlo-malformed-reply",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(62),
    actors: &[Actor::Server],
    explains_away: &[],
    leans_on_absence: true,
    references: &[
        "RFC 5321 4.1.1.1, 4.2.1, 4.5.3.1.5",
        "Cisco ESA \"STARTTLS available but TLS negotiation fails\"",
        "Microsoft KB 303118",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let dialogue = session.smtp.as_deref()?;
    // A greeting that changes from "220-" to "521 " is how postscreen hangs up: every client understands it.
    let mut replies = dialogue.exchanges.iter().filter_map(|exchange| exchange.reply.yes());
    let broken = replies.find(|reply| {
        !reply.incomplete && (reply.defects.mixed_codes || reply.defects.missing_last_line || reply.defects.not_a_reply)
    });
    let keyword = dialogue.exchanges.iter().find_map(|exchange| {
        let reply = exchange
            .reply
            .yes()
            .filter(|reply| exchange.verb == Verb::Ehlo && reply.class() == 2)?;
        let first = reply.lines.first()?;
        let word = facts::keyword(first);
        ["STARTTLS", "AUTH", "SIZE", "PIPELINING", "8BITMIME"]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
            .then_some((reply, first))
    });
    let (reply, defect) = match (keyword, broken) {
        (Some((reply, _)), _) => (reply, "reply_keyword_first"),
        (None, Some(reply)) if reply.defects.mixed_codes => (reply, "reply_mixed_codes"),
        (None, Some(reply)) if reply.defects.missing_last_line => (reply, "reply_no_last_line"),
        (None, Some(reply)) => (reply, "reply_not_a_reply"),
        (None, None) => return None,
    };
    let finding = Finding::of(rule, Stage::Hello, Evidence::reply(reply))
        .with("defect", Value::Phrase(defect))
        .with("reply", &facts::words(reply));
    let harmed = session
        .transactions
        .iter()
        .all(|transaction| transaction.result != TransactionResult::Accepted);
    // A client that used the server after the list understood enough of it.
    let went_on = session.exchanges().iter().any(|exchange| {
        let asked = matches!(exchange.verb, Verb::Mail | Verb::Auth | Verb::Data | Verb::StartTls);
        let answered = exchange.reply.yes().is_some_and(|answer| answer.class() == 2);
        asked && answered && exchange.command.first().frame > reply.span.last().frame
    });
    let harmed = harmed && !went_on;
    Some(if harmed && defect != "reply_mixed_codes" {
        finding
    } else {
        finding.as_severity(Severity::Risk)
    })
}
