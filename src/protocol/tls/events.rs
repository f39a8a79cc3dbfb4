//! What records mean while a handshake goes on: phases, alerts, Finished, application data. The rules of TLS 1.3 are
//! inference from sizes, see [`super::flight`]; those of TLS 1.2 and older follow from ChangeCipherSpec.

use crate::protocol::tls::decoder::{AlertStart, Decoder, LISTED_ALERTS};
use crate::protocol::tls::facts::{Alert, AlertLevel, ClientHello, ContentType, EncryptedAlert, Phase, TlsStart};
use crate::protocol::tls::flight::{Flights, SHORTEST_TICKET, Sealed, alert_size, finished_size};
use crate::protocol::tls::handshake::Piece;
use crate::protocol::tls::record::Header;
use crate::protocol::tls::registry::{extension, hash_length, is_tls13};
use crate::span::{Direction, Span, Stamp};

/// The shortest protected record of any suite in octets: shorter ones are in clear.
const SHORTEST_PROTECTED: u16 = 16;
/// A handshake record behind ChangeCipherSpec up to this length, in octets, is a Finished rather than a second
/// ClientHello, where no ServerHello tells the version.
const LONGEST_FINISHED: u16 = 128;

impl Decoder {
    /// The handshake is one of TLS 1.3, as far as can be told: by the ServerHello, else by a HelloRetryRequest, else by
    /// an offer that nothing contradicts.
    pub(super) fn is_tls13(&self) -> bool {
        match &self.facts.server_hello {
            Some(hello) => is_tls13(hello.version),
            None if self.facts.retried() => true,
            None => !self.old_protocol && self.facts.client_hellos.last().is_some_and(offers_tls13),
        }
    }

    /// No hello was seen at all: the capture began later, or they are in a hole.
    fn version_unknown(&self) -> bool {
        self.facts.server_hello.is_none() && self.facts.client_hellos.is_empty() && !self.old_protocol
    }

    /// Whether a fragment is protected, told by its header and by what came before.
    pub(super) fn is_protected(&self, direction: Direction, header: Header) -> bool {
        let changed = self.facts.directions.get(direction).change_cipher_spec.is_some();
        match header.content {
            // Two octets cannot hold a MAC: in clear whatever came before.
            ContentType::Alert => {
                header.length >= SHORTEST_PROTECTED || (changed && header.length > 2 && !self.is_tls13())
            }
            // A HelloRetryRequest proves TLS 1.3, where ChangeCipherSpec changes nothing.
            ContentType::Handshake if self.facts.retried() => false,
            ContentType::Handshake if self.facts.server_hello.is_some() => changed && !self.is_tls13(),
            ContentType::Handshake => changed && (!self.is_tls13() || header.length < LONGEST_FINISHED),
            // One octet in clear; longer where a renegotiation sends it under the old keys.
            ContentType::ChangeCipherSpec => changed && header.length >= SHORTEST_PROTECTED && !self.is_tls13(),
            ContentType::ApplicationData => true,
            ContentType::Heartbeat | ContentType::Other(_) => changed,
        }
    }

    /// A record begins.
    pub(super) fn note_record(
        &mut self,
        direction: Direction,
        content: ContentType,
        length: u16,
        stamp: Stamp,
        protected: bool,
    ) {
        match content {
            ContentType::ChangeCipherSpec if !protected => self.note_change_cipher_spec(direction, stamp),
            ContentType::Alert if protected => self.note_encrypted_alert(direction, length, stamp),
            ContentType::Handshake if protected => self.note_protected_handshake(direction, stamp),
            ContentType::ApplicationData => self.note_sealed(direction, length, stamp),
            _ => {}
        }
    }

    fn note_change_cipher_spec(&mut self, direction: Direction, stamp: Stamp) {
        self.facts.directions.get_mut(direction).change_cipher_spec.first(stamp);
        self.handshakes.get_mut(direction).interrupt();
        self.change_keys(direction, stamp.frame);
    }

    /// TLS 1.2 and older: the first one is Finished; one after application data renegotiates.
    fn note_protected_handshake(&mut self, direction: Direction, stamp: Stamp) {
        self.old_protocol = true;
        let used = Direction::BOTH
            .into_iter()
            .any(|direction| self.facts.directions.get(direction).first_application_data.is_some());
        let facts = self.facts.directions.get_mut(direction);
        if facts.finished.is_none() {
            facts.finished.set(stamp);
        } else if used {
            self.facts.rare_mut().renegotiation.get_or_insert((direction, stamp));
        }
    }

