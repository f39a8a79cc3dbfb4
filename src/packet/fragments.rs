//! IP fragments → whole datagrams (RFC 791, 815; RFC 8200, 4.5). The first octets seen of any place are kept, as most
//! stacks do; overlaps are counted. Never holds more than its limits, never allocates by a claimed length, and knows
//! no time but the capture's.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::counts::FragmentCounts;
use super::position::{Network, Octets};
use crate::time::Timestamp;

/// Datagrams waiting for a fragment at one time; with more the oldest is given up and counted.
pub const MAXIMUM_DATAGRAMS: usize = 4_096;
/// Octets that all waiting datagrams hold together, bookkeeping included; with more the oldest is given up and counted.
pub const MAXIMUM_FRAGMENT_OCTETS: usize = 8 * 1024 * 1024;
/// Pieces of one datagram; with more it is given up and counted as evicted. Fragments of 68-octet packets make 1,366.
pub const MAXIMUM_PIECES: usize = 1_536;
/// Packet time that a datagram waits from its first fragment on.
pub const FRAGMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest datagram: the length field has 16 bits.
const MAXIMUM_DATAGRAM: u32 = 65_535;
/// What an empty entry costs in the table and the queue, rounded up.
const ENTRY_OCTETS: usize = 256;

/// Which fragments belong together. The tunnel is part of it: copies on two VLANs stay two datagrams.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    identification: u32,
    /// 0 for IPv6, where only the first fragment's next header counts.
    protocol: u8,
    encapsulation: u32,
}

/// One fragment as its headers describe it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    pub(super) network: Network,
    pub(super) encapsulation: u32,
    pub(super) identification: u32,
    pub(super) offset: u32,
    pub(super) more: bool,
    pub(super) protocol: u8,
    pub(super) octets: Octets<'a>,
    pub(super) time: Timestamp,
}

/// A datagram put together.
#[derive(Debug)]
pub(super) struct Whole {
    /// Its octets; where a snap length cut a fragment, those before the cut.
    pub(super) bytes: Vec<u8>,
    /// Its length on the wire.
    pub(super) wire: usize,
    pub(super) network: Network,
    pub(super) protocol: u8,
}

/// What came of a fragment.
#[derive(Debug)]
pub(super) enum Outcome {
    Held,
    Impossible,
    Whole(Whole),
}

/// Octets `start..end` of a datagram, of which `captured` are in the arena from `at` on.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u32,
    end: u32,
    at: u32,
    captured: u32,
}

#[derive(Debug)]
struct Datagram {
    serial: u64,
    first_time: Timestamp,
    /// Sorted, disjoint.
    pieces: Vec<Piece>,
    /// Captured octets in the order they came.
    arena: Vec<u8>,
    /// Octets of the wire that the pieces cover.
    covered: u32,
    /// Known from the last fragment on.
    length: Option<u32>,
    /// From the fragment with offset 0.
    first: Option<(Network, u8)>,
}

/// Datagrams waiting for fragments.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    datagrams: HashMap<Key, Datagram>,
    /// In the order of their first fragments; entries of datagrams that are gone stay until they are met.
    order: VecDeque<(u64, Key)>,
    octets: usize,
    serial: u64,
}

impl Fragments {
    pub(super) fn waiting(&self) -> usize {
        self.datagrams.len()
    }

    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.order.len()
    }

    /// Takes one fragment in. Counts all but the outcome [`Outcome::Impossible`].
    pub(super) fn push(&mut self, fragment: &Fragment<'_>, counts: &mut FragmentCounts) -> Outcome {
        counts.fragments += 1;
        let Some(end) = fragment_end(fragment) else {
            return Outcome::Impossible;
        };
        self.expire(fragment.time, counts);
        let key = Key::of(fragment);
        let serial = self.serial;
        let datagram = self.datagrams.entry(key).or_insert_with(|| {
            self.serial += 1;
            self.order.push_back((serial, key));
            self.octets += ENTRY_OCTETS;
            Datagram::new(serial, fragment.time)
        });
        let before = datagram.octets();
        datagram.add(fragment, end, counts);
        self.octets = self.octets.saturating_sub(before).saturating_add(datagram.octets());
        if datagram.is_whole() {
            counts.reassembled += 1;
            return self
                .take(&key)
                .and_then(Datagram::assemble)
                .map_or(Outcome::Held, Outcome::Whole);
        }
        counts.held += 1;
        if datagram.pieces.len() > MAXIMUM_PIECES {
            self.take(&key);
            counts.evicted += 1;
        }
        self.keep_limits(counts);
        Outcome::Held
    }

    /// Gives up what has waited too long.
    fn expire(&mut self, now: Timestamp, counts: &mut FragmentCounts) {
        while let Some((serial, key)) = self.order.front() {
            match self.datagrams.get(key) {
                Some(datagram) if datagram.serial == *serial => {
                    if now.since(datagram.first_time) <= FRAGMENT_TIMEOUT {
                        return;
                    }
                    let key = *key;
                    self.take(&key);
                    counts.timed_out += 1;
                }
                _ => {}
            }
            self.order.pop_front();
        }
    }

    fn keep_limits(&mut self, counts: &mut FragmentCounts) {
        while self.datagrams.len() > MAXIMUM_DATAGRAMS || self.octets > MAXIMUM_FRAGMENT_OCTETS {
            let Some((serial, key)) = self.order.pop_front() else {
                return;
            };
            if self.is_live(serial, &key) {
                self.take(&key);
                counts.evicted += 1;
            }
        }
        // One that never completes must not keep the places of thousands that did.
        if self.order.len() > 2 * MAXIMUM_DATAGRAMS {
            let mut order = std::mem::take(&mut self.order);
            order.retain(|(serial, key)| self.is_live(*serial, key));
            self.order = order;
        }
    }

    fn is_live(&self, serial: u64, key: &Key) -> bool {
        self.datagrams
            .get(key)
            .is_some_and(|datagram| datagram.serial == serial)
    }

    fn take(&mut self, key: &Key) -> Option<Datagram> {
        let datagram = self.datagrams.remove(key)?;
        self.octets = self.octets.saturating_sub(ENTRY_OCTETS + datagram.octets());
        Some(datagram)
    }
}

