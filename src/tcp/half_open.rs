//! Keeps connections of which only SYNs were seen, 72 octets each, so that a flood of SYNs costs little.
//! Keeps no streams and judges nothing; the oldest leave first.

use std::collections::{HashMap, VecDeque};

use crate::packet::{Key, Segment};
use crate::span::Stamp;

/// What is known of a SYN and its repetitions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Syn {
    pub first: Stamp,
    pub last: Stamp,
    pub retransmissions: u32,
    pub capture_duplicates: u32,
    pub sequence: u32,
    pub maximum_segment_size: Option<u16>,
    pub window_scale: Option<u8>,
    pub time_to_live: u8,
    pub timestamps: bool,
    /// The lower endpoint of the key sent it.
    pub from_low: bool,
}

impl Syn {
    pub fn of(segment: &Segment<'_>) -> Self {
        Self {
            first: segment.stamp,
            last: segment.stamp,
            retransmissions: 0,
            capture_duplicates: 0,
            sequence: segment.sequence,
            maximum_segment_size: segment.options.maximum_segment_size,
            window_scale: segment.options.window_scale,
            time_to_live: segment.time_to_live,
            timestamps: segment.options.timestamps.is_some(),
            from_low: segment.flow.source_is_low,
        }
    }
}

const FROM_LOW: u8 = 0x80;
const TIMESTAMPS: u8 = 0x40;
const HAS_SEGMENT_SIZE: u8 = 0x10;
/// RFC 7323 allows shifts up to 14; 15 says that there was none.
const NO_SCALE: u8 = 0x0f;

struct Entry {
    key: Key,
    first: Stamp,
    sequence: u32,
    maximum_segment_size: u16,
    time_to_live: u8,
    bits: u8,
}

const _: () = assert!(size_of::<Entry>() == 64);

/// What is kept of a SYN that was sent more than once.
#[derive(Clone, Copy)]
struct Again {
    last: Stamp,
    retransmissions: u32,
    capture_duplicates: u32,
}

/// Positions are counted on for ever, modulo this.
const POSITIONS: u32 = 1 << 31;

/// What is needed to forget a SYN. It lies apart, eight to a line of the cache: in a flood every SYN pushes out the oldest,
/// and that one's entry is not in the cache any more.
#[derive(Clone, Copy)]
struct Mark {
    hash: u32,
    gone: bool,
}

/// SYNs in the order of their arrival, found by position.
#[derive(Default)]
pub(super) struct HalfOpen {
    entries: VecDeque<Entry>,
    /// One for each entry.
    marks: VecDeque<Mark>,
    /// Few SYNs of a flood are ever repeated, so what is known of repetitions stands apart.
    again: HashMap<Key, Again, foldhash::quality::RandomState>,
    base: u32,
    gone: usize,
}

impl HalfOpen {
    /// How many SYNs wait.
    pub fn len(&self) -> usize {
        self.entries.len() - self.gone
    }

    /// What they cost, approximately.
    pub fn weight(&self) -> usize {
        self.entries.len() * (size_of::<Entry>() + size_of::<Mark>() + 8) + self.again.len() * 96
    }

    /// Adds a SYN, by the hash of its key, at the end; its position.
    pub fn push(&mut self, key: Key, hash: u32, syn: &Syn) -> u32 {
        let position = (self.base + self.entries.len() as u32) % POSITIONS;
        let scale = syn.window_scale.map_or(NO_SCALE, |scale| scale.min(14));
        let mut bits = scale;
        bits |= if syn.from_low { FROM_LOW } else { 0 };
        bits |= if syn.timestamps { TIMESTAMPS } else { 0 };
        bits |= syn.maximum_segment_size.map_or(0, |_| HAS_SEGMENT_SIZE);
        self.marks.push_back(Mark { hash, gone: false });
        self.entries.push_back(Entry {
            key,
            first: syn.first,
            sequence: syn.sequence,
            maximum_segment_size: syn.maximum_segment_size.unwrap_or_default(),
            time_to_live: syn.time_to_live,
            bits,
        });
        if syn.retransmissions > 0 || syn.capture_duplicates > 0 {
            let again = Again {
                last: syn.last,
                retransmissions: syn.retransmissions,
                capture_duplicates: syn.capture_duplicates,
            };
            self.again.insert(key, again);
        }
        position
    }

    fn entry(&self, position: u32) -> Option<&Entry> {
        let place = position.wrapping_sub(self.base) % POSITIONS;
        let mark = self.marks.get(place as usize)?;
        self.entries.get(place as usize).filter(|_| !mark.gone)
    }

    /// True where the SYN at this position belongs to `key`. Not inlined: whoever looks a key up finds a full connection
    /// nearly always, and is not to carry what this one needs.
    #[inline(never)]
    pub fn is(&self, position: u32, key: &Key) -> bool {
        self.entry(position).is_some_and(|entry| entry.key == *key)
    }

