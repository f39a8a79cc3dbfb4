//! What protected records hold where a known secret opens them: handshake messages and alerts become facts like those in
//! clear, marked as decrypted; application data are handed to the decoder's owner. Keys change here as messages say.
//!
//! A record is collected whole before it is opened; its octets keep the frames that brought them.

use std::collections::VecDeque;
use std::ops::Range;

use crate::frame::FrameNumber;
use crate::protocol::tls::decoder::Decoder;
use crate::protocol::tls::facts::{ContentType, Decryption, Unopened};
use crate::protocol::tls::handshake::Piece;
use crate::protocol::tls::keys::{Keys, Negotiated, Opened, Opening, Stage};
use crate::protocol::tls::noted::Noted;
use crate::protocol::tls::record::{Found, Header};
use crate::protocol::tls::registry::is_tls13;
use crate::protocol::tls::side::{Fragment, Layer};
use crate::span::{Direction, PerDirection, Stamp};
use crate::tcp::{Chunk, Gap};

/// What the decoder hands out of the inside of TLS, in order for each direction.
#[derive(Debug)]
pub enum Inside {
    /// Application data.
    Text(Plaintext),
    /// Records of application data that were not opened.
    Gap(Gap),
}

/// The application data of one record. Offsets count decrypted octets, without holes, from the place of the first one in
/// the direction's stream.
pub struct Plaintext {
    direction: Direction,
    offset: u64,
    /// The opened fragment.
    octets: Vec<u8>,
    /// Where the data begin in it.
    begins: usize,
    /// How many octets each frame brought.
    runs: Vec<(usize, Stamp)>,
}

/// Never prints what it holds.
impl std::fmt::Debug for Plaintext {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Plaintext").finish_non_exhaustive()
    }
}

impl Plaintext {
    /// Who sent it.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The octets, a chunk for each frame.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk<'_>> {
        let mut start = self.begins;
        self.runs.iter().map(move |(count, stamp)| {
            let chunk = Chunk {
                direction: self.direction,
                offset: self.offset.saturating_add((start - self.begins) as u64),
                bytes: self.octets.get(start..start + count).unwrap_or_default(),
                stamp: *stamp,
            };
            start += count;
            chunk
        })
    }
}

/// A protected record that is being collected.
pub(super) struct Collected {
    found: Found,
    protected: bool,
    remaining: u16,
    octets: Vec<u8>,
    /// End in `octets`, offset behind the run in the stream, and frame of each run.
    runs: Vec<(usize, u64, Stamp)>,
}

/// What the decoder keeps for opening records.
pub(super) struct Vault {
    opening: Opening,
    negotiated: Option<Negotiated>,
    /// Random of the last ClientHello.
    pub(super) client_random: Option<[u8; 32]>,
    /// Records are missing before the first one that keys could open.
    missed: PerDirection<bool>,
    /// The first record that keys did not open.
    first_failure: PerDirection<Noted>,
    /// The run had secrets when that record came: only then there is something to tell.
    secrets: PerDirection<Option<bool>>,
    /// The secrets of both directions are known; asked once a handshake.
    both: Option<bool>,
    opened: Option<Box<Treasure>>,
}

// Each session with TLS has one, for a capture may bring its secrets at any time.
const _: () = assert!(size_of::<Vault>() <= 256);

/// What the decoder keeps where the run has secrets that open something, or should.
#[derive(Default)]
struct Treasure {
    /// Text waits for the owner.
    ready: VecDeque<Inside>,
    /// Offset of the next decrypted octet.
    next: PerDirection<Option<u64>>,
    decryption: PerDirection<Decryption>,
}

impl Treasure {
    /// A gap in what is handed out, its place in the stream aside.
    fn put_gap(&mut self, gap: Gap) {
        let offset = self.next.get_mut(gap.direction).get_or_insert(0);
        self.ready.push_back(Inside::Gap(Gap { offset: *offset, ..gap }));
        *offset = offset.saturating_add(gap.length);
    }
}

