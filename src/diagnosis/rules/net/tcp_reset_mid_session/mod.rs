//! A reset in the middle of a dialogue, without a reason before it.

use crate::diagnosis::Value;
use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::Seen;
use crate::protocol::retrieval::Status;
use crate::protocol::smtp::Verb;
use crate::protocol::tls::Phase;
use crate::session::{EndedBy, Outcome, Session};
use crate::span::{Direction, Role, Stamp};

/// `tcp-reset-mid-session`.
pub static RULE: Rule = Rule {
    slug: "tcp-reset-mid-session",
    layer: Layer::Net,
    severity: Severity::Fail,
    confidence: Confidence::Possible,
    precedence: Some(80),
    actors: &[Actor::Network, Actor::Server],
    explains_away: &[
        "smtp-client-vanished",
        "smtp-data-no-final-reply",
        "tls-close-notify-missing",
    ],
    leans_on_absence: true,
    references: &["RFC 9293 3.5.2", "RFC 5961 3", "RFC 2525 2.17"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let connection = &session.connection;
    let Some(reset) = connection
        .resets
        .iter()
        .find(|reset| reset.in_window && !reset.after_fin)
    else {
        return closed_inside_mail_data(rule, session).or_else(|| closed_unanswered(rule, session));
    };
    let spoke = connection.directions.to_client.octets > 0;
    if !spoke || finished_before(session, reset.stamp) {
        return None;
    }
    let last = session
        .exchanges()
        .iter()
        .rev()
        .find(|exchange| exchange.command.first() < reset.stamp);
    let by_client = reset.direction == Direction::ToServer && !reset.looks_forged;
    // The mail was sent and its reply is missing: that is what matters, not the packet that ended the waiting.
    if by_client && last.is_some_and(|last| last.mail_data().is_some_and(|data| data.ended.is_some())) {
        return None;
    }
    // Its own choice, with nothing left open: a client that only wanted to see the greeting, or whether the login works.
    let waits = session
        .commands()
        .last()
        .is_some_and(|last| last.answer.yes().is_none() && last.verb.bytes() != b"IDLE");
    let open = waits || last.is_some_and(|last| last.reply.yes().is_none());
    let begun = session.transactions.last().is_some_and(|one| one.data.is_none());
    // Of one direction alone nobody can say what the reset cut off, or whether QUIT came before.
    let half_seen = session.quality.only_direction.is_some();
    let severity = match half_seen || by_client && !open && !begun {
        true => Severity::Note,
        false => rule.severity,
    };
    let sender = match reset.direction {
        Direction::ToServer => Value::Phrase("client"),
        Direction::ToClient => Value::Phrase("server"),
    };
    Some(
        Finding::of(
            rule,
            session.stage,
            Evidence::frame(reset.stamp, Some(reset.direction), "RST"),
        )
        .as_severity(severity)
        .with("sender", sender)
        .with_some("last", last.map(|exchange| &exchange.line))
        .with_some("forged", reset.looks_forged.then_some("yes"))
        .with_some("time_to_live", reset.looks_forged.then_some(reset.time_to_live))
        .with_some("usual", reset.usual_time_to_live.filter(|_| reset.looks_forged))
        .and_some(last.map(Evidence::command)),
    )
}

/// The server's FIN instead of a reset, inside mail data and without a word: the same loss, with a politer packet.
fn closed_inside_mail_data(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let fin = session.connection.directions.to_client.fin?;
    let last = session.exchanges().last().filter(|last| last.reply == Seen::No)?;
    let octets = facts::unfinished_octets(last)?;
    // Mail data with an end that only some servers see is the line ends' matter; so is a client that left first.
    let ambiguous = last.mail_data().is_some_and(|data| data.line_facts.ambiguous_ends > 0);
    let said_why = session
        .smtp
        .as_ref()
        .is_some_and(|dialogue| dialogue.unsolicited.iter().any(|reply| reply.class() >= 4));
    if session.ended_by != EndedBy::Fin(Role::Server)
        || ambiguous
        || said_why
        || session.quality.only_direction.is_some()
    {
        return None;
    }
    Some(
        Finding::of(
            rule,
            session.stage,
            Evidence::frame(fin, Some(Direction::ToClient), "the server closes inside the mail data"),
        )
        .with("sender", Value::Phrase("server"))
        .with("octets", octets)
        .as_sure_as(Confidence::Likely)
        .and(Evidence::command(last)),
    )
}

/// The server's FIN instead of the reply to a command that it acknowledged. Of a login that it does not like it says nothing
/// either, and of a handshake the rules on TLS speak.
fn closed_unanswered(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let dialogue = session.smtp.as_deref()?;
    let fin = session.connection.directions.to_client.fin?;
    let last = session.exchanges().last().filter(|last| last.reply == Seen::No)?;
    let asks = matches!(
        last.verb,
        Verb::Ehlo | Verb::Helo | Verb::Lhlo | Verb::Auth | Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Rset
    );
    let told = !dialogue.unsolicited.is_empty() || dialogue.foreign.is_some();
    let refused = session.exchanges().iter().any(|one| facts::refusal(one).is_some());
    if !asks
        || told
        || refused
        || dialogue.greeting.is_none()
        || last.mail_data().is_some()
        || session.ended_by != EndedBy::Fin(Role::Server)
        || fin <= last.command.last()
        || !session.quality.is_complete()
    {
        return None;
    }
    Some(
        Finding::of(
            rule,
            session.stage,
            Evidence::frame(fin, Some(Direction::ToClient), "the server closes without a reply"),
        )
        .with("sender", Value::Phrase("server"))
        .with("unanswered", &last.line)
        .with("silence", fin.time.since(last.command.last().time))
        .as_sure_as(Confidence::Confirmed)
        .and(Evidence::command(last)),
    )
}

/// The dialogue had come to its end, or somebody had said why it would: then a reset costs nothing or is explained.
fn finished_before(session: &Session, at: Stamp) -> bool {
    let before = |stamp: Stamp| stamp <= at;
    let exchanges = session.exchanges();
    let quit = exchanges
        .iter()
        .any(|exchange| exchange.verb == Verb::Quit && before(exchange.command.first()));
    let accepted_last = exchanges.last().is_some_and(|exchange| {
        exchange.mail_data().is_some() && exchange.reply.yes().is_some_and(|reply| before(reply.span.last()))
    });
    let farewell = session.smtp.as_ref().is_some_and(|dialogue| {
        dialogue
            .unsolicited
            .iter()
            .any(|reply| reply.class() >= 4 && before(reply.span.last()))
            || dialogue.greeting.as_ref().is_some_and(|greeting| greeting.class() >= 4)
    }) || exchanges
        .iter()
        .any(|exchange| facts::refusal(exchange).is_some_and(|reply| before(reply.span.last())));
    let retrieval = session.retrieval.as_ref().is_some_and(|dialogue| {
        dialogue.bye.is_some()
            || dialogue
                .commands
                .iter()
                .any(|command| matches!(command.verb.bytes(), b"QUIT" | b"LOGOUT"))
            || dialogue
                .commands
                .iter()
                .any(|command| command.answer.yes().is_some_and(|answer| answer.status != Status::Ok))
    });
    let alert = session.tls.as_ref().is_some_and(|tls| {
        tls.alerts.iter().any(|alert| before(alert.span.first))
            || tls.encrypted_alerts.iter().any(|alert| before(alert.stamp))
            // Inside TLS nobody can see whether QUIT was said.
            || (tls.phase >= Phase::AfterApplicationData && session.outcome == Outcome::Encrypted)
            // A completed handshake that its client did not use is another rule's matter.
            || (tls.phase >= Phase::AfterHandshake && session.ended_by == EndedBy::Reset(Role::Client))
    });
    let fin = Direction::BOTH
        .into_iter()
        .any(|direction| session.connection.directions.get(direction).fin.is_some_and(before));
    quit || accepted_last || farewell || retrieval || alert || fin
}
