//! Puts one session together from its TCP facts and the transcript of its streams.

use std::time::Duration;

use crate::protocol::retrieval;
use crate::protocol::smtp;
use crate::protocol::tls::{TlsFacts, TlsStart};
use crate::session::model::{CaptureQuality, EndedBy, Protocol, Security, Service, Session, SessionId, Timing};
use crate::session::outcome::{View, outcome, stage};
use crate::session::timing;
use crate::session::transactions::transactions;
use crate::span::{Direction, Role, Stamp};
use crate::tcp::{ConnectionFacts, Ending, Opening};

/// A session that has not ended counts as cut off where the capture ran on for less than this (catalogue,
/// `capture-partial-session`).
pub const CUT_OFF_SILENCE: Duration = Duration::from_secs(60);

/// What a conversation's decoders left behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    /// The protocol.
    pub protocol: Option<Protocol>,
    /// Content told it.
    pub protocol_confirmed: bool,
    /// SMTP.
    pub smtp: Option<Box<smtp::Dialogue>>,
    /// POP3 or IMAP.
    pub retrieval: Option<Box<retrieval::Dialogue>>,
    /// TLS.
    pub tls: Option<Box<TlsFacts>>,
}

/// Builds the session. `capture_end` is the last frame of the capture as far as known.
#[must_use]
pub fn build(
    id: SessionId,
    connection: Box<ConnectionFacts>,
    transcript: Transcript,
    capture_end: Option<Stamp>,
) -> Session {
    let Transcript {
        protocol,
        protocol_confirmed,
        smtp,
        retrieval,
        tls,
    } = transcript;
    let service = Service::of_port(connection.server.port);
    let quality = quality(&connection, tls.as_deref(), capture_end);
    let transactions = smtp
        .as_ref()
        .map(|dialogue| transactions(&dialogue.exchanges, quality.cut_off))
        .unwrap_or_default();
    let view = View {
        connection: &connection,
        smtp: smtp.as_deref(),
        retrieval: retrieval.as_deref(),
        tls: tls.as_deref(),
        transactions: &transactions,
        quality,
        implicit_tls_port: service.is_implicit_tls(),
    };
    let (stage, outcome) = (stage(&view), outcome(&view));
    let mirrored = smtp.as_ref().is_some_and(|dialogue| dialogue.decrypting_mirror)
        || retrieval.as_ref().is_some_and(|dialogue| dialogue.decrypting_mirror);
    let mut timing = Timing::default();
    timing::tell(
        &mut timing,
        &connection,
        smtp.as_deref(),
        retrieval.as_deref(),
        tls.as_deref(),
    );
    Session {
        id,
        service,
        protocol,
        protocol_confirmed,
        security: security(tls.as_deref(), smtp.as_deref(), mirrored, service),
        ended_by: ended_by(&connection),
        connection,
        smtp,
        retrieval,
        tls,
        transactions,
        quality,
        stage,
        outcome,
        timing,
        capture_end,
    }
}

/// `mirrored`: STARTTLS was accepted, and the capture shows what was inside in clear.
fn security(tls: Option<&TlsFacts>, smtp: Option<&smtp::Dialogue>, mirrored: bool, service: Service) -> Security {
    match tls.map(|tls| tls.start) {
        None if mirrored => Security::StartTls,
        None => Security::None,
        Some(TlsStart::Upgraded) => Security::StartTls,
        Some(TlsStart::Implicit) => Security::Implicit,
        Some(TlsStart::Inferred) => {
            let spoken = smtp.is_some_and(|dialogue| !dialogue.exchanges.is_empty() || dialogue.greeting.is_some());
            // Behind a late start on such a port only STARTTLS leads to TLS.
            let plaintext_port = !service.is_implicit_tls() && service != Service::Other;
            if spoken || plaintext_port {
                Security::StartTls
            } else {
                Security::Implicit
            }
        }
    }
}

fn quality(connection: &ConnectionFacts, tls: Option<&TlsFacts>, capture_end: Option<Stamp>) -> CaptureQuality {
    let directions = &connection.directions;
    let silent = |direction: Direction| {
        let facts = directions.get(direction);
        facts.data_segments == 0 && facts.octets == 0
    };
    let only_direction = Direction::BOTH.into_iter().find(|direction| {
        let other = direction.opposite();
        !silent(*direction) && silent(other) && directions.get(other).acknowledged_unseen
    });
    let ran_on = capture_end.map(|end| end.time.since(connection.last.time));
    let unended = matches!(
        connection.ending,
        Ending::CaptureEnd | Ending::Stopped | Ending::HalfClosed(_)
    ) && directions.to_client.fin.is_none()
        && directions.to_server.fin.is_none();
    CaptureQuality {
        started_late: matches!(connection.opening, Opening::MidStream),
        cut_off: unended
            && !matches!(connection.opening, Opening::SynOnly)
            && ran_on.is_none_or(|silence| silence < CUT_OFF_SILENCE),
        only_direction,
        // Also of a FIN that was acknowledged and is not in the capture: who closed first is not known then.
        gaps: directions.to_client.gaps + directions.to_server.gaps > 0
            || directions.to_client.acknowledged_unseen
            || directions.to_server.acknowledged_unseen
            || tls.is_some_and(TlsFacts::has_unopened_records),
        snap_length: directions.to_client.cut_segments + directions.to_server.cut_segments > 0,
        duplicates: directions.to_client.capture_duplicates + directions.to_server.capture_duplicates > 0,
        conflicts: directions.to_client.conflicting_octets + directions.to_server.conflicting_octets > 0,
        disordered: connection.early_segments > 0,
        kernel_drops: false,
    }
}

fn ended_by(connection: &ConnectionFacts) -> EndedBy {
    match connection.ending {
        Ending::Stopped => EndedBy::Operator,
        _ if matches!(connection.opening, Opening::SynOnly) => EndedBy::NeverOpened,
        Ending::Closed(direction) | Ending::HalfClosed(direction) => EndedBy::Fin(direction.sender()),
        Ending::Reset(direction) => EndedBy::Reset(direction.sender()),
        Ending::Idle => EndedBy::Idle,
        Ending::CaptureEnd | Ending::PortReused => first_fin(connection).map_or(EndedBy::CaptureEnd, EndedBy::Fin),
        Ending::Evicted => EndedBy::Limit,
    }
}

fn first_fin(connection: &ConnectionFacts) -> Option<Role> {
    let (client, server) = (connection.directions.to_server.fin, connection.directions.to_client.fin);
    match (client, server) {
        (Some(client), Some(server)) if server < client => Some(Role::Server),
        (Some(_), _) => Some(Role::Client),
        (None, Some(_)) => Some(Role::Server),
        (None, None) => None,
    }
}
