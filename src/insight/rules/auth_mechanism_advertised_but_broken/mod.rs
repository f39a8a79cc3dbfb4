//! A mechanism in the list never works, another one does.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use std::collections::{BTreeMap, BTreeSet};

use crate::captured::Captured;
use crate::insight::digest::{AuthDigest, Digest};
use crate::insight::history::Insight;
use crate::insight::window::Window;
use crate::session::Stage;
use crate::span::Direction;

/// `auth-mechanism-advertised-but-broken`.
pub static RULE: Rule = Rule {
    slug: "auth-mechanism-advertised-but-broken",
    layer: Layer::Auth,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(53),
    actors: &[Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 2195 2", "RFC 4954 3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

/// Attempts that must have been refused before it is a pattern.
const REFUSALS: usize = 2;

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    window
        .by_server()
        .flat_map(|sessions| of_server(rule, sessions))
        .collect()
}

fn of_server(rule: &'static Rule, sessions: &[&Digest]) -> Vec<Insight> {
    let mut tried: BTreeMap<&[u8], Vec<(&Digest, &AuthDigest)>> = BTreeMap::new();
    for digest in sessions.iter().copied() {
        for auth in digest.auth.iter().filter(|auth| auth.accepted.is_some()) {
            tried.entry(auth.mechanism.bytes()).or_default().push((digest, auth));
        }
    }
    tried
        .iter()
        .filter_map(|(name, tries)| broken(rule, sessions, name, tries))
        .collect()
}

fn broken(rule: &'static Rule, sessions: &[&Digest], name: &[u8], tries: &[(&Digest, &AuthDigest)]) -> Option<Insight> {
    let offered = sessions.iter().find(|digest| {
        digest
            .mechanisms
            .as_ref()
            .is_some_and(|list| list.iter().any(|one| one.bytes() == name))
    })?;
    // 504 and 534 say that the server knows: another matter.
    let refused = |auth: &AuthDigest| auth.accepted == Some(false) && !matches!(auth.code, Some(504 | 534));
    if tries.len() < REFUSALS || !tries.iter().all(|(_, auth)| refused(auth)) {
        return None;
    }
    let same_person = |(digest, auth): &(&Digest, &AuthDigest)| {
        tries.iter().any(|(other, tried)| {
            digest.client_address() == other.client_address()
                || (auth.identity.is_some() && auth.identity == tried.identity)
        })
    };
    let works = sessions
        .iter()
        .flat_map(|digest| digest.auth.iter().map(move |auth| (*digest, auth)))
        .find(|(digest, auth)| {
            auth.accepted == Some(true) && auth.mechanism.bytes() != name && same_person(&(digest, auth))
        })?;
    let (first, auth) = tries.first()?;
    let users: BTreeSet<&[u8]> = tries
        .iter()
        .filter_map(|(_, one)| one.identity.as_ref())
        .map(Captured::bytes)
        .collect();
    let quote = |auth: &AuthDigest| {
        let template = if auth.accepted == Some(true) {
            "{mechanism} accepted"
        } else {
            "{mechanism} refused"
        };
        Evidence::frame(
            auth.stamp,
            Some(Direction::ToClient),
            Note::of(template).with("mechanism", auth.mechanism.utf8().unwrap_or("AUTH").to_owned()),
        )
    };
    let mut finding = Finding::of(rule, Stage::Auth, quote(auth))
        .with("server", first.server.to_string())
        .with("mechanism", &auth.mechanism)
        .with("tries", tries.len())
        .with("works", &works.1.mechanism)
        .with_some("users", (users.len() > 1).then_some(users.len()));
    finding
        .evidence
        .extend(tries.iter().skip(1).take(4).map(|(_, one)| quote(one)));
    finding.evidence.push(quote(works.1));
    Some(Insight::on(
        finding,
        tries.iter().map(|(digest, _)| *digest).chain([works.0, *offered]),
    ))
}
