//! The certificate has a fault, and the client went on all the same.

use super::evidence::{self, Reaction};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `cert-problem-but-accepted`.
pub static RULE: Rule = Rule {
    slug: "cert-problem-but-accepted",
    layer: Layer::Cert,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    references: &["RFC 8314 5.3", "RFC 7817", "RFC 7435"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let judged = evidence::judged(session)?;
    if judged.reaction != Reaction::WentOn || !session.service.is_for_users() {
        return None;
    }
    let faults = judged.faults();
    if faults.is_empty() {
        return None;
    }
    let sent = session
        .tls
        .as_ref()
        .and_then(|tls| tls.directions.to_server.first_application_data);
    Some(
        Finding::of(rule, Stage::Tls, judged.quote(judged.leaf))
            .with("faults", faults)
            .with("subject", &judged.leaf.subject)
            .with("port", session.connection.server.port)
            .and_some(
                sent.map(|stamp| Evidence::frame(stamp, Some(Direction::ToServer), "application data of the client")),
            ),
    )
}
