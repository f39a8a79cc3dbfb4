//! The handshake stopped and nothing came for five seconds or more.

use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::Phase;
use crate::session::{EndedBy, Session, Stage};

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
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
    ],
    references: &["RFC 8446 2", "RFC 5246 7.3", "RFC 3207 4.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    if tls.phase >= Phase::AfterHandshake
        || !tls.alerts.is_empty()
        || session.quality.gaps
        || session.quality.only_direction.is_some()
    {
        return None;
    }
    let hello = tls.offer()?;
    let (to_server, to_client) = (&tls.directions.to_server, &tls.directions.to_client);
    let last = [to_server.last_record, to_client.last_record]
        .into_iter()
        .flatten()
        .max()
        .unwrap_or(hello.span.last);
    let end = match session.ended_by {
        EndedBy::CaptureEnd => session.capture_end?,
        _ => session.connection.last,
    };
    let silence = end.time.since(last.time);
    // Everybody who left at once had another reason than waiting.
    if silence.as_millis() < 4500 {
        return None;
    }
    let waiting_for = match (tls.server_hello.is_some(), to_client.last_record == Some(last)) {
        (false, _) => "server",
        (true, true) => "client",
        (true, false) => "server",
    };
    let acknowledged = session.connection.directions.to_server.unacknowledged_at_end == 0;
    Some(
        Finding::of(
            rule,
            Stage::Tls,
            Evidence::frame(last, None, "last TLS record before the silence"),
        )
        .with("silence", silence)
        .with("silent", Value::Phrase(waiting_for))
        .with_some("first", tls.server_hello.is_none().then_some("yes"))
        .with_some(
            "acknowledged",
            (acknowledged && tls.server_hello.is_none()).then_some("yes"),
        )
        .and(Evidence::client_hello(hello)),
    )
}
