//! The client used an extension that the server did not offer.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::{Detail, Exchange, Parameter, Reply, Verb};
use crate::session::{Session, Stage};

/// `smtp-extension-missing`.
pub static RULE: Rule = Rule {
    slug: "smtp-extension-missing",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(68),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-sender-rejected",
        "smtp-server-421",
        "smtp-user-unknown",
    ],
    leans_on_absence: false,
    references: &["RFC 6152 3", "RFC 6531 3", "RFC 3461 4, 5"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let refused =
        facts::refused_mail(session).find_map(|(exchange, reply)| refused_extension(rule, session, exchange, reply));
    refused.or_else(|| {
        session
            .exchanges()
            .iter()
            .find_map(|exchange| undeclared_octets(rule, session, exchange))
    })
}

/// What a parameter of MAIL or RCPT needs in the EHLO reply.
fn needed(parameter: &Parameter) -> Option<&'static str> {
    let is = |name: &str| parameter.keyword.equals_ignoring_case(name);
    let value = |text: &str| {
        parameter
            .value
            .as_ref()
            .is_some_and(|value| value.equals_ignoring_case(text))
    };
    if is("BODY") {
        return Some(if value("BINARYMIME") { "BINARYMIME" } else { "8BITMIME" }).filter(|_| !value("7BIT"));
    }
    if ["RET", "ENVID", "NOTIFY", "ORCPT"].iter().any(|name| is(name)) {
        return Some("DSN");
    }
    ["SMTPUTF8", "SIZE", "REQUIRETLS"].into_iter().find(|name| is(name))
}

fn refused_extension(rule: &'static Rule, session: &Session, exchange: &Exchange, reply: &Reply) -> Option<Finding> {
    let Detail::Envelope { path, parameters } = &exchange.detail else {
        return None;
    };
    let hello = session.exchanges().iter().rev().find(|one| {
        one.index < exchange.index
            && one.inside_tls == exchange.inside_tls
            && matches!(one.verb, Verb::Ehlo | Verb::Helo | Verb::Lhlo)
            && one.reply.yes().is_some_and(|reply| reply.class() == 2)
    });
    let known = hello.filter(|hello| hello.reply.yes().is_some_and(|reply| !reply.incomplete));
    let lacks = |name: &str| known.is_some_and(|hello| !facts::offers(hello, name));
    let by_parameter = parameters
        .iter()
        .filter_map(needed)
        .find(|name| lacks(name))
        .filter(|_| matches!(reply.code, 500..=504 | 555));
    let international = path.as_ref().is_some_and(|path| !path.address.bytes().is_ascii());
    let by_address = (facts::is_enhanced(reply, 6, 7)
        || facts::says_any(reply, &["smtputf8"])
        || (international && lacks("SMTPUTF8") && matches!(reply.code, 500..=504 | 550 | 553 | 555)))
    .then_some("SMTPUTF8");
    let extension = by_address.or(by_parameter)?;
    let stage = if exchange.verb == Verb::Mail {
        Stage::Mail
    } else {
        Stage::Rcpt
    };
    Some(
        Finding::of(rule, stage, Evidence::reply(reply))
            .with("extension", extension)
            .with("command", &exchange.line)
            .with("reply", &facts::words(reply))
            .with_some(
                "address",
                path.as_ref().filter(|_| international).map(|path| &path.address),
            )
            .with_some(
                "helo",
                known.is_some_and(|hello| hello.verb == Verb::Helo).then_some("yes"),
            )
            .with_some(
                "offered",
                known
                    .is_some_and(|hello| facts::offers(hello, extension))
                    .then_some("yes"),
            )
            .and(Evidence::command(exchange)),
    )
}

/// Octets of 0x80 and above that nothing announced: they usually pass.
fn undeclared_octets(rule: &'static Rule, session: &Session, exchange: &Exchange) -> Option<Finding> {
    let data = exchange.mail_data().filter(|data| data.line_facts.eight_bit)?;
    let at = |position: usize| session.exchanges().get(position);
    let mail = session
        .transactions
        .iter()
        .find(|one| one.data.and_then(at).is_some_and(|one| one.index == exchange.index))
        .and_then(|one| at(one.mail))?;
    let Detail::Envelope { parameters, .. } = &mail.detail else {
        return None;
    };
    let declared = parameters
        .iter()
        .any(|parameter| matches!(needed(parameter), Some("8BITMIME" | "BINARYMIME" | "SMTPUTF8")));
    (!declared).then(|| {
        Finding::of(
            rule,
            Stage::Data,
            Evidence::quote(&data.span, "octets of 0x80 and above"),
        )
        .with("undeclared", "yes")
        .with("extension", "8BITMIME")
        .and(Evidence::command(mail))
        .as_severity(Severity::Note)
    })
}
