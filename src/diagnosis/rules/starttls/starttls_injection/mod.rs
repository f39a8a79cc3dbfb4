//! Plaintext stands behind STARTTLS, before TLS began.

use crate::captured::Captured;
use crate::diagnosis::Value;
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
    references: &[
        "RFC 3207 4.2, 6",
        "CVE-2011-0411",
        "\"NO STARTTLS\" (USENIX Security 2021)",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let injected = session
        .smtp
        .as_ref()
        .map(|dialogue| &dialogue.injected)
        .or_else(|| session.retrieval.as_ref().map(|dialogue| &dialogue.injected))?;
    let (span, bytes) = injected.first()?;
    let by_client = span.direction == Direction::ToServer;
    let line = bytes
        .bytes()
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    Some(
        Finding::of(rule, Stage::StartTls, Evidence::quote(span, bytes))
            .with(
                "sender",
                if by_client {
                    Value::Phrase("client")
                } else {
                    Value::Phrase("server")
                },
            )
            .with("octets", span.length())
            .with("line", &Captured::new(line)),
    )
}
