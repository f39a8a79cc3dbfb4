//! The segment of every day: the next octets of an open connection, or an acknowledgment of what was seen, while nothing
//! about the connection is out of order. It takes no decision, so it is taken in one straight line; whatever else a segment
//! or its connection may be goes the long way in `transport`. Both leave the same behind: every test of this room sends its
//! segments both ways and holds what comes of them against each other.

use crate::packet::{Flags, Segment};
use crate::span::Direction;
use crate::tcp::mark::Mark;
use crate::tcp::sequence::distance;
use crate::tcp::side::Side;
use crate::tcp::stream::{Chunk, Stream};
use crate::tcp::transport::{Stage, Transport};

/// Control bits that a usual segment has or has not.
const LOOKED_AT: u8 = Flags::ACK | Flags::SYN | Flags::FIN | Flags::RST;
/// What would make the sender's side unusual.
const SENDER: u16 = Side::KNOWN | Side::FIN;
/// What would make the other side unusual.
const PEER: u16 = Side::KNOWN | Side::ACKNOWLEDGED | Side::FIN;

impl Transport {
    /// True where [`take_usual`](Self::take_usual) may take the segment.
    #[inline]
    pub(super) fn is_usual(&self, segment: &Segment<'_>, direction: Direction) -> bool {
        let (side, peer) = (self.side(direction), self.side(direction.opposite()));
        // Among the rare things are holes, octets out of order, whatever else waits for another segment, closed windows, and
        // strangers.
        self.beside.rare().is_none()
            && self.stage == Stage::Established
            && segment.flags.0 & LOOKED_AT == Flags::ACK
            && side.flags & SENDER == Side::KNOWN
            && peer.flags & PEER == Side::KNOWN | Side::ACKNOWLEDGED
            && segment.sequence == side.next
            && segment.window > 0
            && distance(peer.next, segment.acknowledgment) <= 0
            && segment.payload.len() == segment.payload_length as usize
    }

    /// Takes a segment that [`is_usual`](Self::is_usual); its octets go to the reader.
    #[inline]
    pub(super) fn take_usual<S: Stream>(&mut self, segment: &Segment<'_>, direction: Direction, reader: &mut S) {
        debug_assert!(self.sides.iter().all(|side| !side.has(Side::HOLE)));
        debug_assert_eq!(self.side(direction).next, self.side(direction).highest);
        if self.is_duplicate(segment, direction) {
            self.take_duplicate(segment, direction);
            return;
        }
        let mark = self.mark(segment.stamp);
        self.note(segment, direction, mark);
        if direction == Direction::ToServer {
            self.note_handshake(segment, mark);
        }
        self.acknowledge(segment.acknowledgment, direction.opposite());
        if !segment.payload.is_empty() {
            self.take_next_octets(segment, direction, mark, reader);
        }
    }

    /// Octets up to `number` of that side arrived, all of which were seen.
    #[inline]
    fn acknowledge(&mut self, number: u32, sender: Direction) {
        let side = self.side_mut(sender);
        if distance(side.acknowledged, number) > 0 {
            side.acknowledged = number;
            self.land(sender);
            let side = self.side_mut(sender);
            if side.next == number {
                side.history.acknowledged();
            }
        }
    }

    /// Hands on the octets that come next.
    fn take_next_octets<S: Stream>(&mut self, segment: &Segment<'_>, direction: Direction, mark: Mark, reader: &mut S) {
        let length = segment.payload_length;
        self.side_mut(direction).count_payload(length, mark);
        self.sent_new(direction, segment.sequence.wrapping_add(length), length, mark);
        let side = self.side_mut(direction);
        let chunk = Chunk {
            direction,
            offset: side.offset,
            bytes: segment.payload,
            stamp: segment.stamp,
        };
        side.go_past(segment.payload);
        side.forget_stale_acknowledgment();
        reader.data(chunk);
    }
}
