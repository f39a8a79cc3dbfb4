//! STARTTLS was accepted, and the client never sent a ClientHello.

use crate::diagnosis::rules::starttls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::session::EndedBy;
use crate::session::{Session, Stage};
use crate::span::{Direction, Role, Stamp};
use std::time::Duration;

/// `starttls-client-abandons-after-220`.
pub static RULE: Rule = Rule {
    slug: "starttls-client-abandons-after-220",
    layer: Layer::StartTls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(34),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-vanished",
        "smtp-server-421",
        "tcp-idle-dropped",
        "tcp-reset-mid-session",
    ],
    leans_on_absence: true,
    references: &["RFC 3207 4.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// Silence after which a client that says nothing has given up or hangs.
const SILENCE: Duration = Duration::from_secs(5);

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let quality = &session.quality;
    if quality.gaps || quality.cut_off || quality.only_direction.is_some() || evidence::is_decrypted_copy(session) {
        return None;
    }
    let client_spoke = session
        .tls
        .as_ref()
        .is_some_and(|tls| !tls.client_hellos.is_empty() || tls.directions.to_server.records > 0);
    let (command, consent) = evidence::consent(session).filter(|_| !client_spoke)?;
    let after = |stamp: Stamp| stamp.time.since(consent.last.time);
    let facts = &session.connection.directions.to_server;
    let unread = facts.last_data.is_some_and(|last| last.frame > consent.last.frame);
    if unread {
        return None;
    }
    let closed = match session.ended_by {
        EndedBy::Fin(Role::Client) => facts.fin,
        EndedBy::Reset(Role::Client) => session
            .connection
            .resets
            .iter()
            .find(|reset| reset.direction == Direction::ToServer)
            .map(|reset| reset.stamp),
        _ => None,
    };
    let finding = match closed {
        Some(at) => Finding::of(
            rule,
            Stage::StartTls,
            Evidence::frame(at, Some(Direction::ToServer), "the client closes"),
        )
        .with("closed", after(at)),
        None => {
            let end = session.capture_end.unwrap_or(session.connection.last);
            let end = match session.ended_by {
                EndedBy::Idle | EndedBy::CaptureEnd | EndedBy::Limit => end,
                _ => session
                    .connection
                    .directions
                    .to_client
                    .fin
                    .unwrap_or(session.connection.last),
            };
            let silence = Some(after(end)).filter(|silence| *silence >= SILENCE)?;
            let quoted = Note::of("nothing from the client for {silence}").with("silence", silence);
            Finding::of(rule, Stage::StartTls, Evidence::frame(consent.last, None, quoted)).with("silent", silence)
        }
    };
    let tester = evidence::injected(session).is_some_and(|(span, _)| span.direction == Direction::ToServer);
    let finding = finding.with_some("injected", tester.then_some("yes"));
    Some(finding.and(Evidence::quote(&consent, "STARTTLS accepted")).and(command))
}
