//! The server's certificate expires within days.

use super::evidence;
use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `cert-expiring-soon`.
pub static RULE: Rule = Rule {
    slug: "cert-expiring-soon",
    layer: Layer::Cert,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server],
    explains_away: &[],
    references: &["RFC 5280 4.1.2.5"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// From here on it is worth a word, in days.
const SOON: u64 = 14;
/// From here on it is a risk, in days.
const VERY_SOON: u64 = 3;
/// A certificate with at most this lifetime is renewed all the time, in days.
const SHORT_LIVED: u64 = 10;

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let judged = evidence::judged(session)?;
    let leaf = judged.leaf;
    if leaf.not_after < judged.time() || leaf.not_before > judged.time() {
        return None;
    }
    let left = leaf.not_after.since(judged.time());
    let lifetime = leaf.not_after.since(leaf.not_before);
    let short_lived = evidence::days(lifetime) <= SHORT_LIVED;
    let soon = if short_lived {
        left < lifetime / 3
    } else {
        evidence::days(left) < SOON
    };
    let finding = Finding::of(rule, Stage::Tls, judged.quote(leaf))
        .with("subject", &leaf.subject)
        .with("until", Value::Time(leaf.not_after))
        .with("days", evidence::days(left));
    soon.then(|| {
        if evidence::days(left) < VERY_SOON && !short_lived {
            finding.as_severity(Severity::Risk)
        } else {
            finding
        }
    })
}
