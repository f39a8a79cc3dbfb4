//! Mail that was put off at first was accepted on a later try.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use crate::insight::digest::{Digest, TransactionDigest};
use crate::insight::history::Insight;
use crate::insight::kinship;
use crate::insight::window::Window;
use crate::session::{Stage, TransactionResult};
use crate::span::Direction;

/// `cross-greylist-passed`.
pub static RULE: Rule = Rule {
    slug: "cross-greylist-passed",
    layer: Layer::Cross,
    severity: Severity::Ok,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &["smtp-greylisted", "smtp-tempfail"],
    leans_on_absence: false,
    references: &["RFC 6647", "RFC 5321 4.5.4.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    // Farms send the second try from another address of the same network.
    window
        .by_host()
        .filter_map(|sessions| of_server(rule, sessions))
        .collect()
}

/// One mail: first put off, accepted in the end.
struct Passed<'a> {
    tries: Vec<(&'a Digest, &'a TransactionDigest)>,
    accepted: (&'a Digest, &'a TransactionDigest),
}

fn put_off(digest: &Digest, transaction: &TransactionDigest) -> bool {
    matches!(transaction.recipient_code, Some(450 | 451))
        && !matches!(
            transaction.result,
            TransactionResult::Accepted | TransactionResult::PartlyAccepted
        )
        && digest
            .root_cause
            .is_none_or(|slug| matches!(slug, "smtp-greylisted" | "smtp-tempfail"))
}

fn of_server(rule: &'static Rule, sessions: &[&Digest]) -> Option<Insight> {
    let mut waiting: HashMap<u64, Vec<(&Digest, &TransactionDigest)>> = HashMap::new();
    let mut passed: Vec<Passed<'_>> = Vec::new();
    for digest in sessions.iter().copied() {
        for transaction in &digest.transactions {
            if put_off(digest, transaction) {
                waiting
                    .entry(transaction.envelope)
                    .or_default()
                    .push((digest, transaction));
            } else if !waiting.is_empty()
                && transaction.result == TransactionResult::Accepted
                && let Entry::Occupied(tries) = waiting.entry(transaction.envelope)
                && tries
                    .get()
                    .iter()
                    .all(|(one, _)| kinship::same_network(one.client_address(), digest.client_address()))
            {
                let tries = tries.remove();
                passed.push(Passed {
                    tries,
                    accepted: (digest, transaction),
                });
            }
        }
    }
    let longest = passed.iter().max_by_key(|one| delay(one))?;
    let (digest, transaction) = longest.accepted;
    let tried = longest.tries.first().map(|(_, one)| *one)?;
    let finding = Finding::of(
        rule,
        Stage::FinalReply,
        Evidence::frame(
            transaction.decided,
            Some(Direction::ToClient),
            "accepted on a later try",
        ),
    )
    .with("server", digest.server.to_string())
    .with("recipient", &transaction.first_recipient)
    .with("tries", longest.tries.len() + 1)
    .with("delay", delay(longest))
    .with_some("mails", (passed.len() > 1).then_some(passed.len()))
    .and(Evidence::frame(
        tried.began,
        Some(Direction::ToServer),
        Note::of("first try, refused with {code}").with("code", tried.recipient_code.unwrap_or(450)),
    ));
    let on = passed
        .iter()
        .flat_map(|one| one.tries.iter().map(|(digest, _)| *digest).chain([one.accepted.0]));
    // A session may hold further mails, of which no later try was seen.
    let waiting = waiting.values().flatten().map(|(digest, _)| digest.id);
    Some(Insight::on(finding, on).excusing().but(waiting))
}

fn delay(passed: &Passed<'_>) -> Duration {
    passed.tries.first().map_or(Duration::ZERO, |(_, first)| {
        passed.accepted.1.decided.time.since(first.began.time)
    })
}