impl Vault {
    pub(super) fn new(keys: Keys) -> Self {
        Self {
            opening: Opening::new(keys),
            negotiated: None,
            client_random: None,
            missed: PerDirection::default(),
            first_failure: PerDirection::default(),
            secrets: PerDirection::default(),
            both: None,
            opened: None,
        }
    }

    /// What is told of a direction's protected records.
    fn facts(&mut self, direction: Direction) -> &mut Decryption {
        self.opened.get_or_insert_default().decryption.get_mut(direction)
    }

    /// A sender's next records are not opened, and there is nothing to tell about that.
    fn is_done(&self, direction: Direction) -> bool {
        self.opening.shut(direction).is_some() && *self.secrets.get(direction) == Some(false)
    }

    fn opens_both(&mut self, at: FrameNumber) -> bool {
        let (opening, random) = (&self.opening, &self.client_random);
        *self
            .both
            .get_or_insert_with(|| random.is_some_and(|random| opening.opens_both(&random, at)))
    }

    /// Asked once for each direction: the secrets are shared with other threads.
    fn has_secrets(&mut self, direction: Direction, at: FrameNumber) -> bool {
        let opening = &self.opening;
        *self
            .secrets
            .get_mut(direction)
            .get_or_insert_with(|| !opening.has_none(at))
    }

    /// Octets of memory in use.
    pub(super) fn weight(&self) -> usize {
        let waiting = |treasure: &Treasure| -> usize {
            let texts = treasure.ready.iter().map(|one| match one {
                Inside::Text(text) => text.octets.capacity(),
                Inside::Gap(_) => 0,
            });
            size_of::<Treasure>() + texts.sum::<usize>()
        };
        size_of::<Self>() + self.opened.as_deref().map_or(0, waiting)
    }
}

impl Collected {
    /// Octets of memory in use.
    pub(super) const fn weight(&self) -> usize {
        self.octets.capacity() + self.runs.capacity() * size_of::<(usize, u64, Stamp)>()
    }
}

impl Decoder {
    /// Records open with these secrets, where one of them fits. Before the first octet.
    #[must_use]
    pub fn with_keys(mut self, keys: Keys) -> Self {
        self.vault = Some(Box::new(Vault::new(keys)));
        self
    }

    /// The next of what was inside, after each [`push`](Self::push) and [`gap`](Self::gap) until there is none.
    pub fn poll_inside(&mut self) -> Option<Inside> {
        self.vault.as_mut()?.opened.as_mut()?.ready.pop_front()
    }

    /// There may be something from the inside of a direction; asked with each chunk.
    #[inline]
    pub(in crate::protocol) const fn opens_some(&self, direction: Direction) -> bool {
        self.sides.get(direction).opened
    }

    /// A ServerHello came: what it agreed on with the last ClientHello holds for the next keys.
    pub(super) fn note_negotiated(&mut self, server_random: [u8; 32], compressed: bool, hello: &super::ServerHello) {
        let Some(vault) = &mut self.vault else { return };
        vault.negotiated = vault.client_random.map(|client_random| Negotiated {
            client_random,
            server_random,
            version: hello.version,
            suite: hello.cipher_suite,
            encrypt_then_mac: hello.encrypt_then_mac,
            compressed,
        });
        vault.both = None;
        if let Some(negotiated) = vault.negotiated.as_ref().filter(|one| is_tls13(one.version)) {
            vault.opening.settle_suite(negotiated);
        }
    }

    /// ChangeCipherSpec of TLS 1.2 and older: the sender's next records have the keys of the last handshake.
    pub(super) fn change_keys(&mut self, direction: Direction, at: FrameNumber) {
        let side = self.sides.get_mut(direction);
        (side.settled, side.shut) = (false, false);
        if let Some(vault) = &mut self.vault
            && let Some(negotiated) = vault.negotiated.as_ref().filter(|one| !is_tls13(one.version))
        {
            vault.opening.change(direction, negotiated, false, at);
        }
    }

