//! Plaintext stood behind STARTTLS or its answer, before TLS began.

use crate::captured::Captured;
use crate::diagnosis::rules::starttls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `starttls-injection`.
pub static RULE: Rule = Rule {
    slug: "starttls-injection",
    layer: Layer::StartTls,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 3207 4.2, 6", "CVE-2011-0411", "NO STARTTLS, USENIX Security 2021"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (span, octets) = evidence::injected(session)?;
    let (command, _) = evidence::consent(session)?;
    // A login may be among the octets, and nothing has masked it.
    let secret = ["AUTH", "PASS", "LOGIN", "USER", "APOP"]
        .iter()
        .any(|word| octets.contains_ignoring_case(word));
    let quoted = if secret {
        Captured::from("(a login; not shown)")
    } else {
        octets.clone()
    };
    let by_client = span.direction == Direction::ToServer;
    Some(
        Finding::of(rule, Stage::StartTls, Evidence::quote(span, &quoted))
            .with("octets", &quoted)
            .with_some("client", by_client.then_some("yes"))
            .and(command),
    )
}
