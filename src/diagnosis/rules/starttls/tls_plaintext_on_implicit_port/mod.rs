//! The client spoke (or waited for) plaintext on a port where TLS comes first.

use crate::diagnosis::rules::starttls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::protocol::smtp::Dialogue;
use crate::session::{Session, Stage};
use crate::span::Direction;
use crate::tcp::Opening;
use std::time::Duration;

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
        "smtp-greeting-delayed",
        "smtp-no-greeting",
        "tcp-idle-dropped",
        "tcp-reset-before-greeting",
        "tcp-reset-mid-session",
        "tls-other-fatal-alert",
        "tls-server-closes-without-alert",
    ],
    leans_on_absence: false,
    references: &["RFC 8314 3, 7.3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// A client that waits this long on such a port waits for a greeting.
const WAITED: Duration = Duration::from_secs(5);

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let offered = session.tls.as_ref().is_some_and(|tls| !tls.client_hellos.is_empty());
    if !session.service.is_implicit_tls()
        || offered
        || session.quality.started_late
        || session.quality.only_direction.is_some()
        || evidence::greeting(session).is_some()
    {
        return None;
    }
    spoke(rule, session).or_else(|| waited(rule, session))
}

/// The client's first octets are a command.
fn spoke(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let foreign = |dialogue: &Dialogue| dialogue.foreign.is_some() || dialogue.preamble.is_some();
    if session.smtp.as_deref().is_some_and(foreign) {
        return None;
    }
    let smtp = session
        .exchanges()
        .first()
        .filter(|exchange| exchange.command.get().start == 0)
        .map(|exchange| (exchange.command.get(), &exchange.line, Evidence::command(exchange)));
    let retrieval = || {
        let command = session.commands().first().filter(|command| command.span.start == 0)?;
        Some((command.span, &command.line, Evidence::retrieval(command)))
    };
    let (span, line, command) = smtp.or_else(retrieval)?;
    let waited = span.first.time.since(session.connection.first.time);
    Some(
        Finding::of(rule, Stage::Greeting, command)
            .with("line", line)
            .with("port", session.connection.server.port)
            .with_some(
                "waited",
                Some(waited).filter(|waited| *waited >= Duration::from_secs(1)),
            )
            .and_some(reaction(session)),
    )
}

/// Neither side said anything until the client gave up.
fn waited(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let connection = &session.connection;
    let directions = &connection.directions;
    let silent = directions.to_server.data_segments == 0 && directions.to_client.data_segments == 0;
    let opened = connection.opening == Opening::Handshake && connection.handshake_ack.is_some();
    if !silent || !opened || session.tls.is_some() || session.quality.cut_off {
        return None;
    }
    let end = directions
        .to_server
        .fin
        .or(directions.to_client.fin)
        .unwrap_or(connection.last);
    let waited = Some(end.time.since(connection.first.time)).filter(|waited| *waited >= WAITED)?;
    Some(
        Finding::of(
            rule,
            Stage::Greeting,
            Evidence::frame(
                end,
                None,
                Note::of("nothing from either side for {waited}").with("waited", waited),
            ),
        )
        .as_sure_as(Confidence::Likely)
        .with("waited", waited)
        .with("port", connection.server.port),
    )
}

/// How the server took it: an alert, a reset or a close.
fn reaction(session: &Session) -> Option<Evidence> {
    let alert = session
        .tls
        .as_ref()
        .and_then(|tls| {
            tls.alerts
                .iter()
                .find(|alert| alert.span.direction == Direction::ToClient)
        })
        .map(Evidence::alert);
    let reset = || {
        let reset = session
            .connection
            .resets
            .iter()
            .find(|reset| reset.direction == Direction::ToClient)?;
        Some(Evidence::frame(reset.stamp, Some(Direction::ToClient), "RST"))
    };
    let fin = || {
        let fin = session.connection.directions.to_client.fin?;
        Some(Evidence::frame(fin, Some(Direction::ToClient), "FIN"))
    };
    alert.or_else(reset).or_else(fin)
}
