//! What of logins and mail could be read at a server, way by way.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::diagnosis::Value;
use crate::insight::digest::{AuthDigest, Digest};
use crate::insight::history::Insight;
use crate::insight::window::Window;
use crate::session::Stage;

/// `cross-capability-matrix`.
pub static RULE: Rule = Rule {
    slug: "cross-capability-matrix",
    layer: Layer::Cross,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8314 3", "RFC 4954 3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

/// Sessions with a login in view that make a comparison.
const SESSIONS: usize = 2;
/// Rows shown.
const ROWS: usize = 12;

/// One way of logging in: port and mechanism.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Way<'a> {
    port: u16,
    mechanism: &'a [u8],
}

#[derive(Default)]
struct Row<'a> {
    accepted: u32,
    refused: u32,
    readable: bool,
    /// Some login crossed outside TLS.
    crossed: bool,
    sample: Option<&'a AuthDigest>,
}

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    window
        .by_host()
        .filter_map(|sessions| matrix(rule, sessions.first()?.server.address, sessions))
        .collect()
}

fn rows<'a>(sessions: &[&'a Digest]) -> BTreeMap<Way<'a>, Row<'a>> {
    let mut rows: BTreeMap<Way<'a>, Row<'a>> = BTreeMap::new();
    for digest in sessions.iter().copied() {
        for auth in &digest.auth {
            let row = rows
                .entry(Way {
                    port: digest.server.port,
                    mechanism: auth.mechanism.bytes(),
                })
                .or_default();
            row.accepted += u32::from(auth.accepted == Some(true));
            row.refused += u32::from(auth.accepted == Some(false));
            row.readable |= auth.readable;
            row.crossed |= !auth.inside_tls;
            row.sample.get_or_insert(auth);
        }
    }
    rows
}

fn matrix(rule: &'static Rule, server: IpAddr, sessions: &[&Digest]) -> Option<Insight> {
    let visible: Vec<&Digest> = sessions
        .iter()
        .copied()
        .filter(|digest| !digest.auth.is_empty())
        .collect();
    let rows = rows(&visible);
    // One way only is what the sessions themselves say already.
    if visible.len() < SESSIONS || rows.len() < 2 {
        return None;
    }
    let name = |way: &Way<'_>| format!("{} {}", way.port, String::from_utf8_lossy(way.mechanism));
    let named = |wanted: bool| -> Option<Value> {
        let list: Vec<String> = rows
            .iter()
            .filter(|(_, row)| row.crossed && row.readable == wanted)
            .map(|(way, _)| name(way))
            .collect();
        (!list.is_empty()).then(|| Value::from(list))
    };
    let encrypted: BTreeSet<String> = sessions
        .iter()
        .filter_map(|digest| {
            let tls = digest.tls.as_ref().filter(|tls| tls.completed)?;
            Some(format!("{} {}", digest.server.port, tls.negotiated?.0))
        })
        .collect();
    let bodies: BTreeSet<u16> = sessions
        .iter()
        .filter(|digest| digest.body_in_clear)
        .map(|digest| digest.server.port)
        .collect();
    let evidence = rows.iter().filter_map(|(way, row)| {
        let template = match (row.crossed, row.readable) {
            (false, _) => "{way}: inside TLS; {accepted} accepted, {refused} refused",
            (true, true) => "{way}: user name readable, password readable; {accepted} accepted, {refused} refused",
            (true, false) => "{way}: user name readable, password not readable; {accepted} accepted, {refused} refused",
        };
        let text = Note::of(template)
            .with("way", name(way))
            .with("accepted", row.accepted)
            .with("refused", row.refused);
        Some(Evidence::frame(row.sample?.stamp, None, text))
    });
    let mut evidence = evidence.take(ROWS);
    let mut finding = Finding::of(rule, Stage::Auth, evidence.next()?)
        .with("server", server.to_string())
        .with("sessions", visible.len())
        .with_some("readable", named(true))
        .with_some("hidden", named(false))
        .with_some(
            "encrypted",
            (!encrypted.is_empty()).then(|| Value::from(encrypted.into_iter().collect::<Vec<_>>())),
        )
        .with_some(
            "bodies",
            (!bodies.is_empty()).then(|| Value::from(bodies.into_iter().collect::<Vec<_>>())),
        );
    finding.evidence.extend(evidence);
    Some(Insight::on(finding, sessions.iter().copied()))
}