    /// The SYN at a position.
    pub fn get(&self, position: u32) -> Option<(Key, Syn)> {
        self.entry(position).map(|entry| (entry.key, self.unpack(entry)))
    }

    fn unpack(&self, entry: &Entry) -> Syn {
        let again = if self.again.is_empty() {
            None
        } else {
            self.again.get(&entry.key)
        };
        let scale = entry.bits & NO_SCALE;
        Syn {
            first: entry.first,
            last: again.map_or(entry.first, |again| again.last),
            retransmissions: again.map_or(0, |again| again.retransmissions),
            capture_duplicates: again.map_or(0, |again| again.capture_duplicates),
            sequence: entry.sequence,
            maximum_segment_size: (entry.bits & HAS_SEGMENT_SIZE != 0).then_some(entry.maximum_segment_size),
            window_scale: (scale != NO_SCALE).then_some(scale),
            time_to_live: entry.time_to_live,
            timestamps: entry.bits & TIMESTAMPS != 0,
            from_low: entry.bits & FROM_LOW != 0,
        }
    }

    /// Counts one more copy of the SYN at a position.
    pub fn seen_again(&mut self, position: u32, stamp: Stamp, duplicate: bool) {
        let Some((key, first)) = self.entry(position).map(|entry| (entry.key, entry.first)) else {
            return;
        };
        let again = self.again.entry(key).or_insert(Again {
            last: first,
            retransmissions: 0,
            capture_duplicates: 0,
        });
        if duplicate {
            again.capture_duplicates = again.capture_duplicates.saturating_add(1);
        } else {
            again.retransmissions = again.retransmissions.saturating_add(1);
            again.last = stamp;
        }
    }

    /// Takes the SYN at a position out.
    pub fn remove(&mut self, position: u32) -> Option<(Key, Syn)> {
        let (key, syn) = self.get(position)?;
        let place = position.wrapping_sub(self.base) % POSITIONS;
        if let Some(mark) = self.marks.get_mut(place as usize) {
            mark.gone = true;
            self.gone += 1;
        }
        if !self.again.is_empty() {
            self.again.remove(&key);
        }
        self.drop_gone();
        Some((key, syn))
    }

    fn drop_gone(&mut self) {
        while self.marks.front().is_some_and(|mark| mark.gone) {
            self.forget_first();
            self.base = (self.base + 1) % POSITIONS;
            self.gone -= 1;
        }
    }

    fn forget_first(&mut self) {
        self.marks.pop_front();
        self.entries.pop_front();
    }

    /// Position of the oldest SYN.
    pub fn oldest(&self) -> Option<u32> {
        (!self.marks.is_empty()).then_some(self.base)
    }

    /// Forgets the oldest SYN; the hash of its key, and its position.
    pub fn forget_oldest(&mut self) -> Option<(u32, u32)> {
        let (mark, position) = (*self.marks.front()?, self.base);
        if !self.again.is_empty()
            && let Some(entry) = self.entries.front()
        {
            self.again.remove(&entry.key);
        }
        self.forget_first();
        self.base = (self.base + 1) % POSITIONS;
        self.drop_gone();
        Some((mark.hash, position))
    }

    /// True where removed entries take more room than the others: time to [`compact`](Self::compact).
    pub fn is_sparse(&self) -> bool {
        self.gone > 1_024 && self.gone * 2 > self.entries.len()
    }

    /// Closes the ranks; calls `moved` with the key, the old and the new position of every entry.
    pub fn compact(&mut self, mut moved: impl FnMut(&Key, u32, u32)) {
        let (base, mut from, mut to) = (self.base, 0u32, 0u32);
        let mut marks = self.marks.iter();
        self.entries.retain(|entry| {
            let keep = marks.next().is_some_and(|mark| !mark.gone);
            if keep {
                moved(&entry.key, (base + from) % POSITIONS, (base + to) % POSITIONS);
                to += 1;
            }
            from += 1;
            keep
        });
        self.marks.retain(|mark| !mark.gone);
        self.gone = 0;
        if self.entries.capacity() > 4 * self.entries.len().max(1_024) {
            self.entries.shrink_to(2 * self.entries.len());
            self.marks.shrink_to(2 * self.marks.len());
        }
    }

    /// Positions of all, oldest first.
    pub fn positions(&self) -> impl Iterator<Item = (u32, Stamp)> + '_ {
        let base = self.base;
        let live = self.entries.iter().zip(&self.marks).enumerate();
        live.filter(|(_, (_, mark))| !mark.gone)
            .map(move |(place, (entry, _))| ((base + place as u32) % POSITIONS, entry.first))
    }
}
