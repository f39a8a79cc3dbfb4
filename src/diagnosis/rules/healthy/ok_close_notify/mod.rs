//! TLS was ended in good order: the alert at the end is no error.

use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::protocol::tls::{AlertLevel, Phase};
use crate::session::{Session, Stage};
use crate::span::{Direction, Stamp};

/// `ok-close-notify`.
pub static RULE: Rule = Rule {
    slug: "ok-close-notify",
    layer: Layer::Healthy,
    severity: Severity::Ok,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8446 6.1", "RFC 5246 7.2.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let closed = |direction, stamp: Stamp| {
        let facts = session.connection.directions.get(direction);
        facts.fin.is_some_and(|fin| fin.frame >= stamp.frame)
    };
    let clear = tls.alerts.iter().find(|alert| {
        alert.description == 0
            && alert.level == AlertLevel::Warning
            && alert.phase >= Phase::AfterApplicationData
            && closed(alert.span.direction, alert.span.first)
    });
    let encrypted = tls
        .encrypted_alerts
        .iter()
        .find(|alert| alert.phase >= Phase::AfterApplicationData && closed(alert.direction, alert.stamp));
    let finding = match (clear, encrypted) {
        (Some(alert), _) => {
            Finding::of(rule, Stage::Quit, Evidence::alert(alert)).with("sender", sender(alert.span.direction))
        }
        (None, Some(alert)) => {
            let text = Note::of("encrypted alert, {length} octets, then FIN").with("length", alert.length);
            let finding = Finding::of(
                rule,
                Stage::Quit,
                Evidence::frame(alert.stamp, Some(alert.direction), text),
            )
            .with("sender", sender(alert.direction))
            .with("length", alert.length);
            if alert.inferred {
                finding.as_sure_as(Confidence::Inferred)
            } else {
                finding
            }
        }
        (None, None) => return None,
    };
    Some(finding)
}

fn sender(direction: Direction) -> Value {
    Value::Phrase(match direction {
        Direction::ToServer => "client",
        Direction::ToClient => "server",
    })
}
