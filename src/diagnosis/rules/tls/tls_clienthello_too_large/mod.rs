//! A ClientHello of two segments is not answered.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `tls-clienthello-too-large`.
pub static RULE: Rule = Rule {
    slug: "tls-clienthello-too-large",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(43),
    actors: &[Actor::Network, Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-handshake-stalled",
        "tls-server-closes-without-alert",
    ],
    references: &[
        "RFC 8446 4.1.2, 5.1",
        "draft-ietf-tls-ecdhe-mlkem",
        "openssl/openssl#27557",
        "golang/go#80573",
        "tldr.fail",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let hello = tls.offer()?;
    let mss = session
        .connection
        .directions
        .to_client
        .maximum_segment_size
        .map_or(1460, u32::from);
    let failed = tls.server_hello.is_none() && tls.alerts.is_empty();
    let large = hello.length > mss.saturating_sub(9) && hello.span.first.frame != hello.span.last.frame;
    let lost = session
        .connection
        .stuck
        .iter()
        .find(|stuck| stuck.direction == Direction::ToServer && !stuck.acknowledged);
    if !failed || !large || session.quality.only_direction.is_some() || session.quality.cut_off {
        return None;
    }
    let post_quantum = hello.key_shares.iter().any(|(_, length)| *length > 1000);
    Some(
        Finding::of(rule, Stage::Tls, Evidence::client_hello(hello))
            .with("size", hello.length)
            .with_some("post_quantum", post_quantum.then_some("yes"))
            .with_some("lost", lost.map(|_| "yes"))
            .as_sure_as(Confidence::Possible)
            .and_some(lost.map(|stuck| {
                Evidence::frame(
                    stuck.first,
                    Some(stuck.direction),
                    format!("{} octets, never acknowledged", stuck.length),
                )
            })),
    )
}
