//! The server closed after the ClientHello (or before it) without any alert.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::Verb;
use crate::protocol::tls::{Phase, TlsStart, Version};
use crate::session::{EndedBy, Session, Stage};
use crate::span::{Direction, Role, Stamp};

/// `tls-server-closes-without-alert`.
pub static RULE: Rule = Rule {
    slug: "tls-server-closes-without-alert",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(41),
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-vanished",
        "starttls-client-abandons-after-220",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-handshake-stalled",
    ],
    references: &[
        "RFC 8446 6",
        "measured Dovecot 2.3.19.1",
        "Plesk KB \"SSL_accept() failed ... unsupported protocol\"",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let connection = &session.connection;
    let by_server = matches!(
        session.ended_by,
        EndedBy::Fin(Role::Server) | EndedBy::Reset(Role::Server)
    );
    if !by_server || session.quality.only_direction.is_some() {
        return None;
    }
    let closed = connection.directions.to_client.fin.or_else(|| {
        connection
            .resets
            .iter()
            .find(|reset| reset.direction == Direction::ToClient)
            .map(|reset| reset.stamp)
    })?;
    let Some(tls) = session.tls.as_deref() else {
        return before_tls(rule, session, closed);
    };
    let complained = tls.alerts.iter().any(|alert| alert.span.first <= closed) || !tls.encrypted_alerts.is_empty();
    if complained || tls.phase >= Phase::AfterClientFlight || tls.offer().is_none() || spoke_plain(session, tls) {
        return None;
    }
    let hello = tls.offer()?;
    let delay = closed.time.since(hello.span.last.time);
    let middle = tls.server_hello.is_some();
    Some(
        Finding::of(
            rule,
            Stage::Tls,
            Evidence::frame(closed, Some(Direction::ToClient), "the server closes without an alert"),
        )
        .with("delay", delay)
        .with("offered", hello.maximum())
        .with_some("old", (hello.maximum() < Version::TLS1_2 && !middle).then_some("yes"))
        .with_some(
            "modern",
            (hello.maximum() >= Version::TLS1_2 && !middle).then_some("yes"),
        )
        .with_some("middle", middle.then_some("yes"))
        .and(Evidence::client_hello(hello)),
    )
}

/// The server agreed to STARTTLS and closed before the client could begin.
fn before_tls(rule: &'static Rule, session: &Session, closed: Stamp) -> Option<Finding> {
    let exchange = session
        .exchanges()
        .iter()
        .rev()
        .find(|exchange| exchange.verb == Verb::StartTls)?;
    let reply = exchange.reply.yes().filter(|reply| reply.code == 220)?;
    (session.exchanges().last().map(|last| last.index) == Some(exchange.index)).then(|| {
        Finding::of(
            rule,
            Stage::StartTls,
            Evidence::frame(closed, Some(Direction::ToClient), "the server closes after its own 220"),
        )
        .with("before", "yes")
        .and(Evidence::reply(reply))
    })
}

/// The server answered the hello in plaintext: a wrong mode, not a silent refusal.
fn spoke_plain(session: &Session, tls: &crate::protocol::tls::TlsFacts) -> bool {
    tls.start == TlsStart::Implicit
        && (session.smtp.as_ref().is_some_and(|one| one.greeting.is_some())
            || session.retrieval.as_ref().is_some_and(|one| one.greeting.is_some()))
}
