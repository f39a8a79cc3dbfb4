//! Commands were sent without waiting where that is not allowed.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::{Exchange, Reply, Verb};
use crate::session::Session;
use crate::span::{Direction, Stamp};

/// `smtp-pipelining-violation`.
pub static RULE: Rule = Rule {
    slug: "smtp-pipelining-violation",
    layer: Layer::Smtp,
    severity: Severity::Note,
    confidence: Confidence::Likely,
    precedence: Some(63),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-server-421",
    ],
    leans_on_absence: false,
    references: &["RFC 2920 3.1", "RFC 5321 4.1.4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let dialogue = session.smtp.as_deref()?;
    let doubtful = session.quality.gaps || session.quality.only_direction.is_some() || dialogue.foreign.is_some();
    // Who speaks before the greeting is another rule's matter, with all that follows from it.
    if doubtful || dialogue.early_talk.is_some() {
        return None;
    }
    let refusal = dialogue
        .exchanges
        .iter()
        .filter_map(facts::refusal)
        .chain(&dialogue.unsolicited)
        .find(|reply| complains(reply));
    let early = dialogue
        .exchanges
        .iter()
        .zip(dialogue.exchanges.iter().skip(1))
        .find_map(|(before, early)| violation(session, before, early));
    let body = dialogue.exchanges.iter().find_map(body_before_go_ahead);
    let (evidence, before, not_offered) = match (early, body) {
        (Some((before, early, not_offered)), _) => (Evidence::command(early), &before.line, not_offered),
        (None, Some((exchange, at))) => (
            Evidence::frame(at, Some(Direction::ToServer), "mail data before the reply to DATA"),
            &exchange.line,
            false,
        ),
        (None, None) => return None,
    };
    let finding = Finding::of(rule, session.stage, evidence)
        .with("before", before)
        .with_some("not_offered", not_offered.then_some("yes"))
        .with_some("reply", refusal.map(facts::words).as_ref())
        .and_some(refusal.map(Evidence::reply));
    Some(if refusal.is_some() {
        finding.as_severity(Severity::Fail)
    } else {
        finding
    })
}

fn complains(reply: &Reply) -> bool {
    reply.class() >= 4
        && facts::says_any(
            reply,
            &[
                "pipelining",
                "synchronization error",
                "synchronisation error",
                "out of sync",
            ],
        )
}

/// A command sent before the reply to the one before it, where PIPELINING (RFC 2920, section 3.1) does not cover that.
fn violation<'a>(
    session: &'a Session,
    before: &'a Exchange,
    early: &'a Exchange,
) -> Option<(&'a Exchange, &'a Exchange, bool)> {
    if !early.pipelined || before.inside_tls != early.inside_tls {
        return None;
    }
    let last_of_group = match before.verb {
        Verb::Ehlo | Verb::Auth | Verb::Vrfy | Verb::Expn | Verb::Turn | Verb::Quit => true,
        Verb::Data => before.mail_data().is_none(),
        _ => false,
    };
    // What stands behind STARTTLS in clear is told as an injection.
    let elsewhere = before.verb == Verb::StartTls || early.verb == Verb::StartTls && !last_of_group;
    let hello = session.exchanges().iter().rev().find(|one| {
        one.index < early.index
            && one.inside_tls == early.inside_tls
            && matches!(one.verb, Verb::Ehlo | Verb::Helo | Verb::Lhlo)
    });
    let not_offered = hello.filter(|hello| hello.index < before.index).is_some_and(|hello| {
        hello
            .reply
            .yes()
            .is_some_and(|reply| reply.class() == 2 && !reply.incomplete)
            && !facts::offers(hello, "PIPELINING")
    });
    ((last_of_group || not_offered) && !elsewhere).then_some((before, early, not_offered))
}

/// Mail data in a frame before the 354 that allows it.
fn body_before_go_ahead(exchange: &Exchange) -> Option<(&Exchange, Stamp)> {
    let data = exchange.mail_data().filter(|data| data.chunks == 0)?;
    let go_ahead = exchange.intermediate().iter().find(|reply| reply.code == 354)?;
    (data.missing == 0 && data.span.first < go_ahead.span.first()).then_some((exchange, data.span.first))
}