    /// Whether a protected record is to be collected; finds the keys for a sender's first.
    pub(super) fn opens(&mut self, direction: Direction, header: Header, stamp: Stamp) -> bool {
        if self.sides.get(direction).shut {
            return false;
        }
        let early = self.facts.server_hello.is_none() && self.early_data_offered();
        let at = stamp.frame;
        let Some(vault) = &mut self.vault else { return false };
        if vault.opening.is_idle(direction) {
            let missed = *vault.missed.get(direction);
            match &vault.negotiated {
                Some(negotiated) if is_tls13(negotiated.version) => {
                    vault.opening.begin(direction, negotiated, missed, at);
                }
                // The ChangeCipherSpec was not seen.
                Some(negotiated) => vault.opening.change(direction, negotiated, true, at),
                None if early && direction == Direction::ToServer => {
                    let suites = self.facts.client_hellos.first().map(|hello| &hello.cipher_suites);
                    if let (Some(random), Some(suites)) = (&vault.client_random, suites) {
                        vault.opening.begin_early(random, suites, at);
                    }
                }
                // It may still come, where the capture holds packets out of order.
                None => *vault.missed.get_mut(direction) = true,
            }
        }
        if vault.opening.is_open(direction) {
            return true;
        }
        vault.first_failure.get_mut(direction).first(stamp);
        if let Some(reason) = vault.opening.shut(direction)
            && vault.has_secrets(direction, at)
        {
            vault.facts(direction).stopped.get_or_insert((reason, stamp));
            self.count_unopened(direction, header, stamp);
        } else {
            self.sides.get_mut(direction).shut = vault.is_done(direction);
        }
        false
    }

    /// A protected record begins that keys may open.
    pub(super) fn collect(&self, found: Found, protected: bool) -> Layer {
        Layer::Sealed(Box::new(Collected {
            remaining: found.header.length,
            found,
            protected,
            octets: Vec::new(),
            runs: Vec::new(),
        }))
    }

    pub(super) fn advance_sealed(&mut self, mut record: Box<Collected>, chunk: Chunk<'_>) -> usize {
        let count = chunk.bytes.len().min(usize::from(record.remaining));
        record
            .octets
            .extend_from_slice(chunk.bytes.get(..count).unwrap_or_default());
        record.remaining = record
            .remaining
            .saturating_sub(u16::try_from(count).unwrap_or(u16::MAX));
        let end = (
            record.octets.len(),
            chunk.offset.saturating_add(count as u64),
            chunk.stamp,
        );
        match record.runs.last_mut() {
            // Any cut of one frame's octets gives the same runs.
            Some(last) if last.2 == chunk.stamp => *last = end,
            _ => record.runs.push(end),
        }
        if record.remaining > 0 {
            self.enter(chunk.direction, Layer::Sealed(record));
        } else {
            self.enter(chunk.direction, Layer::default());
            self.open_record(chunk.direction, *record);
        }
        count
    }

    /// A record is whole.
    fn open_record(&mut self, direction: Direction, mut record: Collected) {
        let Found { header, stamp } = record.found;
        let Some(vault) = &mut self.vault else { return };
        match vault.opening.open(direction, header, &mut record.octets) {
            Opened::Content(content, range) => {
                let facts = vault.facts(direction);
                facts.opened = facts.opened.saturating_add(1);
                self.read_inside(direction, ContentType::from_octet(content), range, record);
            }
            Opened::No => {
                let failure = vault.first_failure.get_mut(direction);
                failure.first(stamp);
                let first = failure.get().unwrap_or(stamp);
                if let Some(reason) = vault.opening.shut(direction) {
                    let stamp = if reason == Unopened::WrongSecret { first } else { stamp };
                    vault.facts(direction).stopped.get_or_insert((reason, stamp));
                }
                self.leave_sealed(direction, &record);
            }
        }
    }

    /// A record stays closed: it counts as it does without secrets.
    fn leave_sealed(&mut self, direction: Direction, record: &Collected) {
        let Found { header, stamp } = record.found;
        self.note_record(direction, header.content, header.length, stamp, record.protected);
        self.count_unopened(direction, header, stamp);
    }

