//! A capture of two network cards, or of several queues of one, may write a segment before the one that it answers. Its
//! acknowledgment gives that away: it stands for octets not yet seen. Such a segment waits until they come, a moment at
//! most; so the reader hears the two sides in the order in which they spoke.

use crate::packet::{Flags, Segment};
use crate::span::Direction;
use crate::tcp::sequence::distance;
use crate::tcp::side::Side;
use crate::tcp::stream::Stream;
use crate::tcp::transport::{Context, Reader, Stage, Transport, Verdict};

/// The longest wait, in nanoseconds.
const WAIT: u64 = 50_000_000;
/// Segments of the other side that may come before the octets are complete.
const OTHERS: u8 = 3;
/// Octets of payload that may wait: a full segment of the Ethernet, and of a jumbo frame.
const ROOM: usize = 9000;

/// A segment that waits for octets that it acknowledges.
pub(super) struct Early {
    segment: Segment<'static>,
    payload: Box<[u8]>,
    direction: Direction,
    others: u8,
}

impl Early {
    /// Octets that it holds.
    pub const fn weight(&self) -> usize {
        size_of::<Self>() + self.payload.len()
    }
}

impl Transport {
    /// A segment waits.
    #[inline]
    pub(super) fn holds_early(&self) -> bool {
        self.beside.rare().is_some_and(|rare| rare.early.is_some())
    }

    /// The segment says something, and acknowledges octets of a side that was seen and that has not shown them.
    #[inline]
    pub(super) fn is_early(&self, segment: &Segment<'_>, direction: Direction) -> bool {
        let peer = self.side(direction.opposite());
        segment.flags.0 & (Flags::ACK | Flags::SYN) == Flags::ACK
            && distance(peer.highest, segment.acknowledgment) > 0
            && (segment.payload_length > 0 || segment.flags.0 & (Flags::FIN | Flags::RST) != 0)
            && self.stage == Stage::Established
            && peer.segments > 0
            && peer.has(Side::KNOWN)
            && !peer.has(Side::HOLE)
            && segment.payload.len() <= ROOM
    }

    /// Lets the segment wait.
    pub(super) fn hold_early(&mut self, segment: &Segment<'_>, direction: Direction) {
        self.rare().early = Some(Box::new(Early {
            segment: segment.without_payload(),
            payload: segment.payload.into(),
            direction,
            others: 0,
        }));
    }

    /// Takes a segment while another one waits: the one that spoke first goes first.
    pub(super) fn take_beside_early<S: Stream>(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        context: &mut Context<'_>,
        reader: &mut Reader<'_, S>,
    ) -> Verdict {
        let Some(mut early) = self.rare().early.take() else {
            return self.take_new(segment, direction, context, reader);
        };
        if !self.is_awaited(&early, segment, direction) {
            self.let_go(&early, context, reader);
            return self.take_new(segment, direction, context, reader);
        }
        let verdict = self.take_new(segment, direction, context, reader);
        early.others += 1;
        let complete = distance(self.side(direction).highest, early.segment.acknowledgment) <= 0;
        if complete {
            let rare = self.rare();
            rare.early_segments = rare.early_segments.saturating_add(1);
        }
        if complete || early.others >= OTHERS {
            self.let_go(&early, context, reader);
        } else {
            self.rare().early = Some(early);
        }
        verdict
    }

    /// The segment brings the next of the octets, and does not know of the one that waits.
    fn is_awaited(&self, early: &Early, segment: &Segment<'_>, direction: Direction) -> bool {
        let side = self.side(direction);
        let end = segment.sequence.wrapping_add(segment.payload_length);
        let brings = segment.payload_length > 0 || segment.flags.has(Flags::FIN);
        let early_end = early.segment.sequence.wrapping_add(early.segment.payload_length);
        let knows = distance(early.segment.sequence, segment.acknowledgment) > 0 && early_end != early.segment.sequence;
        direction != early.direction
            && segment.flags.0 & (Flags::SYN | Flags::RST) == 0
            && brings
            && !knows
            && distance(segment.sequence, side.highest) >= 0
            && distance(end, early.segment.acknowledgment) >= 0
            && segment.stamp.time.nanoseconds_since(early.segment.stamp.time) <= WAIT
    }

    /// Nothing is to wait any longer.
    pub(super) fn let_early_go<S: Stream>(&mut self, context: &mut Context<'_>, reader: &mut Reader<'_, S>) {
        if let Some(early) = self.beside.rare_mut().and_then(|rare| rare.early.take()) {
            self.let_go(&early, context, reader);
        }
    }

    fn let_go<S: Stream>(&mut self, early: &Early, context: &mut Context<'_>, reader: &mut Reader<'_, S>) {
        let segment = early.segment.with_payload(&early.payload);
        // The ports of a live connection are not taken over by a segment that acknowledges what is to come.
        self.take_new(&segment, early.direction, context, reader);
    }
}