/// Where the fragment ends in the datagram; `None` where that cannot be.
fn fragment_end(fragment: &Fragment<'_>) -> Option<u32> {
    let length = u32::try_from(fragment.octets.wire).ok()?;
    let end = fragment.offset.checked_add(length)?;
    let is_odd = fragment.more && length % 8 != 0;
    (length > 0 && !is_odd && end <= MAXIMUM_DATAGRAM).then_some(end)
}

impl Key {
    fn of(fragment: &Fragment<'_>) -> Self {
        Self {
            source: fragment.network.source,
            destination: fragment.network.destination,
            identification: fragment.identification,
            protocol: if fragment.network.source.is_ipv4() {
                fragment.protocol
            } else {
                0
            },
            encapsulation: fragment.encapsulation,
        }
    }
}

impl Datagram {
    fn new(serial: u64, first_time: Timestamp) -> Self {
        Self {
            serial,
            first_time,
            pieces: Vec::new(),
            arena: Vec::new(),
            covered: 0,
            length: None,
            first: None,
        }
    }

    fn octets(&self) -> usize {
        self.arena.capacity() + self.pieces.capacity() * size_of::<Piece>()
    }

    fn is_whole(&self) -> bool {
        self.length == Some(self.covered) && self.first.is_some()
    }

    fn add(&mut self, fragment: &Fragment<'_>, end: u32, counts: &mut FragmentCounts) {
        let reach = self.pieces.last().map_or(0, |piece| piece.end);
        let is_beyond = self
            .length
            .is_some_and(|length| end > length || (!fragment.more && end != length));
        if is_beyond || (!fragment.more && end < reach) {
            counts.overlapping += 1;
            counts.conflicting += 1;
            return;
        }
        if !fragment.more {
            self.length = Some(end);
        }
        if fragment.offset == 0 && self.first.is_none() {
            self.first = Some((fragment.network, fragment.protocol));
        }
        let (is_new, is_old, is_different) = self.insert(fragment.offset, end, fragment.octets.bytes);
        counts.conflicting += u64::from(is_different);
        if is_different || (is_new && is_old) {
            counts.overlapping += 1;
        } else if is_old {
            counts.duplicates += 1;
        }
    }

    /// Fills the holes in `start..end`. Says whether there were holes, whether there were octets, and whether those
    /// were others.
    fn insert(&mut self, start: u32, end: u32, bytes: &[u8]) -> (bool, bool, bool) {
        let (mut is_new, mut is_old, mut is_different) = (false, false, false);
        let captured = |from: u32, to: u32| {
            let length = bytes.len();
            let range =
                (from.saturating_sub(start) as usize).min(length)..(to.saturating_sub(start) as usize).min(length);
            bytes.get(range).unwrap_or_default()
        };
        let mut index = self.pieces.partition_point(|piece| piece.end <= start);
        let mut cursor = start;
        while cursor < end {
            let next = self.pieces.get(index).copied();
            if let Some(piece) = next.filter(|piece| piece.start <= cursor) {
                let stop = piece.end.min(end);
                is_old = true;
                is_different |= self.differs(piece, cursor, captured(cursor, stop));
                cursor = stop;
            } else {
                let stop = next.map_or(end, |piece| piece.start.min(end));
                self.place(index, cursor, stop, captured(cursor, stop));
                is_new = true;
                cursor = stop;
            }
            index += 1;
        }
        (is_new, is_old, is_different)
    }

    /// Compares what both have in the file.
    fn differs(&self, piece: Piece, from: u32, bytes: &[u8]) -> bool {
        let skipped = (from - piece.start).min(piece.captured);
        let at = (piece.at + skipped) as usize;
        let kept = self
            .arena
            .get(at..at + (piece.captured - skipped) as usize)
            .unwrap_or_default();
        kept.iter().zip(bytes).any(|(kept, new)| kept != new)
    }

    fn place(&mut self, index: usize, start: u32, end: u32, bytes: &[u8]) {
        let at = u32::try_from(self.arena.len()).unwrap_or(u32::MAX);
        let captured = u32::try_from(bytes.len()).unwrap_or(0);
        self.arena.extend_from_slice(bytes);
        self.pieces.insert(
            index,
            Piece {
                start,
                end,
                at,
                captured,
            },
        );
        self.covered += end - start;
    }

    fn assemble(self) -> Option<Whole> {
        let (network, protocol) = self.first?;
        let mut bytes = Vec::with_capacity(self.arena.len());
        for piece in &self.pieces {
            let at = piece.at as usize;
            bytes.extend_from_slice(self.arena.get(at..at + piece.captured as usize)?);
            if piece.captured < piece.end - piece.start {
                break;
            }
        }
        Some(Whole {
            bytes,
            wire: self.covered as usize,
            network,
            protocol,
        })
    }
}
