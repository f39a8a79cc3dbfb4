//! A plaintext client on a port that expects TLS from the first octet.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};
use crate::span::Direction;
use crate::tcp::Opening;

/// `tls-plaintext-on-implicit-port`.
pub static RULE: Rule = Rule {
    slug: "tls-plaintext-on-implicit-port",
    layer: Layer::StartTls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(26),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-vanished",
        "smtp-early-talker",
        "smtp-no-greeting",
        "tcp-reset-before-greeting",
        "tcp-reset-mid-session",
    ],
    references: &[
        "RFC 8314 3, 7.1",
        "Plesk KB \"SSL_accept() failed ... wrong version number\"",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if !session.service.is_implicit_tls() || session.quality.started_late || session.quality.only_direction.is_some() {
        return None;
    }
    let connection = &session.connection;
    if connection.opening != Opening::Handshake
        || session
            .tls
            .as_ref()
            .is_some_and(|tls| tls.offer().is_some() || tls.client_hellos.is_empty() && tls.alerts.is_empty())
    {
        return None;
    }
    let greeted = session
        .smtp
        .as_ref()
        .is_some_and(|dialogue| dialogue.greeting.is_some())
        || session
            .retrieval
            .as_ref()
            .is_some_and(|dialogue| dialogue.greeting.is_some());
    if greeted {
        return None;
    }
    let to_server = &connection.directions.to_server;
    let first = session
        .exchanges()
        .first()
        .map(Evidence::command)
        .or_else(|| session.commands().first().map(Evidence::retrieval));
    let silent = to_server.octets == 0;
    // Silence of both sides until the client leaves: it waited for a greeting that such a port never gives.
    let waited = connection.last.time.since(connection.first.time);
    let gave_up = silent && waited.as_secs() >= 2 && connection.directions.to_client.octets == 0;
    let opened = connection.handshake_ack?;
    let evidence = match first {
        Some(evidence) => evidence,
        None if gave_up => Evidence::frame(
            opened,
            Some(Direction::ToServer),
            "connected; the client sends nothing and waits",
        ),
        None if !silent => Evidence::frame(
            to_server.first_data?,
            Some(Direction::ToServer),
            "first octets are no TLS",
        ),
        None => return None,
    };
    let finding = Finding::of(rule, Stage::Tls, evidence).with("port", connection.server.port);
    Some(if silent {
        finding.with("waited", waited).as_sure_as(Confidence::Likely)
    } else {
        finding.with("spoke", "yes")
    })
}
