//! EHLO was refused and HELO taken, or EHLO was never tried.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::Verb;
use crate::session::{Session, Stage};

/// `smtp-ehlo-fallback-helo`.
pub static RULE: Rule = Rule {
    slug: "smtp-ehlo-fallback-helo",
    layer: Layer::Smtp,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: Some(61),
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 5321 2.2.1, 3.2, 4.1.4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if session.quality.started_late
        || session.quality.only_direction.is_some()
        || session
            .exchanges()
            .iter()
            .any(|one| one.reply == crate::protocol::Seen::Hidden)
    {
        return None;
    }
    let helo = session
        .exchanges()
        .iter()
        .find(|exchange| exchange.verb == Verb::Helo && facts::replied(exchange, |code| code / 100 == 2))?;
    let ehlo = session
        .exchanges()
        .iter()
        .find(|exchange| exchange.verb == Verb::Ehlo && exchange.index < helo.index);
    let refused = match ehlo {
        Some(exchange) => Some(facts::refusal(exchange)?),
        None => None,
    };
    let decisive = refused.map_or_else(|| Evidence::command(helo), Evidence::reply);
    Some(
        Finding::of(rule, Stage::Hello, decisive)
            .with_some("reply", refused.map(facts::words).as_ref())
            .and(Evidence::command(helo)),
    )
}
