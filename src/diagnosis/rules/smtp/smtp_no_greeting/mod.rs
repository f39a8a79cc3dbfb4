//! The connection opened and no greeting came.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};
use crate::span::Direction;
use crate::tcp::Opening;

/// `smtp-no-greeting`.
pub static RULE: Rule = Rule {
    slug: "smtp-no-greeting",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(22),
    actors: &[Actor::Server],
    explains_away: &["ok-connect-probe", "smtp-client-vanished", "smtp-greeting-delayed"],
    leans_on_absence: true,
    references: &["RFC 5321 3.1, 4.5.3.2.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let connection = &session.connection;
    let (to_server, to_client) = (&connection.directions.to_server, &connection.directions.to_client);
    let mute = to_client.octets == 0 && to_server.octets == 0 && !to_client.acknowledged_unseen;
    if connection.opening != Opening::Handshake
        || !mute
        || session.service.is_implicit_tls()
        || session.quality.only_direction.is_some()
    {
        return None;
    }
    let opened = connection.handshake_ack?;
    let given_up = to_server.fin.or_else(|| {
        connection
            .resets
            .iter()
            .find(|reset| reset.direction == Direction::ToServer)
            .map(|reset| reset.stamp)
    });
    // The client's leaving must come first; a server that ends the silence itself is another matter.
    let until = match given_up {
        Some(stamp) if to_client.fin.is_none_or(|fin| fin >= stamp) => stamp,
        Some(_) => return None,
        None => session.capture_end.filter(|_| to_client.fin.is_none())?,
    };
    let waited = until.time.since(opened.time);
    if waited.as_secs() < if given_up.is_some() { 2 } else { 30 } {
        return None;
    }
    Some(
        Finding::of(
            rule,
            Stage::Greeting,
            Evidence::frame(opened, Some(Direction::ToServer), "connected; no greeting followed"),
        )
        .with("server", connection.server.to_string())
        .with("waited", waited)
        .with_some("gave_up", given_up.map(|_| "yes"))
        .with_some("early", (given_up.is_some() && waited.as_secs() < 300).then_some("yes"))
        .and(Evidence::frame(until, None, "until then not one octet from the server")),
    )
}
