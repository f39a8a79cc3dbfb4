//! A monitor or balancer connects regularly and wants no mail.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use std::time::Duration;

use crate::insight::digest::Digest;
use crate::insight::history::Insight;
use crate::insight::kinship;
use crate::insight::window::Window;
use crate::session::{Outcome, Stage};
use crate::span::Direction;

/// `ok-connect-probe`.
pub static RULE: Rule = Rule {
    slug: "ok-connect-probe",
    layer: Layer::Healthy,
    severity: Severity::Ok,
    confidence: Confidence::Likely,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &["smtp-client-vanished", "tcp-reset-before-greeting"],
    leans_on_absence: false,
    references: &["RFC 5321 4.3.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

/// Connections that make a rhythm.
const PROBES: usize = 3;
/// A probe is over soon; one that waits longer may be stuck.
const LONGEST: Duration = Duration::from_secs(10);

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    window
        .by_connection()
        .filter(|sessions| sessions.len() >= PROBES)
        .filter_map(|sessions| of_pair(rule, sessions))
        .collect()
}

/// Nothing of mail was wanted, and nothing went wrong that would matter to somebody who wanted mail.
fn wants_nothing(digest: &Digest) -> bool {
    let quiet = match digest.outcome {
        Outcome::NothingTried | Outcome::NoDialogue => true,
        Outcome::Aborted => digest.stage <= Stage::Hello,
        Outcome::Encrypted => digest.application_octets == 0,
        _ => false,
    };
    let harmless = digest
        .root_cause
        .is_none_or(|slug| matches!(slug, "smtp-client-vanished" | "tcp-reset-before-greeting"));
    quiet
        && harmless
        && digest.transactions.is_empty()
        && digest.auth.is_empty()
        && !digest.quality.started_late
        && digest.last.time.since(digest.start()) <= LONGEST
}

fn of_pair(rule: &'static Rule, sessions: &[&Digest]) -> Option<Insight> {
    let probes: Vec<&Digest> = sessions
        .iter()
        .copied()
        .filter(|digest| wants_nothing(digest))
        .collect();
    let interval = kinship::rhythm(&probes).filter(|_| probes.len() >= PROBES)?;
    let (first, last) = (probes.first()?, probes.last()?);
    let finding = Finding::of(
        rule,
        Stage::Connect,
        Evidence::frame(
            first.first,
            Some(Direction::ToServer),
            Note::of("connection to {server}, no mail").with("server", first.server.to_string()),
        ),
    )
    .with("client", first.client.address.to_string())
    .with("server", first.server.to_string())
    .with("times", probes.len())
    .with("interval", interval)
    .and(Evidence::frame(
        last.first,
        Some(Direction::ToServer),
        Note::of("connection to {server}, no mail").with("server", last.server.to_string()),
    ));
    Some(Insight::on(finding, probes.iter().copied()).excusing())
}
