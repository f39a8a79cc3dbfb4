//! A reset came after the conversation was over.

use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::Verb;
use crate::protocol::tls::Phase;
use crate::session::{Outcome, Session, Stage};
use crate::span::{Direction, Stamp};

/// `ok-rst-after-close`.
pub static RULE: Rule = Rule {
    slug: "ok-rst-after-close",
    layer: Layer::Healthy,
    severity: Severity::Ok,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 9293 3.6.1", "RFC 1122 4.2.2.13"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let harmed = !matches!(
        session.outcome,
        Outcome::Accepted
            | Outcome::PartlyAccepted
            | Outcome::Refused
            | Outcome::Deferred
            | Outcome::AuthenticationFailed
            | Outcome::LoggedIn
            | Outcome::NothingTried
            | Outcome::Encrypted
    );
    if harmed {
        return None;
    }
    let over = farewell(session);
    let reset = session.connection.resets.iter().find(|reset| {
        !reset.looks_forged
            && (reset.in_window || reset.after_fin)
            && over.is_some_and(|over| over.frame < reset.stamp.frame)
    })?;
    let sender = match reset.direction {
        Direction::ToServer => "client",
        Direction::ToClient => "server",
    };
    Some(
        Finding::of(
            rule,
            Stage::Quit,
            Evidence::frame(
                reset.stamp,
                Some(reset.direction),
                "RST after the end of the conversation",
            ),
        )
        .with("sender", Value::Phrase(sender)),
    )
}

/// Where the sides had said goodbye: the answer to QUIT or LOGOUT, or an alert after the last application data.
fn farewell(session: &Session) -> Option<Stamp> {
    let smtp = session
        .exchanges()
        .iter()
        .find(|exchange| exchange.verb == Verb::Quit)
        .and_then(|exchange| exchange.reply.yes())
        .map(|reply| reply.span.last());
    let retrieval = session
        .commands()
        .iter()
        .find(|command| command.verb.equals_ignoring_case("QUIT") || command.verb.equals_ignoring_case("LOGOUT"))
        .and_then(|command| command.answer.yes())
        .map(|answer| answer.span.last);
    let alert = session.tls.as_deref().and_then(|tls| {
        let encrypted = tls
            .encrypted_alerts
            .iter()
            .filter(|alert| alert.phase >= Phase::AfterApplicationData)
            .map(|alert| alert.stamp);
        let clear = tls
            .alerts
            .iter()
            .filter(|alert| alert.description == 0 && alert.phase >= Phase::AfterApplicationData)
            .map(|alert| alert.span.last);
        encrypted.chain(clear).next()
    });
    smtp.or(retrieval).or(alert)
}
