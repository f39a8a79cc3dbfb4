//! The first side to close sent no close_notify.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::Phase;
use crate::session::{Session, Stage};
use crate::span::{Role, Stamp};

/// `tls-close-notify-missing`.
pub static RULE: Rule = Rule {
    slug: "tls-close-notify-missing",
    layer: Layer::Tls,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8446 6.1", "RFC 8314 3.4", "openssl/openssl#18866"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = evidence::completed(session).filter(|tls| tls.phase == Phase::AfterApplicationData)?;
    let quality = &session.quality;
    if quality.gaps || quality.only_direction.is_some() || tls.client_hellos.is_empty() {
        return None;
    }
    let end = evidence::end(session)?;
    let before = |stamp: Stamp| stamp.frame <= end.stamp.frame;
    let said = tls
        .encrypted_alerts
        .iter()
        .any(|alert| alert.direction == end.by.sends() && before(alert.stamp))
        || tls
            .alerts
            .iter()
            .any(|alert| alert.span.direction == end.by.sends() && before(alert.span.first));
    // Both sides have said what they had to say.
    let finished = tls.encrypted_alerts.iter().any(|alert| before(alert.stamp))
        || evidence::client_data(tls)
            .next_back()
            .is_some_and(|record| evidence::may_be_quit(tls, record))
        || (tls.decrypted && session.stage >= Stage::Quit);
    if said || finished {
        return None;
    }
    let by_client = end.by == Role::Client;
    Some(
        Finding::of(rule, Stage::Encrypted, end.evidence())
            .with_some("client", by_client.then_some("yes"))
            .with_some("server", (!by_client).then_some("yes"))
            .with_some("reset", end.reset.then_some("yes")),
    )
}
