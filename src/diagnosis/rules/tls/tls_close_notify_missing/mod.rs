//! The connection ended without close_notify.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::Phase;
use crate::session::{EndedBy, Session, Stage};

/// `tls-close-notify-missing`.
pub static RULE: Rule = Rule {
    slug: "tls-close-notify-missing",
    layer: Layer::Tls,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[],
    references: &["RFC 8446 6.1", "RFC 8314 3.4", "openssl/openssl#18866"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session
        .tls
        .as_deref()
        .filter(|tls| tls.phase >= Phase::AfterApplicationData)?;
    if session.quality.gaps
        || session.quality.cut_off
        || session.quality.only_direction.is_some()
        || !matches!(session.ended_by, EndedBy::Fin(_) | EndedBy::Reset(_))
    {
        return None;
    }
    let said = !tls.encrypted_alerts.is_empty() || tls.alerts.iter().any(|alert| alert.description == 0);
    let end = session
        .connection
        .directions
        .to_client
        .fin
        .or(session.connection.directions.to_server.fin)
        .unwrap_or(session.connection.last);
    (!said).then(|| {
        Finding::of(
            rule,
            Stage::Quit,
            Evidence::frame(end, None, "closed; no record of the size of close_notify before"),
        )
    })
}
