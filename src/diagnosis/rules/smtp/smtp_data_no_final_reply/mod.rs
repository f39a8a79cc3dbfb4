//! The mail data ended, and no final reply came: delivered or not, nobody on this side knows.

use crate::diagnosis::Value;
use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::Seen;
use crate::protocol::smtp::{Exchange, Reply, Verb};
use crate::session::{EndedBy, Session, Stage};
use crate::span::{Direction, Role, Stamp};
use std::time::Duration;

/// `smtp-data-no-final-reply`.
pub static RULE: Rule = Rule {
    slug: "smtp-data-no-final-reply",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(71),
    actors: &[Actor::Server, Actor::Client],
    explains_away: &["smtp-client-vanished", "tls-close-notify-missing"],
    leans_on_absence: true,
    references: &["RFC 5321 4.5.3.2.6, 6.1", "RFC 1047"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// A final reply that takes longer is worth a warning: many clients do not wait longer.
const SLOW: Duration = Duration::from_secs(60);
/// RFC 5321, section 4.5.3.2.6.
const FULL_WAIT: Duration = Duration::from_secs(600);

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    session
        .exchanges()
        .iter()
        .find_map(|exchange| look(rule, session, exchange))
}

fn look(rule: &'static Rule, session: &Session, exchange: &Exchange) -> Option<Finding> {
    let data = exchange.mail_data()?;
    let ended = data.ended?;
    let end = Evidence::frame(ended, Some(Direction::ToServer), "end of the mail data");
    if let Some(reply) = exchange.reply.yes() {
        return answered(rule, session, exchange, reply, ended, end);
    }
    let to_server = &session.connection.directions.to_server;
    let unknown = exchange.reply != Seen::No || session.quality.only_direction.is_some();
    // What the server never acknowledged is the path's matter: it may not even have the whole mail.
    let stuck = to_server.unacknowledged_at_end > 0
        || session
            .connection
            .stuck
            .iter()
            .any(|stuck| stuck.direction == Direction::ToServer && !stuck.acknowledged);
    if unknown || stuck {
        return None;
    }
    let (closed, by) = closing(session, ended)?;
    let quotation = if by.is_some() {
        "closed without a final reply"
    } else {
        "until then no final reply"
    };
    let direction = by.map(|role| {
        if role == Role::Client {
            Direction::ToServer
        } else {
            Direction::ToClient
        }
    });
    Some(
        Finding::of(rule, Stage::FinalReply, Evidence::frame(closed, direction, quotation))
            .with("waited", closed.time.since(ended.time))
            .with("size", data.size)
            .with_some(
                "who",
                by.map(|role| Value::Phrase(if role == Role::Client { "client" } else { "server" })),
            )
            .with_some("client_left", (by == Some(Role::Client)).then_some("yes"))
            .and(end),
    )
}

/// The reply came, but behind the client's back or very late.
fn answered(
    rule: &'static Rule,
    session: &Session,
    exchange: &Exchange,
    reply: &Reply,
    ended: Stamp,
    end: Evidence,
) -> Option<Finding> {
    let waited = reply.span.first().time.since(ended.time);
    let quit = session.exchanges().iter().any(|one| one.verb == Verb::Quit);
    let left = session
        .connection
        .directions
        .to_server
        .fin
        .filter(|fin| *fin < reply.span.first() && *fin > ended && !quit);
    if let Some(left) = left.filter(|_| reply.class() == 2 && !session.quality.disordered) {
        return Some(
            Finding::of(
                rule,
                Stage::FinalReply,
                Evidence::frame(left, Some(Direction::ToServer), "the client closes"),
            )
            .with("waited", left.time.since(ended.time))
            .with("late", &facts::words(reply))
            .with("client_left", "yes")
            .and(Evidence::reply(reply))
            .and(end),
        );
    }
    (waited >= SLOW && exchange.intermediate().iter().all(|one| one.span.last() <= ended)).then(|| {
        Finding::of(rule, Stage::FinalReply, Evidence::reply(reply))
            .with("slow", waited)
            .and(end)
            .as_severity(Severity::Risk)
    })
}

/// How the waiting ended, and by whom; `None` where the capture ended too early to tell.
fn closing(session: &Session, ended: Stamp) -> Option<(Stamp, Option<Role>)> {
    let connection = &session.connection;
    match session.ended_by {
        EndedBy::Fin(Role::Client) => Some((connection.directions.to_server.fin?, Some(Role::Client))),
        EndedBy::Fin(Role::Server) => Some((connection.directions.to_client.fin?, Some(Role::Server))),
        EndedBy::Reset(role) => {
            let direction = if role == Role::Client {
                Direction::ToServer
            } else {
                Direction::ToClient
            };
            Some((
                connection
                    .resets
                    .iter()
                    .find(|reset| reset.direction == direction)?
                    .stamp,
                Some(role),
            ))
        }
        EndedBy::Idle | EndedBy::CaptureEnd => {
            let until = session.capture_end?;
            (until.time.since(ended.time) >= FULL_WAIT).then_some((until, None))
        }
        _ => None,
    }
}
