//! One way failed and another one worked right after: port, TLS version or address.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity, Value};
use std::collections::BTreeMap;
use std::time::Duration;

use crate::insight::digest::Digest;
use crate::insight::history::Insight;
use crate::insight::kinship;
use crate::insight::window::Window;
use crate::protocol::tls::Version;
use crate::session::Outcome;

/// `cross-success-after-fallback`.
pub static RULE: Rule = Rule {
    slug: "cross-success-after-fallback",
    layer: Layer::Cross,
    severity: Severity::Note,
    confidence: Confidence::Likely,
    precedence: None,
    actors: &[Actor::Client, Actor::Network],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8305", "RFC 5321 5.1", "RFC 7507"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

/// A second try later than this is an experiment, not a fallback.
const SOON: Duration = Duration::from_secs(60);

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    window
        .by_client()
        .filter(|sessions| sessions.len() > 1)
        .flat_map(|sessions| of_client(rule, sessions))
        .collect()
}

/// What the second try did otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Factor {
    Port,
    Version(Version, Version),
    Address,
}

fn of_client(rule: &'static Rule, sessions: &[&Digest]) -> Vec<Insight> {
    let mut found: BTreeMap<_, (&Digest, &Digest, Factor, Vec<&Digest>)> = BTreeMap::new();
    for (position, before) in sessions
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, digest)| failed(digest))
    {
        let next = sessions
            .iter()
            .copied()
            .skip(position + 1)
            .take_while(|after| after.start().since(before.last.time) <= SOON)
            .find_map(|after| Some((after, changed(before, after).filter(|_| after.worked())?)));
        if let Some((after, factor)) = next {
            let entry =
                found
                    .entry((before.server, after.server, factor))
                    .or_insert((before, after, factor, Vec::new()));
            entry.3.extend([before, after]);
        }
    }
    found
        .into_values()
        .map(|(before, after, factor, all)| insight(rule, before, after, factor, &all))
        .collect()
}

fn failed(digest: &Digest) -> bool {
    !digest.accepted_mail()
        && (digest.root_cause.is_some() || matches!(digest.outcome, Outcome::TlsFailed | Outcome::NoConnection))
        && matches!(
            digest.outcome,
            Outcome::TlsFailed
                | Outcome::NoConnection
                | Outcome::NoDialogue
                | Outcome::Aborted
                | Outcome::AuthenticationFailed
        )
}

/// The one factor that differs; nothing where several differ or none.
fn changed(before: &Digest, after: &Digest) -> Option<Factor> {
    let purpose = kinship::purpose(before.service)?;
    if kinship::purpose(after.service)? != purpose {
        return None;
    }
    let same_address = before.server.address == after.server.address;
    let same_port = before.server.port == after.server.port;
    if same_address && !same_port {
        // With another offer as well, two things differ: `cross-tls-version-differs-by-port` tells of that.
        let maximum = |digest: &Digest| digest.tls.as_ref().and_then(|tls| tls.maximum);
        let same_offer = maximum(before).zip(maximum(after)).is_none_or(|(old, new)| old == new);
        return same_offer.then_some(Factor::Port);
    }
    if same_address && same_port {
        let (old, new) = (before.tls.as_ref()?, after.tls.as_ref()?);
        let (old_maximum, new_maximum) = (old.maximum?, new.maximum?);
        // An offer of a single version is a test of versions, not a client's usual offer.
        let usual = old.minimum.is_some_and(|minimum| minimum < old_maximum);
        return (usual && !old.completed && new_maximum < old_maximum)
            .then_some(Factor::Version(old_maximum, new_maximum));
    }
    // Another server is the same purpose only where the first could not be reached and both are one provider's.
    let unreachable = before.outcome == Outcome::NoConnection;
    (unreachable && same_port && kinship::same_network(before.server.address, after.server.address))
        .then_some(Factor::Address)
}

/// What stands on the path may be to blame: nothing else is known, or the cause's own rule says so.
fn path_in_question(before: &Digest) -> bool {
    let cause = before.root_cause.and_then(crate::insight::rule);
    cause.is_none_or(|cause| cause.actors.contains(&Actor::Network))
}

fn insight(rule: &'static Rule, before: &Digest, after: &Digest, factor: Factor, all: &[&Digest]) -> Insight {
    let finding = Finding::of(
        rule,
        before.stage,
        Evidence::frame(
            before.last,
            None,
            match before.root_cause {
                Some(cause) => Note::of("session {id}: {cause}")
                    .with("id", before.id)
                    .with("cause", Value::Rule(cause)),
                None => Note::of("session {id}: no success").with("id", before.id),
            },
        ),
    )
    .and(Evidence::frame(
        after.first,
        None,
        Note::of("session {id} to {server}: worked")
            .with("id", after.id)
            .with("server", after.server.to_string()),
    ))
    .with("client", before.client.address.to_string())
    .with("failed", before.server.to_string())
    .with("worked", after.server.to_string())
    .with_some("cause", before.root_cause.map(Value::Rule))
    .with_some("path", path_in_question(before).then(|| before.server.to_string()))
    .with_some("times", (all.len() > 2).then_some(all.len() / 2));
    let finding = match factor {
        Factor::Port => finding.with("other_port", after.server.port),
        Factor::Version(old, new) => finding.with("old_version", old).with("new_version", new),
        Factor::Address => finding.with("other_address", "yes"),
    };
    Insight::on(finding, all.iter().copied())
}
