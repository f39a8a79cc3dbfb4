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
            Packet::Segment(segment) => Some((segment.flow.source(), segment.flow.destination())),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// An Ethernet frame with IPv4 and TCP between two ports, of this many octets.
    fn frame(source: u16, destination: u16, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length.max(54)];
        bytes[12..14].copy_from_slice(&[8, 0]);
        bytes[14] = 0x45;
        let total = (bytes.len() - 14) as u16;
        bytes[16..18].copy_from_slice(&total.to_be_bytes());
        bytes[22..24].copy_from_slice(&[64, 6]);
        bytes[26..30].copy_from_slice(&[192, 0, 2, 1]);
        bytes[30..34].copy_from_slice(&[198, 51, 100, 1]);
        bytes[34..36].copy_from_slice(&source.to_be_bytes());
        bytes[36..38].copy_from_slice(&destination.to_be_bytes());
        bytes[46..48].copy_from_slice(&[0x50, 0x10]);
        bytes
    }

    fn ends(port: u16) -> (Endpoint, Endpoint) {
        let end = |address: [u8; 4], port| Endpoint {
            address: address.into(),
            port,
        };
        (end([192, 0, 2, 1], port), end([198, 51, 100, 1], 25))
    }

    fn push(keep: &mut Keep, number: u64, bytes: &[u8]) -> bool {
        keep.push(&Frame {
            number: FrameNumber(number),
            time: Timestamp::from_parts(number as i64, 0),
            link_type: LinkType::ETHERNET,
            bytes,
            original_length: bytes.len() as u32,
        })
    }

    fn numbers(keep: &Keep, port: u16, first: u64, last: u64) -> Vec<u64> {
        let (client, server) = ends(port);
        let kept = keep.session(client, server, FrameNumber(first), FrameNumber(last));
        kept.frames.iter().map(|frame| frame.number.0).collect()
    }

    #[test]
    fn sessions_are_told_apart_and_what_is_no_mail_is_not_kept() {
        let mut keep = Keep::new(&[25], 100_000);
        for number in 1..=30 {
            let port = 40_000 + (number % 3) as u16;
            assert!(push(&mut keep, number, &frame(port, 25, 60)));
            assert!(!push(&mut keep, 100 + number, &frame(port, 443, 60)));
        }
        assert_eq!(numbers(&keep, 40_001, 1, 30), [1, 4, 7, 10, 13, 16, 19, 22, 25, 28]);
        assert_eq!(numbers(&keep, 40_001, 7, 16), [7, 10, 13, 16]);
        assert!(numbers(&keep, 40_009, 1, 30).is_empty());
    }

    #[test]
    fn the_oldest_leave_and_what_is_left_is_whole() {
        for capacity in [1_000, 1_037, 4_096] {
            let mut keep = Keep::new(&[25], capacity);
            for number in 1..=500_u64 {
                let mut bytes = frame(40_000 + (number % 7) as u16, 25, 54 + (number * 31 % 200) as usize);
                let last = bytes.len() - 1;
                bytes[last] = number as u8;
                push(&mut keep, number, &bytes);
                assert!(keep.octets.len() <= capacity);
            }
            let mut left = 0;
            for port in 40_000..40_007 {
                let (client, server) = ends(port);
                for kept in keep.session(client, server, FrameNumber(1), FrameNumber(500)).frames {
                    left += 1;
                    assert_eq!(*kept.bytes.last().unwrap(), kept.number.0 as u8, "{capacity}");
                    assert!(kept.number.0 > 500 - capacity as u64 / 40);
                }
            }
            assert!(left >= capacity / 254 / 2, "{capacity}: {left}");
            assert_eq!(keep.entries.len(), left);
            assert!(keep.newest.len() <= 7);
        }
    }

    #[test]
    fn the_fragments_of_a_datagram_belong_to_its_session() {
        let whole = frame(40_000, 25, 14 + 20 + 64);
        let part = |from: usize, to: usize, more: bool| {
            let mut bytes = whole[..34].to_vec();
            bytes.extend_from_slice(&whole[34 + from..34 + to]);
            let total = (bytes.len() - 14) as u16;
            bytes[16..18].copy_from_slice(&total.to_be_bytes());
            bytes[18..20].copy_from_slice(&[0, 7]);
            let offset = (from / 8) as u16 | if more { 0x2000 } else { 0 };
            bytes[20..22].copy_from_slice(&offset.to_be_bytes());
            bytes
        };
        let mut keep = Keep::new(&[25], 10_000);
        assert!(push(&mut keep, 1, &frame(40_000, 25, 60)));
        assert!(push(&mut keep, 2, &part(0, 32, true)));
        assert!(push(&mut keep, 3, &frame(40_001, 25, 60)));
        assert!(push(&mut keep, 4, &part(32, 64, false)));
        assert_eq!(numbers(&keep, 40_000, 1, 4), [1, 2, 4]);
    }
}
