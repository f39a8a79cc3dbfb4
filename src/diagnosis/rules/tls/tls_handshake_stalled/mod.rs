//! The handshake stopped: no next flight for seconds.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::protocol::tls::{Phase, TlsFacts, is_tls13};
use crate::session::{Session, Stage};
use crate::span::{Direction, Role};
use std::time::Duration;

/// `tls-handshake-stalled`.
pub static RULE: Rule = Rule {
    slug: "tls-handshake-stalled",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(44),
    actors: &[Actor::Network, Actor::Server, Actor::Client],
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
    ],
    leans_on_absence: false,
    references: &["RFC 8446 2", "RFC 5246 7.3", "RFC 3207 4.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// A client with less patience than [`evidence::STALLED`] that left while it was owed an answer.
const IMPATIENT: Duration = Duration::from_secs(2);

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = evidence::unfinished(session)?;
    let end = evidence::end(session);
    let last = evidence::last_before(tls, end.as_ref())?;
    let until = match &end {
        Some(end) => end.stamp,
        None => session
            .capture_end
            .unwrap_or(session.connection.last)
            .max(session.connection.last),
    };
    let silence = until.time.since(last.time);
    let owed = owed_by(tls);
    let left = end.as_ref().is_some_and(|end| end.by != owed);
    let long = silence >= evidence::STALLED && !session.quality.cut_off;
    let told = long || (left && silence >= IMPATIENT);
    if !told {
        return None;
    }
    let sure = if long { Confidence::Likely } else { Confidence::Possible };
    let retransmitted = session
        .connection
        .stuck
        .iter()
        .find(|stuck| !stuck.acknowledged && stuck.last.frame >= tls.began.frame);
    let waiting = Note::of("no next flight for {silence}").with("silence", silence);
    let by = match owed {
        Role::Server => Direction::ToClient,
        Role::Client => Direction::ToServer,
    };
    let unseen = session.connection.directions.get(by).sent_unseen;
    Some(
        Finding::of(rule, Stage::Tls, Evidence::frame(last, None, waiting))
            .as_sure_as(sure)
            .with("silence", silence)
            .with(stage(tls, owed), "yes")
            .with_some("lost", retransmitted.map(|stuck| stuck.retransmissions))
            .with_some(
                "acknowledged",
                (retransmitted.is_none() && unseen.is_none() && owed == Role::Server).then_some("yes"),
            )
            .with_some("unseen", unseen.map(|(_, octets)| octets))
            .and_some(unseen.map(|(stamp, octets)| {
                let counts_on = Note::of("counts on from {octets} octets that did not arrive").with("octets", octets);
                Evidence::frame(stamp, Some(by), counts_on)
            }))
            .and_some(end.map(|end| end.evidence()))
            .and_some(tls.offer().map(Evidence::client_hello)),
    )
}

/// Whose flight comes next.
fn owed_by(tls: &TlsFacts) -> Role {
    let done = tls.server_hello_done.is_some()
        || (tls.server_hello.as_ref().is_some_and(|hello| is_tls13(hello.version))
            && tls.directions.to_client.finished.is_some());
    match tls.phase {
        Phase::AfterServerHello if done => Role::Client,
        _ => Role::Server,
    }
}

fn stage(tls: &TlsFacts, owed: Role) -> &'static str {
    match (tls.phase, owed) {
        (_, Role::Client) => "client",
        (Phase::BeforeClientHello | Phase::AfterClientHello, _) => "hello",
        (Phase::AfterServerHello, _) => "flight",
        _ => "finish",
    }
}