    fn note_encrypted_alert(&mut self, direction: Direction, length: u16, stamp: Stamp) {
        let phase = self.phase_of(direction);
        self.ended = true;
        self.list_encrypted_alert(EncryptedAlert {
            stamp,
            direction,
            length,
            phase,
            inferred: false,
        });
    }

    fn list_encrypted_alert(&mut self, alert: EncryptedAlert) {
        if self.facts.encrypted_alerts.len() < LISTED_ALERTS {
            self.facts.encrypted_alerts.push(alert);
        }
    }

    /// Clear alerts: pairs of level and description, however records cut them.
    pub(super) fn read_alerts(&mut self, piece: &Piece<'_>) {
        let mut start = self.alerts.get_mut(piece.direction).take().map(|start| *start);
        for (index, octet) in piece.bytes.iter().enumerate() {
            let offset = piece.offset.saturating_add(index as u64);
            match start.take() {
                None => {
                    start = Some(AlertStart {
                        level: *octet,
                        offset,
                        stamp: piece.stamp,
                        version: piece.record_version,
                    });
                }
                Some(start) => {
                    let span = Span {
                        direction: piece.direction,
                        start: start.offset,
                        end: offset.saturating_add(1),
                        first: start.stamp,
                        last: piece.stamp,
                    };
                    self.note_alert(start, *octet, span);
                }
            }
        }
        *self.alerts.get_mut(piece.direction) = start.map(Box::new);
    }

    fn note_alert(&mut self, start: AlertStart, description: u8, span: Span) {
        let level = AlertLevel::from_octet(start.level);
        if level == AlertLevel::Fatal || description == 0 {
            self.ended = true;
        }
        let alert = Alert {
            span,
            level,
            description,
            record_version: start.version,
            phase: self.phase_of(span.direction),
            decrypted: self.reading_inside,
        };
        let alerts = &mut self.facts.rare_mut().alerts;
        if alerts.len() < LISTED_ALERTS {
            alerts.push(alert);
        }
    }

    /// A record of outer type application_data.
    fn note_sealed(&mut self, direction: Direction, length: u16, stamp: Stamp) {
        // Asked for what may be an alert only: nothing reads the phase of any other record.
        let phase = match alert_size(length, true) {
            true => self.phase_of(direction),
            false => Phase::BeforeClientHello,
        };
        let record = Sealed { stamp, length, phase };
        if self.version_unknown() {
            self.note_application(direction, record, alert_size(length, false));
        } else if !self.is_tls13() {
            self.count_application_data(direction, stamp, length);
        } else {
            match direction {
                Direction::ToServer => self.note_sealed_by_client(record),
                Direction::ToClient => self.note_sealed_by_server(record),
            }
        }
        self.settle(direction);
    }

    /// Where nothing of either direction waits to be told apart, nothing is kept for that.
    fn settle(&mut self, direction: Direction) {
        self.sides.get_mut(direction).settled = self.is_settled(direction);
        if Direction::BOTH
            .into_iter()
            .all(|direction| self.sides.get(direction).settled)
        {
            self.forget_flights();
        }
    }

    /// Counts a record as application data.
    pub(super) fn count_application_data(&mut self, direction: Direction, stamp: Stamp, length: u16) {
        self.sides.get_mut(direction).note_application(length);
        self.facts
            .directions
            .get_mut(direction)
            .first_application_data
            .first(stamp);
    }

    /// Whether a direction's further records of application data only count, but for those of an alert's size: the version is
    /// known, the handshake over, nothing waits to be told apart, and no key opens anything. A ChangeCipherSpec ends that.
    fn is_settled(&self, direction: Direction) -> bool {
        let Some(hello) = &self.facts.server_hello else {
            return false;
        };
        let spoke = |direction| self.facts.directions.get(direction).first_application_data.is_some();
        let over = spoke(Direction::ToServer) && self.facts.directions.to_server.finished.is_some();
        let waits = |flights: &Flights| flights.tickets.is_waiting() || flights.get(direction).is_suspicious();
        spoke(direction)
            && (!is_tls13(hello.version) || (over && !self.flights().is_some_and(waits)))
            && (self.vault.is_none() || self.sides.get(direction).shut)
    }

