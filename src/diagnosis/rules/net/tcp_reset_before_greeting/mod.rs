//! The server side closed or reset right after the handshake, without a word.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{EndedBy, Session, Stage};
use crate::span::{Direction, Role};
use crate::tcp::Opening;

/// `tcp-reset-before-greeting`.
pub static RULE: Rule = Rule {
    slug: "tcp-reset-before-greeting",
    layer: Layer::Net,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(20),
    actors: &[Actor::Server, Actor::Network],
    explains_away: &["smtp-client-vanished", "smtp-no-greeting", "tcp-reset-mid-session"],
    leans_on_absence: true,
    references: &["RFC 5321 3.1, 4.3.1", "RFC 9293 3.5.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let connection = &session.connection;
    let (to_server, to_client) = (&connection.directions.to_server, &connection.directions.to_client);
    let silent = to_client.octets == 0 && to_client.data_segments == 0 && to_server.octets == 0;
    if connection.opening != Opening::Handshake
        || !silent
        || connection.handshake_ack.is_none()
        || session.quality.only_direction.is_some()
    {
        return None;
    }
    let reset = connection
        .resets
        .iter()
        .find(|reset| reset.direction == Direction::ToClient && !reset.after_fin && reset.in_window);
    let closed = matches!(session.ended_by, EndedBy::Fin(Role::Server));
    let (stamp, words) = match (reset, closed) {
        (Some(reset), _) => (reset.stamp, "RST"),
        (None, true) => (to_client.fin?, "FIN"),
        _ => return None,
    };
    // The client left first, and the answer to that is no decision of the server.
    if to_server.fin.is_some_and(|fin| fin < stamp)
        || session.service.is_implicit_tls() && stamp.time.since(connection.first.time).as_secs() >= 5
    {
        return None;
    }
    let delay = stamp.time.since(connection.handshake_ack?.time);
    Some(
        Finding::of(
            rule,
            Stage::Greeting,
            Evidence::frame(stamp, Some(Direction::ToClient), words),
        )
        .with("server", connection.server.to_string())
        .with("how", words)
        .with("delay", delay)
        .with_some("forged", reset.filter(|reset| reset.looks_forged).map(|_| "yes")),
    )
}
