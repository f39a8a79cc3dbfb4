//! The TLS decoder: octets of both directions, in capture order → [`TlsFacts`]. Assembles record headers and clear
//! handshake messages; passes over protected fragments by length, or collects those that keys may open
//! ([`super::inside`]). Never fails, never judges.
//!
//! | state of a direction | octets |
//! |---|---|
//! | header | five octets of record header, or of an SSL 2.0 hello |
//! | fragment | clear handshake and alerts are read, everything else is passed over by length |
//! | sealed | a protected record for which there are keys is collected |
//! | SSL 2.0 hello | collected, then back to header (a server's: then opaque) |
//! | search | parsing lost its place (hole, capture began inside TLS): looks for a record header again |
//! | opaque | not TLS, or lost for good: counted nowhere |
//! | ended | plaintext follows the end of TLS: the owner takes the rest |

use std::collections::VecDeque;

use crate::protocol::tls::facts::{
    ContentType, FIRST_RECORDS, LAST_RECORDS, Phase, Record, TlsDirection, TlsFacts, TlsStart, Version,
};
use crate::protocol::tls::flight::Flight;
use crate::protocol::tls::handshake::{Assembler, Origin, Outcome, Piece};
use crate::protocol::tls::inside::{Collected, Vault};
use crate::protocol::tls::record::{Found, Header, Reading, Search, Step, read_header};
use crate::span::{Direction, PerDirection, Span, Stamp};
use crate::tcp::{Chunk, Gap};

/// Alerts listed, in clear and encrypted each; later ones still stand in the list of records.
pub const LISTED_ALERTS: usize = 16;

/// Reads what two streams say in TLS.
///
/// Call order: [`Decoder::new`]; then [`push`](Self::push), [`gap`](Self::gap) and [`fin`](Self::fin) in capture order;
/// [`finish`](Self::finish) once. Any cut of the same streams into chunks gives the same facts. Memory is bounded: at
/// most 256 KiB of handshake a direction, and facts made from it.
pub struct Decoder {
    pub(super) facts: TlsFacts,
    pub(super) sides: PerDirection<Side>,
    /// The last records, when [`FIRST_RECORDS`] are full.
    recent: VecDeque<Record>,
    /// legacy_session_id of the last ClientHello.
    pub(super) session_id: Vec<u8>,
    /// A message or record was seen that only TLS 1.2 and older have.
    pub(super) old_protocol: bool,
    /// An alert ended TLS: plaintext may follow.
    pub(super) ended: bool,
    /// Keys and what they opened, where the run has secrets.
    pub(super) vault: Option<Box<Vault>>,
    /// What is read now was encrypted.
    pub(super) reading_inside: bool,
}

/// One direction.
#[derive(Default)]
pub(super) struct Side {
    layer: Layer,
    pub(super) handshake: Assembler,
    /// The first octet of an alert whose second is in the next record or chunk.
    pub(super) alert: Option<AlertStart>,
    pub(super) flight: Flight,
    /// Version of the last record.
    version: Option<Version>,
}

/// The level octet of an alert, and where it was.
#[derive(Clone, Copy)]
pub(super) struct AlertStart {
    pub(super) level: u8,
    pub(super) offset: u64,
    pub(super) stamp: Stamp,
    pub(super) version: Version,
}

/// State of the record layer of one direction.
pub(super) enum Layer {
    Header(PartialHeader),
    Fragment(Fragment),
    Sealed(Box<Collected>),
    Ssl2(Ssl2),
    Search(Box<Search>),
    Opaque,
    Ended,
}

impl Default for Layer {
    fn default() -> Self {
        Self::Header(PartialHeader::default())
    }
}

/// Octets of a header that is not complete.
#[derive(Clone, Copy, Default)]
pub(super) struct PartialHeader {
    octets: [u8; 5],
    have: usize,
    /// Offset and stamp of the first.
    start: Option<(u64, Stamp)>,
}

/// What is left of a fragment.
#[derive(Clone, Copy)]
pub(super) struct Fragment {
    pub(super) content: ContentType,
    pub(super) version: Version,
    pub(super) remaining: u16,
    /// Handshake messages or alerts in it can be read.
    pub(super) clear: bool,
}

