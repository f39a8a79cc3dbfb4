//! The beginning or the end of the session is not in the capture.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{EndedBy, Session, Stage};

/// `capture-partial-session`.
pub static RULE: Rule = Rule {
    slug: "capture-partial-session",
    layer: Layer::Capture,
    severity: Severity::Limit,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Capture],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 9293 3.5", "RFC 7323 2.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let quality = session.quality;
    let connection = &session.connection;
    if quality.started_late {
        return Some(
            Finding::of(
                rule,
                Stage::Connect,
                Evidence::frame(connection.first, None, "first frame: no SYN before it"),
            )
            .with("late", "yes"),
        );
    }
    if session.ended_by == EndedBy::Operator {
        return Some(
            Finding::of(
                rule,
                session.stage,
                Evidence::frame(connection.last, None, "last frame before the watch was stopped"),
            )
            .with("stopped", "yes"),
        );
    }
    quality.cut_off.then(|| {
        Finding::of(
            rule,
            session.stage,
            Evidence::frame(connection.last, None, "last frame: no FIN and no RST"),
        )
        .with("cut", "yes")
    })
}
