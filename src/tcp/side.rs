//! What is kept of one direction of a connection: the part touched by every segment in [`Side`], the part that most
//! connections never need in [`RareSide`].

use crate::packet::Segment;
use crate::span::Stamp;
use crate::tcp::facts::{Stuck, ZeroWindow};
use crate::tcp::history::History;
use crate::tcp::mark::{Mark, Marks};
use crate::tcp::pieces::Pieces;
use crate::tcp::sequence::distance;
use crate::time::Timestamp;

/// An acknowledgment this far behind says nothing any more: 32-bit numbers would soon take it for one ahead.
const STALE: i64 = 1 << 30;

/// How many segments are remembered to recognise the capture's duplicates.
const RECENT: usize = 4;

/// One direction: its sender's sequence numbers, and what the sender advertises.
pub(super) struct Side {
    /// Sequence number of the next octet to deliver.
    pub next: u32,
    /// Behind the last octet, SYN or FIN seen.
    pub highest: u32,
    /// The peer's acknowledgment.
    pub acknowledged: u32,
    pub initial: u32,
    pub fin_sequence: u32,
    /// The window this side advertises, scaled where the scale is known.
    pub window: u32,
    /// Stream offset of `next`.
    pub offset: u64,
    pub flags: u16,
    pub last_identification: u16,
    pub maximum_segment_size: u16,
    pub time_to_live: u8,
    pub usual_time_to_live: u8,
    pub window_scale: u8,
    pub segments: u32,
    pub data_segments: u32,
    pub largest: u32,
    pub largest_acknowledged: u32,
    pub encapsulation: u32,
    recent: [u32; RECENT],
    pub fin: Mark,
    pub first_data: Mark,
    pub last_data: Mark,
    /// Its last segment; that of the connection's first frame before there is one.
    pub last: Mark,
    pub history: History,
}

impl Side {
    /// `next` means something.
    pub const KNOWN: u16 = 1;
    pub const SYN: u16 = 1 << 1;
    pub const FIN: u16 = 1 << 2;
    pub const FIN_DELIVERED: u16 = 1 << 3;
    /// `acknowledged` means something.
    pub const ACKNOWLEDGED: u16 = 1 << 4;
    pub const TIMESTAMPS: u16 = 1 << 5;
    /// The peer acknowledged more than was delivered.
    pub const HOLE: u16 = 1 << 6;
    /// A window scale was announced.
    pub const SCALED: u16 = 1 << 7;
    pub const SEGMENT_SIZE: u16 = 1 << 8;
    /// This side's IP identifications count up.
    pub const COUNTS_UP: u16 = 1 << 9;
    /// The window is zero now.
    pub const ZERO_WINDOW: u16 = 1 << 10;
    pub const UNSEEN: u16 = 1 << 11;
    /// Its SYN is the first frame of the connection.
    pub const OPENS: u16 = 1 << 12;

    pub fn new() -> Self {
        Self {
            next: 0,
            highest: 0,
            acknowledged: 0,
            initial: 0,
            fin_sequence: 0,
            window: 0,
            offset: 0,
            flags: 0,
            last_identification: 0,
            maximum_segment_size: 0,
            time_to_live: 0,
            usual_time_to_live: 0,
            window_scale: 0,
            segments: 0,
            data_segments: 0,
            largest: 0,
            largest_acknowledged: 0,
            encapsulation: 0,
            recent: [0; RECENT],
            fin: Mark::NONE,
            first_data: Mark::NONE,
            last_data: Mark::NONE,
            last: Mark::FIRST,
            history: History::default(),
        }
    }

    pub fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    pub fn set(&mut self, flag: u16) {
        self.flags |= flag;
    }

    pub fn unset(&mut self, flag: u16) {
        self.flags &= !flag;
    }

    /// Where the stream begins.
    pub fn begin(&mut self, initial: u32, next: u32) {
        self.initial = initial;
        self.next = next;
        self.highest = next;
        self.set(Self::KNOWN);
    }

    /// Sequence number of the next octet; a delivered FIN stands before `next` and is no octet.
    pub fn next_octet(&self) -> u32 {
        self.next.wrapping_sub(u32::from(self.has(Self::FIN_DELIVERED)))
    }

    /// What a SYN or SYN-ACK says about its sender.
    pub fn announce(&mut self, segment_size: Option<u16>, window_scale: Option<u8>, timestamps: bool) {
        if let Some(size) = segment_size {
            self.maximum_segment_size = size;
            self.set(Self::SEGMENT_SIZE);
        }
        if let Some(scale) = window_scale {
            self.window_scale = scale;
            self.set(Self::SCALED);
        }
        if timestamps {
            self.set(Self::TIMESTAMPS);
        }
    }

    /// The peer's acknowledgment, where there was one.
    pub fn acknowledged_or(&self, otherwise: u32) -> u32 {
        if self.has(Self::ACKNOWLEDGED) {
            self.acknowledged
        } else {
            otherwise
        }
    }

    /// An acknowledgment that is too far behind says nothing any more.
    #[inline]
    pub fn forget_stale_acknowledgment(&mut self) {
        if self.has(Self::ACKNOWLEDGED) && distance(self.acknowledged, self.next) > STALE {
            self.unset(Self::ACKNOWLEDGED);
        }
    }

