//! The server closed during the handshake and no alert says why.

use crate::diagnosis::rules::starttls::evidence::{consent, is_decrypted_copy};
use crate::diagnosis::rules::tls::evidence::{self, End};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{ClientHello, Phase, Version};
use crate::session::{Session, Stage};
use crate::span::Role;

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
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-greeting-delayed",
        "smtp-no-greeting",
        "smtp-server-421",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-before-greeting",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-handshake-stalled",
        "tls-sslv2-sslv3-hello",
    ],
    leans_on_absence: true,
    references: &["RFC 8446 6", "measured with Dovecot 2.3.19.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    before_hello(rule, session).or_else(|| in_handshake(rule, session))
}

/// The server agreed to STARTTLS and closed before any TLS of the client.
fn before_hello(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (command, consent) = consent(session).filter(|_| !is_decrypted_copy(session))?;
    let began = session
        .tls
        .as_ref()
        .and_then(|tls| tls.directions.to_server.last_record.map(|_| tls.began));
    let end = evidence::end(session).filter(|end| end.by == Role::Server)?;
    let quick = end.stamp.time.since(consent.last.time) < evidence::STALLED;
    let first = began.is_none_or(|began| end.stamp.frame < began.frame);
    let complete = !session.quality.gaps && session.quality.only_direction.is_none();
    (quick && first && complete && end.stamp.frame >= consent.last.frame).then(|| {
        described(rule, session, &end)
            .with("consent", "yes")
            .and(Evidence::quote(&consent, "STARTTLS accepted"))
            .and(command)
    })
}

fn in_handshake(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = evidence::unfinished(session)?;
    let end = evidence::end(session).filter(|end| end.by == Role::Server)?;
    let last = evidence::last_before(tls, Some(&end))?;
    if end.stamp.time.since(last.time) >= evidence::STALLED {
        return None;
    }
    let hello = tls.offer();
    let maximum = hello.map(ClientHello::maximum);
    let stage = match tls.phase {
        Phase::BeforeClientHello | Phase::AfterClientHello => "hello",
        Phase::AfterServerHello => "flight",
        _ => "finish",
    };
    let finding = described(rule, session, &end).with(stage, "yes");
    let early = stage == "hello";
    Some(
        finding
            .with_some("old", maximum.filter(|version| early && *version < Version::TLS1_2))
            .with_some("modern", maximum.filter(|version| early && *version >= Version::TLS1_2))
            .and_some(hello.map(Evidence::client_hello)),
    )
}

fn described(rule: &'static Rule, session: &Session, end: &End) -> Finding {
    let confidence = if end.forged {
        Confidence::Possible
    } else {
        Confidence::Likely
    };
    Finding::of(rule, Stage::Tls, end.evidence())
        .as_sure_as(confidence)
        .with("port", session.connection.server.port)
        .with_some("reset", end.reset.then_some("yes"))
        .with_some("forged", end.forged.then_some("yes"))
}