    fn hash(&self) -> Option<u16> {
        self.facts
            .server_hello
            .as_ref()
            .map(|hello| hash_length(hello.cipher_suite))
    }

    /// Early data was offered, so that protected records may come before the handshake's own.
    pub(super) fn early_data_offered(&self) -> bool {
        self.facts
            .client_hellos
            .first()
            .is_some_and(|hello| hello.extensions.contains(&extension::EARLY_DATA))
    }

    fn note_sealed_by_client(&mut self, record: Sealed) {
        let direction = Direction::ToServer;
        if self.facts.directions.to_server.finished.is_some() {
            let suspicious = alert_size(record.length, self.sides.get(direction).padded);
            self.note_application(direction, record, suspicious);
            return;
        }
        if self.early_data_offered() && self.facts.server_hello.is_none() {
            self.count_application_data(direction, record.stamp, record.length);
            return;
        }
        self.flush_flight(direction);
        let hash = self.hash();
        let flight = self.flights_mut().get_mut(direction);
        if let Some(padded) = finished_size(record.length, hash) {
            self.sides.to_server.padded = padded;
            self.client_finished(record.stamp);
        } else if alert_size(record.length, true) {
            flight.suspect(record);
        } else {
            flight.count(record.stamp);
        }
    }

    /// The client's Finished is there: the server's was before it.
    fn client_finished(&mut self, stamp: Stamp) {
        self.facts.directions.to_server.finished.set(stamp);
        if let Some(last) = self.flight(Direction::ToClient).and_then(|flight| flight.last.get()) {
            self.facts.directions.to_client.finished.first(last);
        }
    }

    fn note_sealed_by_server(&mut self, record: Sealed) {
        let direction = Direction::ToClient;
        self.suppose_client_finished();
        if self.facts.directions.to_server.finished.is_none() && !self.client_unseen_and_done() {
            self.flush_flight(direction);
            self.note_server_flight(record);
            return;
        }
        let suspicious = alert_size(record.length, self.sides.get(direction).padded);
        self.note_application(direction, record, suspicious);
    }

    /// A client that packs its last flight into one record shows no record of Finished size. When the server goes on
    /// after that flight, the flight is over.
    fn suppose_client_finished(&mut self) {
        if self.facts.directions.to_server.finished.is_some() {
            return;
        }
        let flight = self
            .flight(Direction::ToServer)
            .filter(|flight| !flight.is_suspicious());
        if let Some(last) = flight.and_then(|flight| flight.last.get())
            && !self.early_data_offered()
        {
            self.client_finished(last);
        }
    }

    /// The client's direction is not in the capture, and the server's Finished was seen.
    fn client_unseen_and_done(&self) -> bool {
        self.sides.to_server.records == 0 && self.facts.directions.to_client.finished.is_some()
    }

    fn note_server_flight(&mut self, record: Sealed) {
        let hash = self.hash();
        let flight = self.flights_mut().get_mut(Direction::ToClient);
        // EncryptedExtensions come first, so that the first record alone is no Finished.
        let size = finished_size(record.length, hash).filter(|_| flight.records > 0);
        if alert_size(record.length, true) {
            flight.suspect(record);
        } else {
            flight.count(record.stamp);
        }
        if let Some(padded) = size {
            self.sides.to_client.padded = padded;
            self.facts.directions.to_client.finished.set(record.stamp);
        }
    }

    /// Alert-sized records with handshake behind them belong to the handshake.
    fn flush_flight(&mut self, direction: Direction) {
        let Some(flights) = self.flights_if_any() else { return };
        let flight = flights.get_mut(direction);
        for record in flight.take_pending() {
            flight.count(record.stamp);
        }
    }

    /// A record behind the handshake: application data, or an alert if nothing follows.
    fn note_application(&mut self, direction: Direction, record: Sealed, suspicious: bool) {
        if suspicious {
            if let Some(oldest) = self.flights_mut().get_mut(direction).suspect(record) {
                self.count_application(direction, oldest);
            }
            return;
        }
        if let Some(flights) = self.flights_if_any() {
            for earlier in flights.get_mut(direction).take_pending() {
                self.count_application(direction, earlier);
            }
        }
        self.count_application(direction, record);
    }

