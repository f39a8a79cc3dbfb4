//! Keeps the frames of the last while in one ring of octets, so that those of a session that failed can be written once it
//! is known that it did. Bounded by octets: the oldest frames leave first. Tells as well which frames are mail at all.

use std::collections::{HashMap, VecDeque};

use foldhash::quality::RandomState;

use crate::frame::{Frame, FrameNumber, LinkType};
use crate::packet::{Decoder, Endpoint, Packet, PortSet, is_noise};
use crate::time::Timestamp;

/// Frames of one session handed out at most, the last ones; what is missing is counted.
pub const SESSION_FRAMES: usize = 100_000;
/// IP fragments that wait for the segment they belong to.
const WAITING_FRAGMENTS: usize = 256;
/// Addresses of a fragment are looked for in this many first octets of its frame.
const HEADERS: usize = 256;

/// Both endpoints, the lower first.
type Pair = (Endpoint, Endpoint);

fn pair(one: Endpoint, other: Endpoint) -> Pair {
    if one <= other { (one, other) } else { (other, one) }
}

struct Entry {
    number: FrameNumber,
    time: Timestamp,
    link_type: LinkType,
    original_length: u32,
    at: usize,
    length: usize,
    pair: Option<Pair>,
    /// The frame of the same pair before this one, by count of frames kept since the start.
    before: Option<u64>,
}

/// The frames of a session that are still kept, in their order.
#[derive(Debug, Default)]
pub struct Kept<'a> {
    /// The frames.
    pub frames: Vec<Frame<'a>>,
}

/// The ring.
pub struct Keep {
    ports: PortSet,
    decoder: Decoder,
    octets: Vec<u8>,
    capacity: usize,
    /// Where the next frame goes.
    next: usize,
    entries: VecDeque<Entry>,
    /// Frames that have left the ring.
    gone: u64,
    newest: HashMap<Pair, u64, RandomState>,
    fragments: VecDeque<u64>,
}

impl Keep {
    /// A ring of this many octets for these server ports; with 0 octets it only tells which frames are mail.
    #[must_use]
    pub fn new(ports: &[u16], capacity: usize) -> Self {
        Self {
            ports: ports.iter().copied().collect(),
            decoder: Decoder::new(),
            octets: Vec::new(),
            capacity,
            next: 0,
            entries: VecDeque::new(),
            gone: 0,
            newest: HashMap::default(),
            fragments: VecDeque::new(),
        }
    }

    /// Takes a frame; true where it is mail: a segment on one of the ports, an ICMP error that quotes one, or an IP
    /// fragment, of which nobody can tell yet.
    pub fn push(&mut self, frame: &Frame<'_>) -> bool {
        if is_noise(frame, &self.ports) {
            return false;
        }
        let held = self.decoder.counts().fragments.held;
        let whole = self.decoder.counts().fragments.reassembled;
        let ends = match self.decoder.decode(frame) {
            Packet::Segment(segment) => Some((segment.source, segment.destination)),
            Packet::IcmpError(error) => Some((error.quoted_source, error.quoted_destination)),
            Packet::Other => None,
        };
        let is_fragment = self.decoder.counts().fragments.held > held;
        let completes = self.decoder.counts().fragments.reassembled > whole;
        let mail = ends.filter(|(one, other)| self.ports.contains(one.port) || self.ports.contains(other.port));
        if mail.is_none() && !is_fragment {
            return false;
        }
        if self.capacity > 0 {
            if let (Some((source, destination)), true) = (mail, completes) {
                self.claim_fragments(source, destination);
            }
            self.keep(frame, mail.map(|(one, other)| pair(one, other)), is_fragment);
        }
        true
    }

