//! A server behaves otherwise than earlier in the capture.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use std::collections::BTreeMap;

use crate::diagnosis::Value;
use crate::insight::digest::Digest;
use crate::insight::history::Insight;
use crate::insight::window::Window;
use crate::session::Stage;
use crate::span::{Direction, Stamp};

/// `cross-server-changed`.
pub static RULE: Rule = Rule {
    slug: "cross-server-changed",
    layer: Layer::Cross,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8997"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

/// A state of a server as one session shows it.
struct State {
    words: Note,
    stamp: Stamp,
}

/// Reads one kind of state from a session.
type Observe = fn(&Digest) -> Option<State>;

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    let mut found: BTreeMap<_, Insight> = BTreeMap::new();
    for sessions in window.by_connection().filter(|sessions| sessions.len() > 1) {
        for (kind, insight) in of_pair(rule, sessions) {
            let server = sessions.first().map(|digest| digest.server);
            found.entry((server, kind)).or_insert(insight);
        }
    }
    found.into_values().collect()
}

/// What changed towards one client: lists in clear, limits, the lowest TLS version, the certificate.
fn of_pair(rule: &'static Rule, sessions: &[&Digest]) -> Vec<(&'static str, Insight)> {
    let kinds: [(&'static str, Observe); 4] = [
        ("mechanisms", mechanisms),
        ("size", size),
        ("certificate", certificate),
        ("tls", versions),
    ];
    kinds
        .into_iter()
        .filter_map(|(kind, state)| {
            let mut alike: BTreeMap<Vec<u8>, Vec<(&Digest, State)>> = BTreeMap::new();
            for digest in sessions.iter().copied() {
                if let Some(state) = state(digest) {
                    alike
                        .entry(circumstances(digest, kind))
                        .or_default()
                        .push((digest, state));
                }
            }
            alike
                .into_values()
                .find_map(|states| changed(rule, kind, &states))
                .map(|insight| (kind, insight))
        })
        .collect()
}

/// Only what was asked alike can be compared: the same node by its name, for TLS the same offer.
fn circumstances(digest: &Digest, kind: &str) -> Vec<u8> {
    let mut key = Vec::new();
    if matches!(kind, "certificate" | "tls") {
        if let Some(tls) = &digest.tls {
            key.extend_from_slice(tls.fingerprint.as_deref().unwrap_or("").as_bytes());
            key.push(0);
            key.extend_from_slice(tls.server_name.as_ref().map_or(&[], |name| name.bytes()));
        }
    } else {
        key.extend_from_slice(digest.server_says.as_ref().map_or(&[], |name| name.bytes()));
    }
    key
}

fn mechanisms(digest: &Digest) -> Option<State> {
    let list = digest.mechanisms.as_ref()?;
    let words: Vec<&str> = list.iter().filter_map(|one| one.utf8()).collect();
    let words = if words.is_empty() {
        Note::of("no AUTH")
    } else {
        Note::of("AUTH {mechanisms}").with("mechanisms", words.join(" "))
    };
    Some(State {
        words,
        stamp: digest.list_seen?,
    })
}

fn size(digest: &Digest) -> Option<State> {
    Some(State {
        words: Note::of("SIZE {limit}").with("limit", digest.size_limit?),
        stamp: digest.list_seen?,
    })
}

fn certificate(digest: &Digest) -> Option<State> {
    let tls = digest.tls.as_ref()?;
    let print = tls.certificate.as_ref()?;
    let short = print.get(..16).unwrap_or(print);
    Some(State {
        words: Note::of("certificate {fingerprint}").with("fingerprint", short.to_owned()),
        stamp: tls.negotiated?.1,
    })
}

fn versions(digest: &Digest) -> Option<State> {
    let tls = digest.tls.as_ref()?;
    if let Some(stamp) = tls.refused_version {
        return Some(State {
            words: Note::of("{version} refused").with("version", tls.maximum?),
            stamp,
        });
    }
    let (_, stamp) = tls.negotiated.filter(|_| tls.completed)?;
    Some(State {
        words: Note::of("{version} accepted").with("version", tls.maximum?),
        stamp,
    })
}

/// Exactly one change and no way back: alternating states are nodes of a balancer.
fn changed(rule: &'static Rule, kind: &'static str, states: &[(&Digest, State)]) -> Option<Insight> {
    let (first, old) = states.first()?;
    let turn = states.iter().position(|(_, state)| state.words != old.words)?;
    let (until, from) = (states.get(turn.checked_sub(1)?)?, states.get(turn)?);
    if states.get(turn..)?.iter().any(|(_, state)| state.words != from.1.words) {
        return None;
    }
    let often = turn > 1 && states.len() - turn > 1;
    let finding = Finding::of(
        rule,
        Stage::Hello,
        Evidence::frame(from.1.stamp, Some(Direction::ToClient), from.1.words.clone()),
    )
    .as_sure_as(if often {
        Confidence::Confirmed
    } else {
        Confidence::Likely
    })
    .with("server", first.server.to_string())
    .with("before", old.words.clone())
    .with("now", from.1.words.clone())
    .with("last_seen", Value::Time(until.1.stamp.time))
    .with("first_seen", Value::Time(from.1.stamp.time))
    .with(kind, "yes")
    .and(Evidence::frame(
        until.1.stamp,
        Some(Direction::ToClient),
        old.words.clone(),
    ));
    Some(Insight::on(finding, [until.0, from.0]))
}