    pub fn fin_acknowledged(&self) -> bool {
        self.has(Self::FIN) && self.has(Self::ACKNOWLEDGED) && distance(self.fin_sequence, self.acknowledged) > 0
    }

    /// True where the same packet was among the last few, about a millisecond ago.
    #[inline]
    pub fn was_recent(&mut self, segment: &Segment<'_>) -> bool {
        let base = fingerprint(segment);
        let millisecond = segment.stamp.time.nanoseconds().div_euclid(1_000_000);
        let in_bucket = |bucket: i64| base ^ (bucket as u32).wrapping_mul(0x85eb_ca6b) | 1;
        let now = in_bucket(millisecond);
        let before = in_bucket(millisecond.wrapping_sub(1));
        // Nearly always all of them are looked at, so all are at once.
        let is_one = |found: bool, &seen: &u32| found | (seen == now) | (seen == before);
        let found = self.recent.iter().fold(false, is_one);
        if !found {
            let [first, second, third, _] = self.recent;
            self.recent = [now, first, second, third];
        }
        found
    }

    /// A segment with payload came, new or not.
    #[inline]
    pub fn count_payload(&mut self, length: u32, mark: Mark) {
        self.data_segments = self.data_segments.saturating_add(1);
        self.largest = self.largest.max(length);
        self.first_data.set_first(mark);
    }

    /// Octets that come next are handed on: goes past them, and keeps them for comparing.
    #[inline]
    pub fn go_past(&mut self, bytes: &[u8]) {
        let unacknowledged = if self.has(Self::ACKNOWLEDGED) {
            distance(self.acknowledged, self.next).max(0) as usize
        } else {
            usize::MAX
        };
        self.history.push(bytes, unacknowledged);
        self.next = self.next.wrapping_add(bytes.len() as u32);
        self.offset += bytes.len() as u64;
    }

    /// When new payload came last.
    pub fn last_data_time(&self, marks: Marks<'_>) -> Timestamp {
        marks.get(self.last_data).map_or(Timestamp::MIN, |stamp| stamp.time)
    }

    /// All marks.
    pub fn marks(&mut self) -> impl Iterator<Item = &mut Mark> {
        [&mut self.fin, &mut self.first_data, &mut self.last_data, &mut self.last].into_iter()
    }
}

#[inline]
fn fingerprint(segment: &Segment<'_>) -> u32 {
    let sequence = (u64::from(segment.sequence) << 32) | u64::from(segment.acknowledgment);
    let shape = (u64::from(segment.payload_length) << 32)
        | (u64::from(segment.window) << 16)
        | u64::from(segment.ip_identification.unwrap_or_default());
    let (value, echo) = segment.options.timestamps.unwrap_or_default();
    let time = ((u64::from(value) << 32) | u64::from(echo)) ^ (u64::from(segment.flags.0) << 24);
    let mut hash = sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 29) ^ shape).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 32) ^ time).wrapping_mul(0x94d0_49bb_1331_11eb);
    (hash >> 32) as u32
}

/// A segment that is being sent again.
pub(super) struct Repeated {
    pub sequence: u32,
    pub stuck: Stuck,
}

/// Counts of one direction that most connections never need.
#[derive(Default)]
pub(super) struct RareSide {
    /// Octets that waited for earlier ones.
    pub pieces: Option<Box<Pieces>>,
    /// Octets of payload on the wire, sent again or not. Before anything rare, these are the octets of the stream.
    pub octets_on_wire: u64,
    /// When the side last sent payload, new or not. Before anything rare, it was always new.
    pub last_sent: Timestamp,
    pub retransmissions: u32,
    pub retransmission_timeouts: u32,
    pub out_of_order: u32,
    pub keep_alives: u32,
    pub capture_duplicates: u32,
    pub conflicting_octets: u64,
    pub first_conflict: Option<Stamp>,
    pub cut_segments: u32,
    pub gaps: u32,
    pub missing_octets: u64,
    pub syn_retransmissions: u32,
    /// Its SYN, where neither SYN is the connection's first frame and the other one came first.
    pub late_syn: Option<Stamp>,
    pub last_syn: Option<Stamp>,
    pub octets_after_fin: u64,
    /// Where the side goes on by its own count, ahead of all that was seen of it, and where it said so.
    pub ahead: Option<(u32, Stamp)>,
    /// Offset behind the last gap, so that gaps that touch become one fact.
    pub last_gap_end: Option<u64>,
    pub zero_window: Option<ZeroWindow>,
    pub repeated: Option<Repeated>,
    /// Where and when the hole that the peer acknowledged was noticed, and the segments since.
    pub hole_since: Option<Stamp>,
    pub hole_segments: u32,
    pub hole_until: u32,
    /// When the first octets behind the present hole came.
    pub waiting_since: Option<Stamp>,
}

impl RareSide {
    /// What is rare of a side that had nothing rare so far.
    pub fn of(side: &Side, marks: Marks<'_>) -> Self {
        Self {
            octets_on_wire: side.offset,
            last_sent: side.last_data_time(marks),
            ..Self::default()
        }
    }

    pub fn pieces_octets(&self) -> usize {
        self.pieces.as_ref().map_or(0, |pieces| pieces.weight())
    }
}
