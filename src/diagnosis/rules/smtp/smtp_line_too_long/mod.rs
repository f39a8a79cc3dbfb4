//! A line is longer than the protocol allows, and the server refused it.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::{Exchange, Reply, Verb};
use crate::session::{Session, Stage};

/// `smtp-line-too-long`.
pub static RULE: Rule = Rule {
    slug: "smtp-line-too-long",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(73),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-content-rejected",
        "smtp-message-too-big",
        "smtp-server-421",
    ],
    leans_on_absence: false,
    references: &["RFC 5321 4.5.3.1.4, 4.5.3.1.6", "RFC 5322 2.1.1", "RFC 4954 4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// Longest line of mail data with its CR LF (RFC 5321, section 4.5.3.1.6).
const TEXT_LINE: u64 = 1000;
/// Longest command line with its CR LF (RFC 5321, section 4.5.3.1.4); extensions raise it.
const COMMAND_LINE: u64 = 512;

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (exchange, reply) = session.exchanges().iter().find_map(|exchange| {
        let reply = facts::refusal(exchange)?;
        is_about_length(exchange, reply).then_some((exchange, reply))
    })?;
    let data = exchange.mail_data();
    let length = data.map_or(exchange.line_length(), |data| data.line_facts.longest);
    let limit = if data.is_some() { TEXT_LINE } else { COMMAND_LINE };
    let stage = if data.is_some() { Stage::Data } else { session.stage };
    Some(
        Finding::of(rule, stage, Evidence::reply(reply))
            .with("reply", &facts::words(reply))
            .with_some("length", (length > limit).then_some(length))
            .with("limit", limit)
            .with_some("in_mail", data.map(|_| "yes"))
            .and(Evidence::command(exchange)),
    )
}

fn is_about_length(exchange: &Exchange, reply: &Reply) -> bool {
    let worded = facts::says_any(
        reply,
        &[
            "line too long",
            "line is too long",
            "lines too long",
            "line length",
            "command too long",
            "command line too long",
            "too long line",
            "longer than 998",
            "maximum line",
        ],
    );
    match exchange.mail_data() {
        Some(data) => worded || (data.line_facts.longest > TEXT_LINE && reply.says("too long") && reply.says("line")),
        None if exchange.verb == Verb::Auth => worded,
        None => worded || (exchange.line_length() > COMMAND_LINE && matches!(reply.code, 500 | 501 | 552)),
    }
}