/// An SSL 2.0 hello that is being collected, from the fourth octet on.
pub(super) struct Ssl2 {
    body: Vec<u8>,
    remaining: u16,
    start: u64,
    first: Stamp,
    server: bool,
}

impl Decoder {
    /// A decoder for TLS that begins at `at`.
    #[must_use]
    pub fn new(start: TlsStart, at: Stamp) -> Self {
        Self {
            facts: TlsFacts {
                start,
                began: at,
                client_hellos: Vec::new(),
                hello_retry_requests: Vec::new(),
                server_hello: None,
                server_certificate: None,
                certificate_status: None,
                key_exchange_group: None,
                dhe_bits: None,
                certificate_request: None,
                client_certificate: None,
                server_hello_done: None,
                client_key_exchange: None,
                session_ticket: false,
                alerts: Vec::new(),
                encrypted_alerts: Vec::new(),
                records: Vec::new(),
                records_not_listed: 0,
                directions: PerDirection {
                    to_server: TlsDirection::default(),
                    to_client: TlsDirection::default(),
                },
                renegotiation: None,
                plaintext_after: None,
                unreadable_messages: 0,
                gaps: 0,
                decrypted: false,
                decryption: PerDirection::default(),
                phase: Phase::BeforeClientHello,
            },
            sides: PerDirection::default(),
            recent: VecDeque::new(),
            session_id: Vec::new(),
            old_protocol: false,
            ended: false,
            vault: None,
            reading_inside: false,
        }
    }

    /// Reads octets; gives how many. Fewer than given only where plaintext begins: behind an alert that ended TLS, or
    /// as the peer's first octets where a ClientHello was expected to be answered in TLS. Then
    /// [`TlsFacts::plaintext_after`] spans the first plaintext octet, and that direction reads nothing more.
    pub fn push(&mut self, chunk: Chunk<'_>) -> usize {
        let mut rest = chunk;
        while !rest.bytes.is_empty() {
            let before = rest.bytes.len();
            let count = self.advance(rest);
            rest = rest.skip(count);
            if count == 0 || rest.bytes.len() == before {
                break;
            }
        }
        chunk.bytes.len().saturating_sub(rest.bytes.len())
    }

    /// Reads from the front of the chunk up to the end of one state; 0 where plaintext begins.
    fn advance(&mut self, chunk: Chunk<'_>) -> usize {
        match self.layer(chunk.direction) {
            Layer::Header(partial) => self.advance_header(partial, chunk),
            Layer::Fragment(fragment) => self.advance_fragment(fragment, chunk),
            Layer::Sealed(record) => self.advance_sealed(record, chunk),
            Layer::Ssl2(hello) => self.advance_ssl2(hello, chunk),
            Layer::Search(search) => self.advance_search(search, chunk),
            Layer::Opaque => {
                self.enter(chunk.direction, Layer::Opaque);
                chunk.bytes.len()
            }
            Layer::Ended => {
                self.enter(chunk.direction, Layer::Ended);
                0
            }
        }
    }

    pub(super) fn enter(&mut self, direction: Direction, layer: Layer) {
        self.sides.get_mut(direction).layer = layer;
    }

    /// Takes the state of a direction out.
    pub(super) fn layer(&mut self, direction: Direction) -> Layer {
        std::mem::take(&mut self.sides.get_mut(direction).layer)
    }

    fn advance_header(&mut self, mut partial: PartialHeader, chunk: Chunk<'_>) -> usize {
        if partial.have == 0
            && chunk
                .bytes
                .first()
                .is_some_and(|first| self.is_plaintext(*first, chunk.direction))
        {
            self.end_with_plaintext(chunk);
            return 0;
        }
        let start = *partial.start.get_or_insert((chunk.offset, chunk.stamp));
        let mut count = 0;
        for (slot, octet) in partial.octets.iter_mut().skip(partial.have).zip(chunk.bytes) {
            *slot = *octet;
            count += 1;
        }
        partial.have += count;
        if partial.have < partial.octets.len() {
            self.enter(chunk.direction, Layer::Header(partial));
            return count;
        }
        let first_of_side = self.facts.directions.get(chunk.direction).records == 0;
        match read_header(partial.octets) {
            Reading::Record(header) => self.begin_record(chunk.direction, Found { header, stamp: start.1 }),
            Reading::Ssl2ClientHello(remaining) if first_of_side => {
                self.begin_ssl2(&partial, start, remaining, false, chunk.direction);
            }
            Reading::Ssl2ServerHello(remaining) if first_of_side && self.offers_ssl2() => {
                self.begin_ssl2(&partial, start, remaining, true, chunk.direction);
            }
            _ => self.lose(chunk.direction, start.1, &partial.octets, first_of_side),
        }
        count
    }

