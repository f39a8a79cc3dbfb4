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

use crate::protocol::tls::facts::{ClientHello, ContentType, Record, TlsFacts, TlsStart, Version};
use crate::protocol::tls::flight::{Flight, Flights, alert_size};
use crate::protocol::tls::handshake::{Assembler, Origin, Outcome, Piece};
use crate::protocol::tls::inside::Vault;
use crate::protocol::tls::known::Known;
use crate::protocol::tls::listing::Listing;
use crate::protocol::tls::noted::Noted;
use crate::protocol::tls::record::{Found, Header, Reading, Search, Step, read_header};
use crate::protocol::tls::side::{Fragment, Layer, PartialHeader, Side, Ssl2};
use crate::span::{Direction, PerDirection, Span, Stamp};
use crate::tcp::{Chunk, Gap};

/// Alerts listed, in clear and encrypted each; later ones still stand in the list of records.
pub const LISTED_ALERTS: usize = 16;

/// Reads what two streams say in TLS.
///
/// Call order: [`Decoder::new`]; then [`push`](Self::push), [`gap`](Self::gap) and [`fin`](Self::fin) in capture order;
/// [`finish`](Self::finish) once. Any cut of the same streams into chunks gives the same facts. Memory is bounded: at
/// most 256 KiB of handshake a direction, and facts made from it.
// In this order: most frames touch a side, fewer the list of records, and the rest only a handshake and the end.
#[repr(C)]
pub struct Decoder {
    pub(super) sides: PerDirection<Side>,
    listing: Listing,
    /// An alert ended TLS: plaintext may follow.
    pub(super) ended: bool,
    /// A message or record was seen that only TLS 1.2 and older have.
    pub(super) old_protocol: bool,
    /// What is read now was encrypted.
    pub(super) reading_inside: bool,
    /// Records that are told apart by size and order: in TLS 1.3, and where the version is not known.
    flights: Option<Box<Flights>>,
    /// Keys and what they opened, where the run has secrets.
    pub(super) vault: Option<Box<Vault>>,
    pub(super) handshakes: PerDirection<Assembler>,
    /// The first octet of an alert whose second is in the next record or chunk.
    pub(super) alerts: PerDirection<Option<Box<AlertStart>>>,
    /// legacy_session_id of the last ClientHello, until the server answers.
    pub(super) session_id: Box<[u8]>,
    pub(super) facts: Known,
}

// A busy mirror port has thousands of them.
const _: () = assert!(size_of::<Decoder>() <= 640);

/// The level octet of an alert, and where it was.
#[derive(Clone, Copy)]
pub(super) struct AlertStart {
    pub(super) level: u8,
    pub(super) offset: u64,
    pub(super) stamp: Stamp,
    pub(super) version: Version,
}

impl Decoder {
    /// A decoder for TLS that begins at `at`.
    #[must_use]
    pub fn new(start: TlsStart, at: Stamp) -> Self {
        Self {
            sides: PerDirection::default(),
            listing: Listing::default(),
            ended: false,
            old_protocol: false,
            reading_inside: false,
            facts: Known::new(start, at),
            handshakes: PerDirection::default(),
            flights: None,
            alerts: PerDirection::default(),
            session_id: Box::default(),
            vault: None,
        }
    }

    /// Reads octets; gives how many. Fewer than given only where plaintext begins: behind an alert that ended TLS, or
    /// as the peer's first octets where a ClientHello was expected to be answered in TLS. Then
    /// [`TlsFacts::plaintext_after`] spans the first plaintext octet, and that direction reads nothing more.
    pub fn push(&mut self, chunk: Chunk<'_>) -> usize {
        let mut rest = chunk;
        while !rest.bytes.is_empty() {
            let passed = self.sides.get_mut(chunk.direction).pass(rest.bytes.len());
            let count = match passed {
                0 => self.advance(rest),
                passed => passed,
            };
            if count == 0 {
                break;
            }
            rest = rest.skip(count);
        }
        chunk.bytes.len().saturating_sub(rest.bytes.len())
    }