    /// The frames between two endpoints from `first` to `last` that are still kept.
    #[must_use]
    pub fn session(&self, client: Endpoint, server: Endpoint, first: FrameNumber, last: FrameNumber) -> Kept<'_> {
        let mut frames = Vec::new();
        let mut next = self.newest.get(&pair(client, server)).copied();
        while let Some(entry) = next.and_then(|index| self.entry(index)) {
            if entry.number < first || frames.len() >= SESSION_FRAMES {
                break;
            }
            next = entry.before;
            if entry.number <= last
                && let Some(bytes) = self.octets.get(entry.at..entry.at + entry.length)
            {
                frames.push(Frame {
                    number: entry.number,
                    time: entry.time,
                    link_type: entry.link_type,
                    original_length: entry.original_length,
                    bytes,
                });
            }
        }
        frames.sort_by_key(|frame| frame.number);
        Kept { frames }
    }

    /// Octets of memory held.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.octets.capacity()
            + self.entries.capacity() * size_of::<Entry>()
            + self.newest.capacity() * (size_of::<Pair>() + 16)
    }

    fn entry(&self, index: u64) -> Option<&Entry> {
        let position = usize::try_from(index.checked_sub(self.gone)?).ok()?;
        self.entries.get(position)
    }

    fn keep(&mut self, frame: &Frame<'_>, pair: Option<Pair>, is_fragment: bool) {
        let length = frame.bytes.len();
        if length > self.capacity {
            return;
        }
        let at = self.make_room(length);
        let Some(room) = self.octets.get_mut(at..at + length) else {
            return;
        };
        room.copy_from_slice(frame.bytes);
        self.next = at + length;
        let index = self.gone + self.entries.len() as u64;
        let before = pair.and_then(|pair| self.newest.insert(pair, index));
        self.entries.push_back(Entry {
            number: frame.number,
            time: frame.time,
            link_type: frame.link_type,
            original_length: frame.original_length,
            at,
            length,
            pair,
            before,
        });
        if is_fragment {
            if self.fragments.len() >= WAITING_FRAGMENTS {
                self.fragments.pop_front();
            }
            self.fragments.push_back(index);
        }
    }

    /// Where `length` octets can go; the frames that lie there leave.
    fn make_room(&mut self, length: usize) -> usize {
        let mut at = self.next;
        if at + length > self.capacity {
            // What lies between here and the end is older than what lies at the beginning.
            while self.entries.front().is_some_and(|oldest| oldest.at >= at) {
                self.drop_oldest();
            }
            at = 0;
        }
        while self
            .entries
            .front()
            .is_some_and(|oldest| oldest.at >= at && oldest.at < at + length)
        {
            self.drop_oldest();
        }
        if self.octets.len() < at + length {
            // Grows as it fills, so that a quiet line costs nothing.
            let size = (at + length).next_power_of_two().min(self.capacity);
            self.octets.resize(size.max(at + length), 0);
        }
        at
    }

    fn drop_oldest(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            if let Some(pair) = entry.pair
                && self.newest.get(&pair) == Some(&self.gone)
            {
                self.newest.remove(&pair);
            }
            self.gone += 1;
        }
    }

    /// A datagram is whole: its fragments, which told no ports, become frames of the pair.
    fn claim_fragments(&mut self, source: Endpoint, destination: Endpoint) {
        let addresses = [octets(source), octets(destination)].concat();
        let waiting = std::mem::take(&mut self.fragments);
        for index in waiting {
            let ours = self.entry(index).is_some_and(|entry| {
                let frame = self.octets.get(entry.at..entry.at + entry.length).unwrap_or_default();
                let headers = frame.get(..HEADERS).unwrap_or(frame);
                memchr::memmem::find(headers, &addresses).is_some()
            });
            if !ours {
                self.fragments.push_back(index);
                continue;
            }
            let pair = pair(source, destination);
            let before = self.newest.insert(pair, index);
            let position = usize::try_from(index.saturating_sub(self.gone)).unwrap_or(usize::MAX);
            if let Some(entry) = self.entries.get_mut(position) {
                (entry.pair, entry.before) = (Some(pair), before);
            }
        }
    }
}

fn octets(endpoint: Endpoint) -> Vec<u8> {
    match endpoint.address {
        std::net::IpAddr::V4(address) => address.octets().to_vec(),
        std::net::IpAddr::V6(address) => address.octets().to_vec(),
    }
}