    /// Whether an octet where a record must begin is the start of plaintext.
    fn is_plaintext(&self, octet: u8, direction: Direction) -> bool {
        let text = matches!(octet, b'\t' | b'\n' | b'\r' | b' '..=b'~');
        let nothing_yet = self.facts.directions.get(direction).records == 0;
        let asked = self
            .facts
            .client_hellos
            .iter()
            .any(|hello| hello.span.direction != direction);
        text && (self.ended || (nothing_yet && asked))
    }

    fn end_with_plaintext(&mut self, chunk: Chunk<'_>) {
        if self.facts.plaintext_after.is_none() {
            self.facts.plaintext_after = Some(Span {
                direction: chunk.direction,
                start: chunk.offset,
                end: chunk.offset.saturating_add(1),
                first: chunk.stamp,
                last: chunk.stamp,
            });
        }
        self.enter(chunk.direction, Layer::Ended);
    }

    fn offers_ssl2(&self) -> bool {
        self.facts.client_hellos.iter().any(|hello| hello.ssl2_format)
    }

    /// What stands where a record must begin is none. A capture that began inside TLS may find its place; nonsense
    /// after records is not searched.
    fn lose(&mut self, direction: Direction, at: Stamp, octets: &[u8], first_of_side: bool) {
        self.facts.directions.get_mut(direction).lost = Some(at);
        self.drop_partial_messages(direction);
        if !first_of_side {
            self.enter(direction, Layer::Opaque);
            return;
        }
        let mut search = Box::new(Search::new(None, false));
        for octet in octets {
            search.step(*octet, at);
        }
        self.enter(direction, Layer::Search(search));
    }

    fn drop_partial_messages(&mut self, direction: Direction) {
        let side = self.sides.get_mut(direction);
        side.handshake.gap(None);
        side.alert = None;
    }

    fn advance_search(&mut self, mut search: Box<Search>, chunk: Chunk<'_>) -> usize {
        let mut count = 0;
        while let Some(octet) = chunk.bytes.get(count) {
            let passing = (search.passing() as usize).min(chunk.bytes.len().saturating_sub(count));
            if passing > 0 {
                search.pass(u32::try_from(passing).unwrap_or(u32::MAX));
                count += passing;
                continue;
            }
            count += 1;
            match search.step(*octet, chunk.stamp) {
                Step::On => {}
                Step::GivenUp => {
                    self.enter(chunk.direction, Layer::Opaque);
                    return count;
                }
                Step::Synchronised { before, now } => {
                    self.facts.directions.get_mut(chunk.direction).lost = None;
                    if let Some(before) = before {
                        self.begin_record(chunk.direction, before);
                        self.pass_sealed(chunk.direction);
                    }
                    self.begin_record(chunk.direction, now);
                    return count;
                }
            }
        }
        self.enter(chunk.direction, Layer::Search(search));
        count
    }