    /// Reads from the front of the chunk up to the end of one state; 0 where plaintext begins.
    fn advance(&mut self, chunk: Chunk<'_>) -> usize {
        match self.layer(chunk.direction) {
            Layer::Header => self.begin_header(chunk),
            Layer::Partial(partial) => self.advance_header(partial, chunk),
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

    fn begin_header(&mut self, chunk: Chunk<'_>) -> usize {
        let plaintext = |first: &u8| self.is_plaintext(*first, chunk.direction);
        if chunk.bytes.first().is_some_and(plaintext) {
            self.end_with_plaintext(chunk);
            return 0;
        }
        if let Some((octets, _)) = chunk.bytes.split_first_chunk() {
            self.read_header(chunk.direction, *octets, chunk.offset, chunk.stamp);
            return octets.len();
        }
        let partial = PartialHeader {
            octets: [0; 5],
            have: 0,
            offset: chunk.offset,
            stamp: chunk.stamp,
        };
        self.advance_header(Box::new(partial), chunk)
    }

    fn advance_header(&mut self, mut partial: Box<PartialHeader>, chunk: Chunk<'_>) -> usize {
        let mut count = 0;
        for (slot, octet) in partial.octets.iter_mut().skip(partial.have).zip(chunk.bytes) {
            *slot = *octet;
            count += 1;
        }
        partial.have += count;
        if partial.have < partial.octets.len() {
            self.enter(chunk.direction, Layer::Partial(partial));
        } else {
            self.read_header(chunk.direction, partial.octets, partial.offset, partial.stamp);
        }
        count
    }

    /// A header is complete; its first octet was there and then.
    fn read_header(&mut self, direction: Direction, octets: [u8; 5], offset: u64, stamp: Stamp) {
        let reading = read_header(octets);
        if let Reading::Record(header) = reading {
            self.begin_record(direction, Found { header, stamp });
            return;
        }
        let first_of_side = self.sides.get(direction).records == 0;
        let (remaining, server) = match reading {
            Reading::Ssl2ClientHello(remaining) if first_of_side => (remaining, false),
            Reading::Ssl2ServerHello(remaining) if first_of_side && self.offers_ssl2() => (remaining, true),
            _ => return self.lose(direction, stamp, &octets, first_of_side),
        };
        let hello = Ssl2 {
            body: octets.get(3..).unwrap_or_default().to_vec(),
            remaining,
            start: offset,
            first: stamp,
            server,
        };
        self.enter(direction, Layer::Ssl2(Box::new(hello)));
    }

    /// Whether an octet where a record must begin is the start of plaintext.
    fn is_plaintext(&self, octet: u8, direction: Direction) -> bool {
        let text = matches!(octet, b'\t' | b'\n' | b'\r' | b' '..=b'~');
        let nothing_yet = self.sides.get(direction).records == 0;
        let asked = |hello: &ClientHello| hello.span.direction != direction;
        text && (self.ended || (nothing_yet && self.facts.client_hellos.iter().any(asked)))
    }

    fn end_with_plaintext(&mut self, chunk: Chunk<'_>) {
        self.facts.rare_mut().plaintext_after.get_or_insert(Span {
            direction: chunk.direction,
            start: chunk.offset,
            end: chunk.offset.saturating_add(1),
            first: chunk.stamp,
            last: chunk.stamp,
        });
        self.enter(chunk.direction, Layer::Ended);
    }

    fn offers_ssl2(&self) -> bool {
        self.facts.client_hellos.iter().any(|hello| hello.ssl2_format)
    }

    /// What stands where a record must begin is none. A capture that began inside TLS may find its place; nonsense
    /// after records is not searched.
    fn lose(&mut self, direction: Direction, at: Stamp, octets: &[u8], first_of_side: bool) {
        self.facts.directions.get_mut(direction).lost.set(at);
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
        self.handshakes.get_mut(direction).gap(None);
        *self.alerts.get_mut(direction) = None;
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
                    self.facts.directions.get_mut(chunk.direction).lost = Noted::NONE;
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
        let data = header.content == ContentType::ApplicationData;
        let protected = data || self.is_protected(direction, header);
        self.listing.push(Record {
            direction,
            content: header.content,
            length: header.length,
            encrypted: protected,
            stamp,
        });
        let side = self.sides.get_mut(direction);
        side.note(stamp);
        side.version = Some(header.version);
        if data && side.settled && !alert_size(header.length, true) {
            side.note_application(header.length);
            side.layer = Layer::behind(header, false);
            return;
        }
        self.begin_told_record(direction, found, protected);
    }

    /// The same for a record that may tell more than that it was there.
    fn begin_told_record(&mut self, direction: Direction, found: Found, protected: bool) {
        let Found { header, stamp } = found;
        let Header { content, length, .. } = header;
        let clear = matches!(content, ContentType::Handshake | ContentType::Alert) && !protected;
        if clear && content == ContentType::Handshake && length > 0 {
            let handshake = self.handshakes.get_mut(direction);
            handshake.decrypted = false;
            handshake.begin_record();
        }
        if protected && length > 0 && self.opens(direction, header, stamp) {
            let layer = self.collect(found, protected);
            self.enter(direction, layer);
            return;
        }
        self.note_record(direction, content, length, stamp, protected);
        self.sides.get_mut(direction).layer = Layer::behind(header, clear);
    }

    /// The encrypted records that are not told apart yet, where there were any.
    pub(super) fn flights(&self) -> Option<&Flights> {
        self.flights.as_deref()
    }

    /// Those of one direction.
    pub(super) fn flight(&self, direction: Direction) -> Option<&Flight> {
        self.flights().map(|flights| flights.get(direction))
    }

    /// The same, to add to them.
    pub(super) fn flights_mut(&mut self) -> &mut Flights {
        self.flights.get_or_insert_default()
    }

    /// Nothing of them is needed any more.
    pub(super) fn forget_flights(&mut self) {
        self.flights = None;
    }

    /// The same, to take from them.
    pub(super) fn flights_if_any(&mut self) -> Option<&mut Flights> {
        self.flights.as_deref_mut()
    }

    fn advance_fragment(&mut self, mut fragment: Fragment, chunk: Chunk<'_>) -> usize {
        let count = chunk.bytes.len().min(usize::from(fragment.remaining));
        fragment.remaining = fragment
            .remaining
            .saturating_sub(u16::try_from(count).unwrap_or(u16::MAX));
        // Messages are read after the state is set, so that a fatal alert sees it as it will be.
        self.continue_with(chunk.direction, fragment);
        if fragment.clear {
            let piece = Piece {
                bytes: chunk.bytes.get(..count).unwrap_or_default(),
                offset: chunk.offset,
                stamp: chunk.stamp,
                direction: chunk.direction,
                record_version: fragment.version,
            };
            match fragment.content {
                ContentType::Alert => self.read_alerts(&piece),
                _ => self.read_handshake(piece),
            }
        }
        count
    }

    pub(super) fn continue_with(&mut self, direction: Direction, fragment: Fragment) {
        let layer = match fragment.remaining {
            0 => Layer::Header,
            _ => Layer::Fragment(fragment),
        };
        self.enter(direction, layer);
    }

    pub(super) fn read_handshake(&mut self, mut piece: Piece<'_>) {
        loop {
            let outcome = self.handshakes.get_mut(piece.direction).read(&mut piece);
            match outcome {
                Outcome::Message(message) => self.read_message(&message),
                Outcome::Used => return,
            }
        }
    }

    fn advance_ssl2(&mut self, mut hello: Box<Ssl2>, chunk: Chunk<'_>) -> usize {
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
            self.facts.directions.get_mut(chunk.direction).lost.set(chunk.stamp);
            self.enter(chunk.direction, Layer::Opaque);
        } else {
            self.read_ssl2_client_hello(&hello.body, &origin);
        }
        count
    }

    /// Octets are missing before the next chunk of a direction. A hole inside a protected fragment does no harm; a hole
    /// over a record's end makes the decoder look for the next record, with `TlsDirection::lost` set until it is found.
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
        if matches!(layer, Layer::Header | Layer::Partial(_))
            || matches!(&layer, Layer::Fragment(one) if gap.length > one.remaining.into())
        {
            self.miss_records(gap);
        }
        match layer {
            Layer::Fragment(mut fragment) if gap.length <= u64::from(fragment.remaining) => {
                let missing = u16::try_from(gap.length).unwrap_or(u16::MAX);
                fragment.remaining = fragment.remaining.saturating_sub(missing);
                match fragment.content {
                    ContentType::Handshake if fragment.clear => {
                        self.handshakes.get_mut(gap.direction).gap(Some(gap.length));
                    }
                    ContentType::Alert => *self.alerts.get_mut(gap.direction) = None,
                    _ => {}
                }
                self.continue_with(gap.direction, fragment);
            }
            Layer::Search(mut search) => {
                search.gap(gap.length);
                self.enter(gap.direction, Layer::Search(search));
            }
            Layer::Opaque | Layer::Ended => self.enter(gap.direction, layer),
            Layer::Header | Layer::Partial(_) | Layer::Fragment(_) | Layer::Sealed(_) | Layer::Ssl2(_) => {
                let search = Search::new(self.sides.get(gap.direction).version, true);
                self.enter(gap.direction, Layer::Search(Box::new(search)));
                self.facts.directions.get_mut(gap.direction).lost.set(gap.found_at);
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
            let unreadable = self.handshakes.get(direction).unreadable();
            self.facts.unreadable_messages = self.facts.unreadable_messages.saturating_add(unreadable);
        }
        self.settle_early_records();
        self.settle_held_record();
        self.facts.encrypted_alerts.sort_by_key(|alert| alert.stamp.frame);
        let phase = self.progress();
        let decrypted = self.is_decrypted();
        let decryption = self.settle_decryption();
        TlsFacts {
            decrypted,
            decryption,
            ..self.facts.tell(&self.sides, &self.listing, phase)
        }
    }

    /// Octets of memory in use, about. Asked often: what lies elsewhere is not looked at where it can be helped.
    #[must_use]
    pub fn weight(&self) -> usize {
        let collecting = Direction::BOTH.into_iter().map(|direction| {
            let layer = match &self.sides.get(direction).layer {
                Layer::Ssl2(hello) => size_of::<Ssl2>() + hello.body.capacity(),
                Layer::Sealed(record) => record.weight(),
                Layer::Search(_) => size_of::<Search>(),
                _ => 0,
            };
            self.handshakes.get(direction).weight().saturating_add(layer)
        });
        let opened = Direction::BOTH.into_iter().any(|direction| self.opens_some(direction));
        let vault = self.vault.as_ref().map_or(0, |vault| match opened {
            true => vault.weight(),
            false => size_of::<Vault>(),
        });
        size_of::<Self>()
            + self.listing.weight()
            + self.facts.weight()
            + self.flights.as_ref().map_or(0, |_| size_of::<Flights>())
            + vault
            + collecting.sum::<usize>()
    }
}
