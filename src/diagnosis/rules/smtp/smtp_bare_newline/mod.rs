//! Mail data has LF or CR alone: refused, waited on for ever, or read as two mails.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::Seen;
use crate::protocol::smtp::{Exchange, Reply};
use crate::session::{Session, Stage};
use crate::span::Direction;
use std::cmp::Reverse;
use std::time::Duration;

/// `smtp-bare-newline`.
pub static RULE: Rule = Rule {
    slug: "smtp-bare-newline",
    layer: Layer::Smtp,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: Some(73),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-content-rejected",
        "smtp-data-no-final-reply",
        "smtp-server-421",
    ],
    leans_on_absence: false,
    references: &[
        "RFC 5321 2.3.8, 4.1.1.4",
        "CVE-2023-51764",
        "CVE-2023-51765",
        "CVE-2023-51766",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// A server that does not see the end stays silent for longer than this.
const SILENCE: Duration = Duration::from_secs(5);

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let found = |exchange: &&Exchange| {
        // Counted chunks may hold any octet.
        exchange
            .mail_data()
            .filter(|data| data.chunks == 0)
            .is_some_and(|data| data.line_facts.first_odd.is_some())
    };
    let worst = session.exchanges().iter().filter(found).max_by_key(|exchange| {
        (
            outcome(session, exchange),
            exchange.mail_data().map(|data| data.line_facts.ambiguous_ends),
            Reverse(exchange.index),
        )
    })?;
    let data = worst.mail_data()?;
    let odd = data.line_facts.first_odd?;
    let outcome = outcome(session, worst);
    let finding = Finding::of(
        rule,
        Stage::Data,
        Evidence::frame(odd, Some(Direction::ToServer), "LF without CR, or CR without LF"),
    )
    .with("line_feeds", data.line_facts.bare_line_feeds)
    .with("returns", data.line_facts.bare_carriage_returns)
    .with_some(
        "ambiguous",
        (data.line_facts.ambiguous_ends > 0).then_some(data.line_facts.ambiguous_ends),
    )
    .with_some(
        "refused",
        facts::refusal(worst)
            .filter(|_| outcome == Outcome::Refused)
            .map(facts::words)
            .as_ref(),
    )
    .with_some("stalled", (outcome == Outcome::Stalled).then_some("yes"))
    .with_some("smuggled", (outcome == Outcome::Smuggled).then_some("yes"))
    .and_some(worst.reply.yes().map(Evidence::reply));
    Some(match outcome {
        Outcome::Taken => finding,
        Outcome::Smuggled => extra_replies(session, worst)
            .fold(finding, |finding, reply| finding.and(Evidence::reply(reply)))
            .as_severity(Severity::Fail),
        Outcome::Refused | Outcome::Stalled => finding.as_severity(Severity::Fail),
    })
}

/// What the server made of it; the worst is the greatest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    Taken,
    Refused,
    Stalled,
    Smuggled,
}

fn outcome(session: &Session, exchange: &Exchange) -> Outcome {
    let Some(data) = exchange.mail_data() else {
        return Outcome::Taken;
    };
    let ambiguous = data.line_facts.ambiguous_ends > 0;
    // Replies to an empty line or to QUIT behind a lenient end of data are those of a client that writes LF everywhere;
    // a smuggled mail has its commands accepted.
    let accepted = |reply: &Reply| matches!(reply.class(), 2 | 3) && reply.code != 221;
    if ambiguous && extra_replies(session, exchange).any(accepted) {
        return Outcome::Smuggled;
    }
    let until = session
        .connection
        .last
        .time
        .max(session.capture_end.map_or(session.connection.last.time, |end| end.time));
    let silent = until.since(data.span.last.time) >= SILENCE;
    let unended = data.ended.is_none() && data.missing == 0 && session.quality.only_direction.is_none();
    match &exchange.reply {
        Seen::No if ambiguous && unended && silent => Outcome::Stalled,
        Seen::Yes(reply) if reply.code == 421 && ambiguous && unended => Outcome::Stalled,
        Seen::Yes(reply) if reply.class() >= 4 && speaks_of_it(reply) => Outcome::Refused,
        _ => Outcome::Taken,
    }
}

fn speaks_of_it(reply: &Reply) -> bool {
    facts::is_enhanced(reply, 6, 11)
        || facts::says_any(
            reply,
            &[
                "bare <lf>",
                "bare <cr>",
                "bare lf",
                "bare cr",
                "bare newline",
                "bare line",
                "barelinefeed",
                "stray newline",
                "line feed",
                "linefeed",
                "line ending",
            ],
        )
}

/// Replies that no command asked for, behind the beginning of this mail data and before the next command.
fn extra_replies<'a>(session: &'a Session, exchange: &'a Exchange) -> impl Iterator<Item = &'a Reply> {
    let from = exchange.mail_data().map(|data| data.span.first);
    let until = session
        .exchanges()
        .iter()
        .find(|one| one.index > exchange.index)
        .and_then(|one| one.reply.yes())
        .map(|reply| reply.span.first());
    let unsolicited = session.smtp.iter().flat_map(|dialogue| &dialogue.unsolicited);
    unsolicited.filter(move |reply| {
        reply.code != 421
            && from.is_some_and(|from| reply.span.first() > from)
            && until.is_none_or(|until| reply.span.first() <= until)
    })
}