    /// A record header is complete: its fragment begins.
    fn begin_record(&mut self, direction: Direction, found: Found) {
        let Found { header, stamp } = found;
        let Header {
            content,
            version,
            length,
        } = header;
        let protected = self.is_protected(direction, header);
        let encrypted = content == ContentType::ApplicationData || protected;
        self.list(Record {
            direction,
            content,
            length,
            encrypted,
            stamp,
        });
        let facts = self.facts.directions.get_mut(direction);
        facts.records = facts.records.saturating_add(1);
        facts.last_record = Some(stamp);
        let side = self.sides.get_mut(direction);
        side.version = Some(version);
        let clear = matches!(content, ContentType::Handshake | ContentType::Alert) && !protected;
        if clear && content == ContentType::Handshake && length > 0 {
            side.handshake.decrypted = false;
            side.handshake.begin_record();
        }
        if encrypted && length > 0 && self.opens(direction, header, stamp) {
            let layer = self.collect(found, protected);
            self.enter(direction, layer);
            return;
        }
        self.note_record(direction, content, length, stamp, protected);
        let layer = match length {
            0 => Layer::default(),
            remaining => Layer::Fragment(Fragment {
                content,
                version,
                remaining,
                clear,
            }),
        };
        self.enter(direction, layer);
    }

    fn list(&mut self, record: Record) {
        if self.facts.records.len() < FIRST_RECORDS {
            self.facts.records.push(record);
            return;
        }
        if self.recent.len() == LAST_RECORDS {
            self.recent.pop_front();
            self.facts.records_not_listed = self.facts.records_not_listed.saturating_add(1);
        }
        self.recent.push_back(record);
    }

    fn advance_fragment(&mut self, mut fragment: Fragment, chunk: Chunk<'_>) -> usize {
        let count = chunk.bytes.len().min(usize::from(fragment.remaining));
        let bytes = chunk.bytes.get(..count).unwrap_or_default();
        fragment.remaining = fragment
            .remaining
            .saturating_sub(u16::try_from(count).unwrap_or(u16::MAX));
        // Messages are read after the state is set, so that a fatal alert sees it as it will be.
        self.continue_with(chunk.direction, fragment);
        let piece = Piece {
            bytes,
            offset: chunk.offset,
            stamp: chunk.stamp,
            direction: chunk.direction,
            record_version: fragment.version,
        };
        match fragment.content {
            ContentType::Handshake if fragment.clear => self.read_handshake(piece),
            ContentType::Alert if fragment.clear => self.read_alerts(&piece),
            _ => {}
        }
        count
    }

    pub(super) fn continue_with(&mut self, direction: Direction, fragment: Fragment) {
        let layer = match fragment.remaining {
            0 => Layer::default(),
            _ => Layer::Fragment(fragment),
        };
        self.enter(direction, layer);
    }

    pub(super) fn read_handshake(&mut self, mut piece: Piece<'_>) {
        loop {
            let outcome = self.sides.get_mut(piece.direction).handshake.read(&mut piece);
            match outcome {
                Outcome::Message(message) => self.read_message(&message),
                Outcome::Used => return,
            }
        }
    }

    fn begin_ssl2(
        &mut self,
        partial: &PartialHeader,
        start: (u64, Stamp),
        remaining: u16,
        server: bool,
        direction: Direction,
    ) {
        let body = partial.octets.get(3..).unwrap_or_default().to_vec();
        self.enter(
            direction,
            Layer::Ssl2(Ssl2 {
                body,
                remaining,
                start: start.0,
                first: start.1,
                server,
            }),
        );
    }

    fn advance_ssl2(&mut self, mut hello: Ssl2, chunk: Chunk<'_>) -> usize {
        let count = chunk.bytes.len().min(usize::from(hello.remaining));
        hello
            .body
            .extend_from_slice(chunk.bytes.get(..count).unwrap_or_default());
        hello.remaining = hello.remaining.saturating_sub(u16::try_from(count).unwrap_or(u16::MAX));
        if hello.remaining > 0 {
            self.enter(chunk.direction, Layer::Ssl2(hello));
            return count;
        }
        let origin = Origin {
            span: Span {
                direction: chunk.direction,
                start: hello.start,
                end: chunk.offset.saturating_add(count as u64),
                first: hello.first,
                last: chunk.stamp,
            },
            record_version: Version::SSL2,
            length: u32::try_from(hello.body.len()).unwrap_or(u32::MAX).saturating_add(1),
            records: 1,
        };
        if hello.server {
            self.read_ssl2_server_hello(&hello.body, &origin);
            // What follows in SSL 2.0 has another record layer, and nobody speaks it any more.
            self.facts.directions.get_mut(chunk.direction).lost = Some(chunk.stamp);
            self.enter(chunk.direction, Layer::Opaque);
        } else {
            self.read_ssl2_client_hello(&hello.body, &origin);
        }
        count
    }

