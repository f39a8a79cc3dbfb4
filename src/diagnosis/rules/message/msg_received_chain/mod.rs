//! The Received fields show a hop without TLS, a loop, or clocks that disagree.

use super::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::message::Hop;
use crate::session::{Session, Stage};
use std::time::Duration;

/// `msg-received-chain`.
pub static RULE: Rule = Rule {
    slug: "msg-received-chain",
    layer: Layer::Message,
    severity: Severity::Note,
    confidence: Confidence::Likely,
    precedence: None,
    actors: &[Actor::Server],
    explains_away: &[],
    references: &["RFC 5321 4.4, 6.3", "RFC 3848", "RFC 8314 4.3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// From here on servers take the mail for one that goes round in circles.
const MANY: u32 = 25;
/// As often a host may stand in the chain (content filters pass a mail through themselves).
const SAME_HOST: usize = 4;
/// A clock may be off by so many seconds.
const SLACK: i64 = 300;

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    evidence::messages(session).find_map(|shown| {
        let hops = &shown.message.hops;
        let count = shown.message.received_count;
        let circle = hops
            .iter()
            .filter_map(|hop| hop.by.as_ref())
            .find(|host| hops.iter().filter(|hop| hop.by.as_ref() == Some(host)).count() >= SAME_HOST);
        let clear: Vec<&Hop> = hops.iter().filter(|hop| without_tls(hop)).collect();
        let backwards = hops.iter().zip(hops.iter().skip(1)).find_map(|(later, earlier)| {
            let (later, earlier) = (later.date?, earlier.date?);
            let back = earlier.saturating_sub(later);
            (back > SLACK).then(|| Duration::from_secs(back.unsigned_abs()))
        });
        let turning = count >= MANY || circle.is_some();
        if !turning && clear.is_empty() && backwards.is_none() {
            return None;
        }
        let finding = Finding::of(
            rule,
            Stage::Data,
            Evidence::quote(shown.span, format!("{count} Received fields")),
        )
        .with("count", count)
        .with_some("turning", turning.then_some("yes"))
        .with_some("circle", circle)
        .with_some("clear", (!clear.is_empty()).then_some(clear.len()))
        .with_some("from", clear.first().and_then(|hop| hop.from.as_ref()))
        .with_some("by", clear.first().and_then(|hop| hop.by.as_ref()))
        .with_some("back", backwards);
        Some(if turning {
            finding.as_severity(Severity::Risk)
        } else {
            finding
        })
    })
}

/// The field records SMTP without TLS between two hosts (RFC 3848); what stays within a host does not count.
fn without_tls(hop: &Hop) -> bool {
    let clear = hop.with.as_ref().is_some_and(|with| {
        ["SMTP", "ESMTP", "ESMTPA"]
            .iter()
            .any(|word| with.equals_ignoring_case(word))
    });
    let inside = hop
        .from
        .as_ref()
        .is_none_or(|from| from.contains_ignoring_case("localhost") || Some(from) == hop.by.as_ref());
    clear && !inside
}
