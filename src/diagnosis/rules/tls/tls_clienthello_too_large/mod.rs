//! A ClientHello of more than one segment got no answer.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{Phase, group_name};
use crate::session::{Session, Stage};
use crate::span::{Direction, Role};

/// `tls-clienthello-too-large`.
pub static RULE: Rule = Rule {
    slug: "tls-clienthello-too-large",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Possible,
    precedence: Some(43),
    actors: &[Actor::Network, Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-no-greeting",
        "smtp-server-421",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-heavy-retransmission",
        "tcp-idle-dropped",
        "tcp-reset-before-greeting",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-handshake-stalled",
        "tls-server-closes-without-alert",
    ],
    leans_on_absence: false,
    references: &[
        "RFC 8446 4.1.2, 5.1",
        "draft-ietf-tls-ecdhe-mlkem",
        "openssl/openssl#27557",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// A segment of this many octets and more is lost by a path MTU rather than by a device that dislikes second segments.
const FULL_SEGMENT: u32 = 1200;
/// X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024 and the draft of the first.
const POST_QUANTUM: [u16; 4] = [0x11EC, 0x11EB, 0x11ED, 0x6399];

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = evidence::unfinished(session)
        .filter(|tls| tls.phase == Phase::AfterClientHello && tls.directions.to_client.records == 0)?;
    let hello = tls.offer()?;
    let own = &session.connection.directions.to_server;
    let segments = hello.span.first.frame != hello.span.last.frame;
    if !segments || hello.length < own.largest_segment || hello.length < FULL_SEGMENT {
        return None;
    }
    let stuck =
        session.connection.stuck.iter().find(|stuck| {
            stuck.direction == Direction::ToServer && !stuck.acknowledged && stuck.offset < hello.span.end
        });
    // Full segments that vanish are a matter of the path MTU.
    if stuck.is_some_and(|stuck| stuck.length >= FULL_SEGMENT) {
        return None;
    }
    let end = evidence::end(session);
    let last = evidence::last_before(tls, end.as_ref())?;
    let until = end.map_or(session.connection.last, |end| end.stamp);
    let silent = !session.quality.cut_off && until.time.since(last.time) >= evidence::STALLED;
    let by_server = end.filter(|end| end.by == Role::Server);
    if stuck.is_none() && !silent && by_server.is_none() {
        return None;
    }
    let post_quantum = hello
        .key_shares
        .iter()
        .find(|(group, _)| POST_QUANTUM.contains(group))
        .map(|(group, _)| group_name(*group).unwrap_or("ML-KEM"));
    let sure = if stuck.is_some() {
        Confidence::Likely
    } else {
        Confidence::Possible
    };
    Some(
        Finding::of(rule, Stage::Tls, Evidence::client_hello(hello))
            .as_sure_as(sure)
            .with("octets", hello.length)
            .with_some("group", post_quantum)
            .with_some("lost", stuck.map(|stuck| stuck.retransmissions))
            .with_some("acknowledged", stuck.is_none().then_some("yes"))
            .and_some(by_server.map(|end| end.evidence())),
    )
}