    /// A protected record of a direction for which there should be keys was not opened.
    fn count_unopened(&mut self, direction: Direction, header: Header, stamp: Stamp) {
        let Some(vault) = &mut self.vault else { return };
        let facts = vault.facts(direction);
        facts.unopened = facts.unopened.saturating_add(1);
        let reading =
            |treasure: &&mut Box<Treasure>| Direction::BOTH.into_iter().any(|one| treasure.next.get(one).is_some());
        // A damaged header may say anything of what the record held.
        if let Some(treasure) = vault.opened.as_mut().filter(reading) {
            treasure.put_gap(Gap {
                direction,
                offset: 0,
                length: u64::from(header.length),
                found_at: stamp,
                acknowledged: true,
                cut_by_snap_length: false,
            });
            self.sides.get_mut(direction).opened = true;
        }
    }

    /// What is left of a record that is not whole, at the end or over a hole.
    pub(super) fn abandon_sealed(&mut self, direction: Direction) {
        match self.layer(direction) {
            Layer::Sealed(record) => self.leave_sealed(direction, &record),
            other => self.enter(direction, other),
        }
    }

    /// A hole that begins inside a collected record. Where it also ends there, the rest is passed over by length.
    pub(super) fn tear_sealed(&mut self, record: &Collected, gap: &Gap) -> bool {
        self.leave_sealed(gap.direction, record);
        if gap.length > u64::from(record.remaining) {
            self.miss_records(gap);
            return false;
        }
        if let Some(vault) = &mut self.vault {
            vault.opening.skip(gap.direction);
        }
        let header = record.found.header;
        let missing = u16::try_from(gap.length).unwrap_or(u16::MAX);
        self.continue_with(
            gap.direction,
            Fragment {
                content: header.content,
                version: header.version,
                remaining: record.remaining.saturating_sub(missing),
                clear: false,
            },
        );
        true
    }

    /// Records are missing.
    pub(super) fn miss_records(&mut self, gap: &Gap) {
        let Some(vault) = &mut self.vault else { return };
        *vault.missed.get_mut(gap.direction) = true;
        vault.opening.miss(gap.direction, gap.length);
        let reading = |treasure: &&mut Box<Treasure>| treasure.next.get(gap.direction).is_some();
        if let Some(treasure) = vault.opened.as_mut().filter(reading) {
            treasure.put_gap(*gap);
            self.sides.get_mut(gap.direction).opened = true;
        }
    }

    /// A record whose header was found only behind it.
    pub(super) fn pass_sealed(&mut self, direction: Direction) {
        self.abandon_sealed(direction);
        if let Some(vault) = &mut self.vault {
            vault.opening.skip(direction);
        }
    }

    fn read_inside(&mut self, direction: Direction, content: ContentType, range: Range<usize>, record: Collected) {
        let Found { header, stamp } = record.found;
        let tls13 = self.is_tls13();
        match content {
            ContentType::Handshake => {
                if !tls13 {
                    self.note_record(direction, content, header.length, stamp, true);
                } else if self.facts.directions.get(direction).finished.is_none() {
                    self.flights_mut().get_mut(direction).count(stamp);
                }
                let handshake = self.handshakes.get_mut(direction);
                handshake.decrypted = true;
                handshake.begin_record();
                for piece in pieces(direction, range, &record) {
                    self.read_handshake(piece);
                }
            }
            ContentType::Alert => {
                self.reading_inside = true;
                for piece in pieces(direction, range, &record) {
                    self.read_alerts(&piece);
                }
                self.reading_inside = false;
            }
            ContentType::ApplicationData => {
                self.count_application_data(direction, stamp, header.length);
                if let Some(vault) = &mut self.vault {
                    let facts = vault.facts(direction);
                    facts.application_opened = facts.application_opened.saturating_add(1);
                }
                self.hand_out(direction, range, record);
            }
            // A renegotiation ends: the next keys.
            ContentType::ChangeCipherSpec if !tls13 => self.change_keys(direction, stamp.frame),
            _ => {}
        }
    }

