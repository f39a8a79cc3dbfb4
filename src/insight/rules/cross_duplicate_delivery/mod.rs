//! The same message was handed over twice for the same recipients.

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::Duration;

use foldhash::quality::RandomState;

use crate::captured::Captured;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::insight::digest::{Digest, TransactionDigest};
use crate::insight::history::Insight;
use crate::insight::window::Window;
use crate::session::{Stage, TransactionResult};
use crate::span::Direction;

/// `cross-duplicate-delivery`.
pub static RULE: Rule = Rule {
    slug: "cross-duplicate-delivery",
    layer: Layer::Cross,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 5321 4.1.1.4, 6.1", "RFC 1047"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

/// Mails without a Message-ID are the same only within this time.
const SAME_TRY: Duration = Duration::from_secs(3600);

/// What two copies of a mail share: client, port, envelope, and Message-ID or else the body. The same mail on the next hop
/// of a relay has another client; through a filter, another port.
type Key<'a> = (IpAddr, u16, u64, Option<&'a [u8]>, Option<(u64, u64)>);

/// The key of a mail that was accepted, or may have been; `None` where nothing tells it from another.
fn key<'a>(digest: &Digest, transaction: &'a TransactionDigest) -> Option<Key<'a>> {
    let accepted = transaction.result == TransactionResult::Accepted;
    let open = transaction.no_final_reply && transaction.result != TransactionResult::Refused;
    let id = transaction
        .message_id
        .as_ref()
        .filter(|id| !id.is_empty())
        .map(Captured::bytes);
    let told_apart = id.is_some() || transaction.body.is_some();
    ((accepted || open) && told_apart && !transaction.first_recipient.is_empty()).then(|| {
        let body = transaction.body.filter(|_| id.is_none());
        (
            digest.client_address(),
            digest.server.port,
            transaction.envelope,
            id,
            body,
        )
    })
}

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    let mails = || {
        window
            .sessions()
            .flat_map(|digest| digest.transactions.iter().map(move |one| (digest, one)))
            .filter_map(|(digest, one)| Some((key(digest, one)?, (digest, one))))
    };
    // Nearly every mail is there once: the few that may not be are found first.
    let state = RandomState::default();
    let mut once = HashSet::with_hasher(RandomState::default());
    let again: HashSet<u64> = mails()
        .map(|(key, _)| state.hash_one(key))
        .filter(|hash| !once.insert(*hash))
        .collect();
    if again.is_empty() {
        return Vec::new();
    }
    let mut groups: BTreeMap<_, Vec<(&Digest, &TransactionDigest)>> = BTreeMap::new();
    for (key, mail) in mails().filter(|(key, _)| again.contains(&state.hash_one(key))) {
        groups.entry(key).or_default().push(mail);
    }
    let found: Vec<Vec<_>> = groups.into_values().filter(|copies| twice(copies)).collect();
    let mut by_client: BTreeMap<_, Vec<Vec<(&Digest, &TransactionDigest)>>> = BTreeMap::new();
    for copies in found {
        if let Some((digest, _)) = copies.first() {
            by_client.entry(digest.client_address()).or_default().push(copies);
        }
    }
    by_client
        .into_values()
        .filter_map(|mails| insight(rule, &mails))
        .collect()
}

/// Accepted twice, or accepted after a try whose reply never came.
fn twice(copies: &[(&Digest, &TransactionDigest)]) -> bool {
    let close = copies.windows(2).all(|pair| match pair {
        [(_, one), (_, next)] => one.message_id.is_some() || next.began.time.since(one.decided.time) <= SAME_TRY,
        _ => true,
    });
    copies.len() > 1
        && close
        && copies
            .last()
            .is_some_and(|(_, last)| last.result == TransactionResult::Accepted)
}

fn insight(rule: &'static Rule, mails: &[Vec<(&Digest, &TransactionDigest)>]) -> Option<Insight> {
    let copies = mails.first()?;
    let (last, transaction) = copies.last()?;
    let no_reply = copies.iter().any(|(_, one)| one.no_final_reply);
    let quote = |one: &TransactionDigest| {
        let text = if one.no_final_reply {
            "end of data, no final reply"
        } else {
            "accepted"
        };
        Evidence::frame(one.decided, Some(Direction::ToClient), text)
    };
    let mut finding = Finding::of(rule, Stage::FinalReply, quote(transaction))
        .as_sure_as(if no_reply {
            Confidence::Likely
        } else {
            Confidence::Confirmed
        })
        .with("client", last.client.address.to_string())
        .with("server", last.server.to_string())
        .with("recipient", &transaction.first_recipient)
        .with("copies", copies.len())
        .with_some("message_id", transaction.message_id.as_ref())
        .with_some("no_reply", no_reply.then_some("yes"))
        .with_some("mails", (mails.len() > 1).then_some(mails.len()));
    finding
        .evidence
        .extend(copies.iter().rev().skip(1).take(4).map(|(_, one)| quote(one)));
    Some(Insight::on(finding, mails.iter().flatten().map(|(digest, _)| *digest)))
}