    /// Octets are missing before the next chunk of a direction. A hole inside a protected fragment does no harm; a hole
    /// over a record's end makes the decoder look for the next record, with [`TlsDirection::lost`] set until it is found.
    pub fn gap(&mut self, gap: &Gap) {
        self.facts.gaps = self
            .facts
            .gaps
            .saturating_add(u32::try_from(gap.length).unwrap_or(u32::MAX));
        let layer = self.layer(gap.direction);
        if let Layer::Sealed(record) = &layer
            && self.tear_sealed(record, gap)
        {
            return;
        }
        if matches!(layer, Layer::Header(_))
            || matches!(&layer, Layer::Fragment(one) if gap.length > one.remaining.into())
        {
            self.miss_records(gap);
        }
        let side = self.sides.get_mut(gap.direction);
        match layer {
            Layer::Fragment(mut fragment) if gap.length <= u64::from(fragment.remaining) => {
                let missing = u16::try_from(gap.length).unwrap_or(u16::MAX);
                fragment.remaining = fragment.remaining.saturating_sub(missing);
                match fragment.content {
                    ContentType::Handshake if fragment.clear => side.handshake.gap(Some(gap.length)),
                    ContentType::Alert => side.alert = None,
                    _ => {}
                }
                self.continue_with(gap.direction, fragment);
            }
            Layer::Search(mut search) => {
                search.gap(gap.length);
                side.layer = Layer::Search(search);
            }
            Layer::Opaque => side.layer = Layer::Opaque,
            Layer::Ended => side.layer = Layer::Ended,
            Layer::Header(_) | Layer::Fragment(_) | Layer::Sealed(_) | Layer::Ssl2(_) => {
                side.layer = Layer::Search(Box::new(Search::new(side.version, true)));
                self.facts.directions.get_mut(gap.direction).lost = Some(gap.found_at);
                self.drop_partial_messages(gap.direction);
            }
        }
    }

    /// A direction sent FIN: alert-sized records at its end are taken for alerts now.
    pub fn fin(&mut self, direction: Direction, _at: Stamp) {
        self.settle_alerts(direction);
    }

    /// All that was seen.
    #[must_use]
    pub fn finish(mut self) -> TlsFacts {
        for direction in Direction::BOTH {
            self.abandon_sealed(direction);
            self.settle_alerts(direction);
            let unreadable = self.sides.get(direction).handshake.unreadable();
            self.facts.unreadable_messages = self.facts.unreadable_messages.saturating_add(unreadable);
        }
        self.settle_early_records();
        self.settle_held_record();
        self.facts.encrypted_alerts.sort_by_key(|alert| alert.stamp.frame);
        self.facts.phase = self.progress();
        self.facts.decrypted = self.is_decrypted();
        self.settle_decryption();
        self.facts.records.extend(self.recent);
        self.facts
    }

    /// Octets of memory in use, about.
    #[must_use]
    pub fn weight(&self) -> usize {
        let facts = &self.facts;
        let messages: u32 = facts.client_hellos.iter().map(|hello| hello.length).sum();
        let certificates: u32 = [&facts.server_certificate, &facts.client_certificate]
            .into_iter()
            .flatten()
            .flat_map(|message| &message.certificates)
            .map(|certificate| certificate.length)
            .sum();
        let collecting = Direction::BOTH.into_iter().map(|direction| {
            let side = self.sides.get(direction);
            let hello = match &side.layer {
                Layer::Ssl2(hello) => hello.body.capacity(),
                Layer::Sealed(record) => record.weight(),
                _ => 0,
            };
            side.handshake.weight().saturating_add(hello)
        });
        size_of::<Self>()
            .saturating_add(self.vault.as_ref().map_or(0, |vault| vault.weight()))
            .saturating_add(messages.saturating_mul(2) as usize)
            .saturating_add(certificates as usize)
            .saturating_add(collecting.sum::<usize>())
            .saturating_add((facts.records.capacity() + self.recent.capacity()).saturating_mul(size_of::<Record>()))
    }
}