    fn count_application(&mut self, direction: Direction, record: Sealed) {
        let client_spoke = self.facts.directions.to_server.first_application_data.is_some();
        if direction == Direction::ToClient && !client_spoke && !self.version_unknown() {
            let tickets = &mut self.flights_mut().tickets;
            tickets.early = Some(record);
            tickets.length = Some(record.length);
            return;
        }
        if direction == Direction::ToServer {
            self.settle_early_records();
        } else if self.is_late_ticket(record) {
            return;
        }
        self.count_application_data(direction, record.stamp, record.length);
    }

    /// A ticket that crossed the client's first data on its way: servers send two of one length.
    fn is_late_ticket(&mut self, record: Sealed) -> bool {
        let facts = &self.facts.directions.to_client;
        let possible =
            facts.first_application_data.is_none() && facts.finished.is_some() && record.length >= SHORTEST_TICKET;
        if !possible && self.flights().is_none() {
            return false;
        }
        let tickets = &mut self.flights_mut().tickets;
        let possible = possible && !tickets.twins;
        let held = tickets.held.take();
        if possible && tickets.length.or(held.map(|held| held.length)) == Some(record.length) {
            tickets.twins = true;
            return true;
        }
        if let Some(held) = held {
            self.count_application_data(Direction::ToClient, held.stamp, held.length);
        } else if possible && tickets.length.is_none() {
            tickets.held = Some(record);
            return true;
        }
        false
    }

    /// What the server sent between the client's Finished and its first application data: tickets, and with implicit
    /// TLS a greeting at the end. After STARTTLS the client speaks first.
    pub(super) fn settle_early_records(&mut self) {
        let early = self.flights_if_any().and_then(|flights| flights.tickets.early.take());
        let unseen = self.sides.to_server.records == 0;
        if let Some(record) = early.filter(|_| self.facts.start == TlsStart::Implicit || unseen) {
            self.count_application_data(Direction::ToClient, record.stamp, record.length);
        }
    }

    /// A record of ticket size that stayed alone was application data.
    pub(super) fn settle_held_record(&mut self) {
        if let Some(held) = self.flights_if_any().and_then(|flights| flights.tickets.held.take()) {
            self.count_application_data(Direction::ToClient, held.stamp, held.length);
        }
    }

    /// Nothing follows in this direction: alert-sized records at its end are taken for alerts.
    pub(super) fn settle_alerts(&mut self, direction: Direction) {
        let Some(flights) = self.flights_if_any() else { return };
        for record in flights.get_mut(direction).take_pending() {
            self.list_encrypted_alert(EncryptedAlert {
                stamp: record.stamp,
                direction,
                length: record.length,
                phase: record.phase,
                inferred: true,
            });
        }
    }

    /// How far the connection got, both sides together.
    pub(super) fn progress(&self) -> Phase {
        let facts = &self.facts;
        let (client, server) = (&facts.directions.to_server, &facts.directions.to_client);
        let complete = match self.is_tls13() {
            true => client.finished.is_some(),
            false => client.finished.is_some() && server.finished.is_some(),
        };
        let hello = facts.server_hello.is_some();
        let client_flight = facts
            .answered()
            .is_some_and(|answered| answered.client_key_exchange.is_some())
            || facts.rare().is_some_and(|rare| rare.client_certificate.is_some())
            || client.finished.is_some()
            || (hello && client.change_cipher_spec.is_some() && !self.is_tls13())
            || self
                .flight(Direction::ToServer)
                .is_some_and(|flight| flight.records > 0);
        if client.first_application_data.is_some() || server.first_application_data.is_some() {
            Phase::AfterApplicationData
        } else if complete {
            Phase::AfterHandshake
        } else if client_flight {
            Phase::AfterClientFlight
        } else if hello {
            Phase::AfterServerHello
        } else if !facts.client_hellos.is_empty() {
            Phase::AfterClientHello
        } else {
            Phase::BeforeClientHello
        }
    }

    /// The phase of one sender: as [`progress`](Self::progress), but a client that sent no application data of its own is
    /// not past the handshake, whatever greeting crossed its records.
    pub(super) fn phase_of(&self, direction: Direction) -> Phase {
        let client = &self.facts.directions.to_server;
        let silent_client = direction == Direction::ToServer && client.first_application_data.is_none();
        match self.progress() {
            Phase::AfterApplicationData if silent_client && client.finished.is_some() => Phase::AfterHandshake,
            phase => phase,
        }
    }
}

/// TLS 1.3 or a draft is among the versions offered.
fn offers_tls13(hello: &ClientHello) -> bool {
    hello.supported_versions.iter().any(|version| is_tls13(*version))
}
