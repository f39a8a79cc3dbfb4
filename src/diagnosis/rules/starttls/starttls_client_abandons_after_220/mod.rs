//! STARTTLS was accepted and the client sent no ClientHello.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::Verb;
use crate::session::{EndedBy, Session, Stage};
use crate::span::{Direction, Role};

/// `starttls-client-abandons-after-220`.
pub static RULE: Rule = Rule {
    slug: "starttls-client-abandons-after-220",
    layer: Layer::StartTls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(34),
    actors: &[Actor::Client],
    explains_away: &["smtp-client-vanished"],
    references: &[
        "RFC 3207 4.1",
        "byzer-lang#1659",
        "convertigo#514",
        "jakartaee/mail-api#811",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if session.tls.is_some()
        || session.quality.cut_off
        || session.quality.gaps
        || session.quality.only_direction.is_some()
    {
        return None;
    }
    let exchange = session
        .exchanges()
        .iter()
        .find(|exchange| matches!(exchange.verb, Verb::StartTls | Verb::XAnonymousTls))?;
    let reply = exchange.reply.yes().filter(|reply| reply.code == 220)?;
    let mirror = session.smtp.as_ref().is_some_and(|dialogue| dialogue.decrypting_mirror);
    let more = session.exchanges().iter().any(|one| one.index > exchange.index);
    if mirror || more {
        return None;
    }
    let by_client = matches!(
        session.ended_by,
        EndedBy::Fin(Role::Client) | EndedBy::Reset(Role::Client)
    );
    // A server that closes first after its own 220 has not given the client the time.
    if !by_client && session.ended_by != EndedBy::Idle {
        return None;
    }
    let left = session.connection.directions.to_server.fin.or(session
        .connection
        .resets
        .first()
        .map(|reset| reset.stamp));
    Some(
        Finding::of(rule, Stage::StartTls, Evidence::reply(reply))
            .with("waited", session.connection.last.time.since(reply.span.last.time))
            .and_some(left.map(|stamp| Evidence::frame(stamp, Some(Direction::ToServer), "the client closes"))),
    )
}