    /// Application data for the owner, where the secrets of both directions are known.
    fn hand_out(&mut self, direction: Direction, range: Range<usize>, record: Collected) {
        let Some(vault) = &mut self.vault else { return };
        if !vault.opens_both(record.found.stamp.frame) || range.is_empty() {
            return;
        }
        let mut runs = Vec::with_capacity(record.runs.len());
        let mut first = None;
        for piece in pieces(direction, range.clone(), &record) {
            first.get_or_insert(piece.offset);
            runs.push((piece.bytes.len(), piece.stamp));
        }
        let treasure = vault.opened.get_or_insert_default();
        let next = treasure.next.get_mut(direction);
        let offset = next.or(first).unwrap_or_default();
        *next = Some(offset.saturating_add(range.len() as u64));
        treasure.ready.push_back(Inside::Text(Plaintext {
            direction,
            offset,
            octets: record.octets,
            begins: range.start,
            runs,
        }));
        self.sides.get_mut(direction).opened = true;
    }

    /// EndOfEarlyData, Finished or KeyUpdate of TLS 1.3: the sender's next records have other keys.
    pub(super) fn advance_keys(&mut self, direction: Direction, over: Stage) {
        if let Some(vault) = &mut self.vault {
            vault.opening.advance(direction, over);
        }
    }

    /// At the end: secrets that came before the connection's last record, but after they were asked for, came too late;
    /// those that opened nothing were wrong.
    pub(super) fn settle_decryption(&mut self) -> PerDirection<Decryption> {
        let mut told = PerDirection::default();
        let Some(vault) = &mut self.vault else { return told };
        if let Some(treasure) = vault.opened.take() {
            told = treasure.decryption;
        }
        let last = Direction::BOTH
            .into_iter()
            .filter_map(|direction| self.sides.get(direction).last_record())
            .map(|stamp| stamp.frame)
            .max()
            .unwrap_or_default();
        let there = vault
            .client_random
            .is_some_and(|random| vault.opening.opens_both(&random, last));
        for direction in Direction::BOTH {
            let stopped = &mut told.get_mut(direction).stopped;
            let Some(first) = vault.first_failure.get(direction).get() else {
                continue;
            };
            let lacking = vault.opening.shut(direction) == Some(Unopened::NoSecret);
            match stopped {
                Some((reason @ Unopened::NoSecret, _)) if there => *reason = Unopened::TooLate,
                Some(_) => {}
                None if lacking && there => *stopped = Some((Unopened::TooLate, first)),
                None if lacking && !vault.opening.has_none(last) => *stopped = Some((Unopened::NoSecret, first)),
                None if vault.opening.is_unproven(direction) => *stopped = Some((Unopened::WrongSecret, first)),
                None if vault.opening.is_idle(direction) && !vault.opening.has_none(last) => {
                    *stopped = Some((Unopened::NoHello, first));
                }
                None => {}
            }
        }
        told
    }

    /// Whether known secrets opened the inside.
    pub(super) fn is_decrypted(&self) -> bool {
        let Some(treasure) = self.vault.as_ref().and_then(|vault| vault.opened.as_ref()) else {
            return false;
        };
        let handed_out = treasure.next.to_server.is_some() || treasure.next.to_client.is_some();
        handed_out
            && Direction::BOTH.into_iter().all(|direction| {
                treasure.decryption.get(direction).application_opened > 0
                    || self.sides.get(direction).application_records == 0
            })
    }
}

/// The content of a record, cut where another frame brought it.
fn pieces(direction: Direction, range: Range<usize>, record: &Collected) -> impl Iterator<Item = Piece<'_>> {
    let mut start = 0;
    record.runs.iter().filter_map(move |(end, behind, stamp)| {
        let run = start..*end;
        start = *end;
        let (from, to) = (run.start.max(range.start), run.end.min(range.end));
        (from < to).then(|| Piece {
            bytes: record.octets.get(from..to).unwrap_or_default(),
            offset: behind.saturating_sub((run.end - from) as u64),
            stamp: *stamp,
            direction,
            record_version: record.found.header.version,
        })
    })
}
