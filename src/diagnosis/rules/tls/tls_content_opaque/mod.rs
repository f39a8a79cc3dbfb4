//! From here on the content is encrypted and cannot be read.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{Unopened, cipher_suite_name, is_tls13};
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `tls-content-opaque`.
pub static RULE: Rule = Rule {
    slug: "tls-content-opaque",
    layer: Layer::Tls,
    severity: Severity::Limit,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Capture],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8446 2, 4.4", "RFC 5077", "RFC 5246 7.3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let stopped = Direction::BOTH
        .into_iter()
        .filter_map(|direction| {
            let (reason, stamp) = tls.decryption.get(direction).stopped?;
            Some((reason, stamp, direction))
        })
        .min_by_key(|(_, stamp, _)| stamp.frame);
    if tls.decrypted {
        let (reason, stamp, direction) = stopped?;
        let evidence = Evidence::frame(stamp, Some(direction), "encrypted record that the keys did not open");
        return Some(
            Finding::of(rule, Stage::Encrypted, evidence)
                .with("partly", "yes")
                .with(word(reason), "yes"),
        );
    }
    let unread = |direction| {
        let keys = tls.decryption.get(direction);
        keys.opened == 0 || keys.unopened > 0
    };
    let first = tls
        .records
        .iter()
        .find(|record| record.encrypted && unread(record.direction))?;
    let version = tls.server_hello.as_ref().map(|hello| hello.version);
    let newest = version.is_some_and(is_tls13);
    let unknown = version.is_none();
    Some(
        Finding::of(
            rule,
            Stage::Encrypted,
            Evidence::frame(first.stamp, Some(first.direction), "first encrypted record"),
        )
        .with_some("version", version)
        .with_some(
            "suite",
            tls.server_hello
                .as_ref()
                .and_then(|hello| cipher_suite_name(hello.cipher_suite)),
        )
        .with_some(
            stopped.map_or("no_key", |(reason, _, _)| word(reason)),
            stopped.map(|_| "yes"),
        )
        .with_some("newest", newest.then_some("yes"))
        .with_some("resumed", tls.resumed().then_some("yes"))
        .with_some("unknown", unknown.then_some("yes")),
    )
}

/// Why keys that the run had did not open it.
const fn word(reason: Unopened) -> &'static str {
    match reason {
        Unopened::NoSecret => "no_secret",
        Unopened::TooLate => "too_late",
        Unopened::NoHello => "no_hello",
        Unopened::WrongSecret => "wrong_secret",
        Unopened::Unsupported => "unsupported",
        Unopened::LostPlace => "lost_place",
        Unopened::NotAuthentic => "not_authentic",
    }
}
