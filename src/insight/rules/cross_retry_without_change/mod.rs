//! The same failure came back again and again.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity, Value};
use std::collections::{BTreeMap, BTreeSet};

use crate::captured::Captured;
use crate::insight::digest::Digest;
use crate::insight::history::Insight;
use crate::insight::kinship;
use crate::insight::window::Window;
use crate::session::Outcome;

/// `cross-retry-without-change`.
pub static RULE: Rule = Rule {
    slug: "cross-retry-without-change",
    layer: Layer::Cross,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(88),
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 5321 4.5.4.1", "RFC 4954 9"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

/// Failures of one kind that make a series.
const SERIES: usize = 5;
/// Different user names from one client, or different clients on one user name, that look like guessing.
const GUESSED: usize = 3;

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    let mut series: BTreeMap<_, Vec<&Digest>> = BTreeMap::new();
    let mut on_user: BTreeMap<_, Vec<&Digest>> = BTreeMap::new();
    for digest in window.sessions() {
        // A 4xx asks for another try.
        let Some(cause) = digest.root_cause.filter(|_| digest.outcome != Outcome::Deferred) else {
            continue;
        };
        if is_login(cause)
            && let Some(user) = user(digest)
        {
            on_user
                .entry((digest.server, user.bytes().to_ascii_lowercase()))
                .or_default()
                .push(digest);
        }
        // Logins make one series whatever the user; mail is the same only with the same envelope.
        let envelope = if is_login(cause) {
            0
        } else {
            digest.transactions.first().map_or(0, |one| one.envelope)
        };
        series
            .entry((digest.client_address(), digest.server, cause, envelope))
            .or_default()
            .push(digest);
    }
    let alone = series
        .into_values()
        .filter(|sessions| sessions.len() >= SERIES)
        .filter_map(|sessions| one_client(rule, &sessions));
    let together = on_user
        .into_values()
        .filter(|sessions| sessions.len() >= SERIES)
        .filter_map(|sessions| many_clients(rule, &sessions));
    alone.chain(together).collect()
}

fn is_login(cause: &str) -> bool {
    matches!(cause, "auth-credentials-rejected" | "retrieval-auth-failed")
}

fn user(digest: &Digest) -> Option<&Captured> {
    digest.auth.iter().find_map(|auth| auth.identity.as_ref())
}

fn evidence(digest: &Digest, cause: &'static str) -> Evidence {
    Evidence::frame(
        digest.last,
        None,
        Note::of("session {id}: {cause}")
            .with("id", digest.id)
            .with("cause", Value::Rule(cause)),
    )
}

fn one_client(rule: &'static Rule, sessions: &[&Digest]) -> Option<Insight> {
    let first = sessions.first()?;
    let last = sessions.last()?;
    let cause = first.root_cause?;
    let users: BTreeSet<&[u8]> = sessions
        .iter()
        .filter_map(|digest| user(digest))
        .map(Captured::bytes)
        .collect();
    let mut finding = Finding::of(rule, first.stage, evidence(first, cause))
        .with("client", first.client.address.to_string())
        .with("server", first.server.to_string())
        .with("times", sessions.len())
        .with("cause", Value::Rule(cause))
        .with("span", last.start().since(first.start()))
        .with_some("interval", kinship::rhythm(sessions))
        .with_some("users", (users.len() >= GUESSED).then_some(users.len()));
    finding
        .evidence
        .extend(sessions.iter().skip(1).take(4).map(|digest| evidence(digest, cause)));
    Some(Insight::on(finding, sessions.iter().copied()))
}

fn many_clients(rule: &'static Rule, sessions: &[&Digest]) -> Option<Insight> {
    let first = sessions.first()?;
    let last = sessions.last()?;
    let cause = first.root_cause?;
    let clients: BTreeSet<_> = sessions.iter().map(|digest| digest.client_address()).collect();
    if clients.len() < GUESSED {
        return None;
    }
    let mut finding = Finding::of(rule, first.stage, evidence(first, cause))
        .as_sure_as(Confidence::Likely)
        .with("server", first.server.to_string())
        .with("times", sessions.len())
        .with("cause", Value::Rule(cause))
        .with("span", last.start().since(first.start()))
        .with_some("user", user(first))
        .with("clients", clients.len());
    finding
        .evidence
        .extend(sessions.iter().skip(1).take(4).map(|digest| evidence(digest, cause)));
    Some(Insight::on(finding, sessions.iter().copied()))
}
