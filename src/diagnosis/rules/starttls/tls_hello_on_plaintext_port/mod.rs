//! A TLS ClientHello as the first words on a port that begins in plaintext.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::TlsStart;
use crate::session::{Service, Session, Stage};

/// `tls-hello-on-plaintext-port`.
pub static RULE: Rule = Rule {
    slug: "tls-hello-on-plaintext-port",
    layer: Layer::StartTls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(26),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-early-talker",
        "smtp-no-greeting",
        "smtp-not-smtp-client",
        "smtp-server-421",
        "tcp-reset-mid-session",
        "tls-decode-error-after-eof",
        "tls-handshake-stalled",
        "tls-other-fatal-alert",
        "tls-server-closes-without-alert",
    ],
    references: &[
        "RFC 8314 3",
        "RFC 8446 5.1",
        "devblog.drall \"SMTP protocol synchronization error ... \\026\\003\\001\"",
        "Plesk KB",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    if session.service.is_implicit_tls() || tls.start != TlsStart::Implicit || tls.server_hello.is_some() {
        return None;
    }
    let hello = tls.offer()?;
    let greeting = session
        .smtp
        .as_ref()
        .and_then(|dialogue| dialogue.greeting.as_ref())
        .map(Evidence::reply)
        .or_else(|| {
            let greeting = session.retrieval.as_ref()?.greeting.as_ref()?;
            Some(Evidence::quote(&greeting.span, &greeting.kind))
        });
    if greeting.is_none() && session.service == Service::Other {
        return None;
    }
    Some(
        Finding::of(rule, Stage::Tls, Evidence::client_hello(hello))
            .with("port", session.connection.server.port)
            .with_some("greeted", greeting.is_some().then_some("yes"))
            .with_some(
                "retrieval",
                matches!(session.service, Service::Pop3 | Service::Imap).then_some("yes"),
            )
            .and_some(greeting),
    )
}
