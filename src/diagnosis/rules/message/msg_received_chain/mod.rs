//! What the Received fields say of the way a message took.

use crate::captured::Captured;
use crate::diagnosis::rules::message::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::message::Hop;
use crate::session::{Session, Stage};

/// `msg-received-chain`.
pub static RULE: Rule = Rule {
    slug: "msg-received-chain",
    layer: Layer::Message,
    severity: Severity::Note,
    confidence: Confidence::Likely,
    precedence: None,
    actors: &[Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 5321 4.4, 6.3", "RFC 3848", "RFC 8314 4.3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// Servers stop a message after 25 to 100 hops (RFC 5321, section 6.3).
const MANY: u32 = 25;
/// So often the same host stands in "by" of a message that goes in circles.
const CIRCLE: usize = 3;
/// Clocks of two hosts may differ by so many seconds.
const CLOCK: i64 = 300;

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    evidence::messages(session).find_map(|seen| {
        let hops = &seen.facts.hops;
        let many = seen.facts.received_count >= MANY;
        let circle = repeated_host(hops);
        let clear = hops.iter().rev().find(|hop| is_unencrypted(hop));
        let backwards = hops.windows(2).find(|pair| matches!(pair, [Hop { date: Some(newer), .. }, Hop { date: Some(older), .. }] if older - newer > CLOCK));
        if !many && circle.is_none() && clear.is_none() && backwards.is_none() {
            return None;
        }
        let newest = hops.first()?;
        let by = newest.by.as_ref().or(newest.from.as_ref())?;
        let finding = Finding::of(rule, Stage::Data, Evidence::quote(seen.span, by))
            .with("hops", seen.facts.received_count)
            .with_some("many", many.then_some("yes"))
            .with_some("circle", circle)
            .with_some("from", clear.and_then(|hop| hop.from.as_ref()))
            .with_some("to", clear.and_then(|hop| hop.by.as_ref()))
            .with_some("backwards", backwards.and_then(|pair| pair.first()).and_then(|hop| hop.by.as_ref()));
        Some(if many || circle.is_some() { finding.as_severity(Severity::Risk) } else { finding })
    })
}

fn repeated_host(hops: &[Hop]) -> Option<&Captured> {
    let hosts = || hops.iter().filter_map(|hop| hop.by.as_ref());
    if hops.len() < CIRCLE {
        return None;
    }
    hosts().find(|host| !is_local(host) && hosts().filter(|other| other == host).count() >= CIRCLE)
}

/// The hop was made over the network and its keyword says that TLS was not used (RFC 3848).
fn is_unencrypted(hop: &Hop) -> bool {
    let plain = |with: &Captured| {
        ["SMTP", "ESMTP", "ESMTPA", "UTF8SMTP", "UTF8SMTPA"]
            .iter()
            .any(|name| with.equals_ignoring_case(name))
    };
    let network = || matches!((&hop.from, &hop.by), (Some(from), Some(by)) if !is_local(from) && from != by);
    hop.with.as_ref().is_some_and(plain) && network()
}

fn is_local(host: &Captured) -> bool {
    ["localhost", "127.0.0.1", "[127.0.0.1]", "unknown"]
        .iter()
        .any(|name| host.equals_ignoring_case(name))
        || host.contains_ignoring_case("localhost.")
}
