//! Acknowledgments, and what they prove: octets that the receiver has and the capture has not are a gap, declared once
//! nothing in the capture fills it. Never too early: a retransmission or a reordered segment may still come.

use crate::packet::{Flags, Segment};
use crate::span::{Direction, Stamp};
use crate::tcp::facts::{Gap, Opening};
use crate::tcp::mark::Mark;
use crate::tcp::pieces::Pieces;
use crate::tcp::sequence::distance;
use crate::tcp::side::Side;
use crate::tcp::stream::Stream;
use crate::tcp::transport::{Context, Rare, Reader, SLACK, Stage, Transport, at};

/// Segments that may pass between an acknowledgment and the octets that it acknowledges, where the capture reorders.
const GRACE_SEGMENTS: u32 = 3;
/// The least time that must pass, too, in nanoseconds.
const GRACE_LEAST: u128 = 1_000_000;
/// After this time a hole is a gap in any case, in nanoseconds.
const GRACE_TIME: u128 = 50_000_000;
/// Retransmissions of one segment that make it worth telling, where it got through in the end.
const STUCK_RETRANSMISSIONS: u32 = 2;

/// True where a client's first acknowledgment cannot belong to the SYN-ACK that was seen.
fn is_elsewhere(side: &Side, acknowledgment: u32) -> bool {
    !(1..=SLACK).contains(&distance(side.initial, acknowledgment))
}

impl Transport {
    /// What a segment says about the octets of the other side.
    #[inline]
    pub(super) fn take_acknowledgment(&mut self, segment: &Segment<'_>, direction: Direction, mark: Mark) {
        let number = segment.acknowledgment;
        let syn = segment.flags.has(Flags::SYN);
        let sender = direction.opposite();
        if direction == Direction::ToServer && !syn {
            self.note_handshake(segment, mark);
        }
        let mid_stream = self.opening == Opening::MidStream;
        let first = self.stage == Stage::Embryonic && direction == Direction::ToServer && !syn;
        let nothing_waits = self.pieces(sender).is_none();
        let side = self.side_mut(sender);
        if first && side.has(Side::SYN) && side.data_segments == 0 && is_elsewhere(side, number) {
            // Of several SYN-ACKs with different numbers this is the one that the client took.
            side.begin(number.wrapping_sub(1), number);
        }
        if !side.has(Side::KNOWN) {
            side.begin(number.wrapping_sub(u32::from(syn)), number);
        }
        if side.has(Side::ACKNOWLEDGED) && distance(side.acknowledged, number) <= 0 {
            return;
        }
        side.acknowledged = number;
        side.set(Side::ACKNOWLEDGED);
        self.land(sender);
        let side = self.side_mut(sender);
        let missing = distance(side.next, number);
        if missing <= 0 {
            if missing == 0 && nothing_waits {
                side.history.acknowledged();
            }
        } else if missing == 1 && mid_stream && side.offset == 0 && nothing_waits && !side.has(Side::FIN) {
            // The first segment seen was a keep-alive: it stood one octet before the stream.
            side.begin(number, number);
        } else {
            let bogus_fin =
                side.has(Side::FIN) && !side.has(Side::FIN_DELIVERED) && distance(side.fin_sequence, number) > 1;
            if bogus_fin {
                self.forget_fin(sender);
            }
            self.open_hole(sender, number, segment.stamp);
        }
        self.end_repetition(sender);
    }

    #[inline]
    pub(super) fn note_handshake(&mut self, segment: &Segment<'_>, mark: Mark) {
        let [client, server] = &self.sides;
        if self.handshake_acknowledgment.is_some() || !client.has(Side::SYN) && !server.has(Side::SYN) {
            return;
        }
        let expected = !server.has(Side::SYN) || segment.acknowledgment == server.initial.wrapping_add(1);
        if expected {
            self.handshake_acknowledgment = mark;
        }
    }

    /// The sender's repeated segment got through.
    fn end_repetition(&mut self, sender: Direction) {
        let acknowledged = self.side(sender).acknowledged;
        let Some(rare) = self.beside.rare_mut() else { return };
        let repeated = &mut rare.sides[at(sender)].repeated;
        let through = |sequence: u32, length: u32| distance(sequence.wrapping_add(length), acknowledged) >= 0;
        if !repeated
            .as_ref()
            .is_some_and(|one| through(one.sequence, one.stuck.length))
        {
            return;
        }
        if let Some(mut repeated) = repeated.take()
            && repeated.stuck.retransmissions >= STUCK_RETRANSMISSIONS
        {
            repeated.stuck.acknowledged = true;
            Rare::list(&mut rare.stuck, &mut rare.unlisted, repeated.stuck);
        }
    }

    fn open_hole(&mut self, sender: Direction, until: u32, stamp: Stamp) {
        let side = self.side_mut(sender);
        if side.has(Side::HOLE) {
            return;
        }
        side.set(Side::HOLE);
        let rare = self.rare_side(sender);
        rare.hole_since = Some(stamp);
        rare.hole_segments = 0;
        rare.hole_until = until;
    }

    /// Declares holes that the receiver acknowledged and that nothing filled in time.
    pub(super) fn watch_holes<S: Stream>(&mut self, stamp: Stamp, reader: &mut Reader<'_, S>) {
        for sender in Direction::BOTH {
            let side = self.side(sender);
            if !side.has(Side::HOLE) {
                continue;
            }
            let (next, acknowledged) = (side.next, side.acknowledged);
            if distance(next, acknowledged) <= 0 {
                self.side_mut(sender).unset(Side::HOLE);
                continue;
            }
            let rare = self.rare_side(sender);
            rare.hole_segments = rare.hole_segments.saturating_add(1);
            let waited = rare
                .hole_since
                .map_or(0, |since| stamp.time.since(since.time).as_nanos());
            let over = (rare.hole_segments > GRACE_SEGMENTS && waited >= GRACE_LEAST) || waited >= GRACE_TIME;
            if !over {
                continue;
            }
            let until = rare.hole_until;
            let since = rare.hole_since.unwrap_or(stamp);
            self.give_up_until(sender, until, since, reader);
            self.deliver_fin(sender, reader);
            let side = self.side_mut(sender);
            side.unset(Side::HOLE);
            if distance(side.next, acknowledged) > 0 && distance(until, acknowledged) > 0 {
                self.open_hole(sender, acknowledged, stamp);
            }
        }
    }

    /// Declares every hole before `until`, which the receiver acknowledged.
    fn give_up_until<S: Stream>(&mut self, sender: Direction, until: u32, found_at: Stamp, reader: &mut Reader<'_, S>) {
        loop {
            let side = self.side_mut(sender);
            let mut missing = distance(side.next, until);
            if side.has(Side::FIN) {
                missing = missing.min(distance(side.next, side.fin_sequence));
            }
            if missing <= 0 {
                return;
            }
            side.set(Side::UNSEEN);
            let (offset, fin) = (side.offset, side.has(Side::FIN));
            let first = self.pieces(sender).and_then(Pieces::first);
            if missing == 1 && first.is_none() && !fin {
                // One octet more than was ever seen: as likely a FIN that the capture lost.
                return;
            }
            let end = offset + missing as u64;
            let (to, found_at) = match first {
                Some((start, stamp)) if start < end => (start, stamp),
                Some((_, stamp)) => (end, stamp),
                None => (end, found_at),
            };
            let gap = Gap {
                direction: sender,
                offset,
                length: to - offset,
                found_at,
                acknowledged: true,
                cut_by_snap_length: false,
            };
            self.skip(&gap, reader);
            self.drain(sender, reader);
        }
    }

    /// Gives up holes that too much waits behind.
    pub(super) fn keep_piece_limits<S: Stream>(
        &mut self,
        sender: Direction,
        context: &mut Context<'_>,
        reader: &mut Reader<'_, S>,
    ) {
        loop {
            let Some(pieces) = self.pieces(sender) else {
                return;
            };
            let fits = pieces.len() <= context.limits.out_of_order_pieces
                && pieces.octets() <= context.limits.out_of_order_octets
                && self.out_of_order() <= context.room;
            if fits {
                return;
            }
            context.counts.holes_given_up += 1;
            if !self.skip_to_piece(sender, reader) {
                return;
            }
        }
    }

    /// Declares the hole before the first piece; false where there is none.
    fn skip_to_piece<S: Stream>(&mut self, sender: Direction, reader: &mut Reader<'_, S>) -> bool {
        let side = self.side(sender);
        let Some((start, found_at)) = self.pieces(sender).and_then(Pieces::first) else {
            return false;
        };
        let length = start.saturating_sub(side.offset);
        let end = side.next.wrapping_add(length as u32);
        let gap = Gap {
            direction: sender,
            offset: side.offset,
            length,
            found_at,
            acknowledged: side.has(Side::ACKNOWLEDGED) && distance(end, side.acknowledged) >= 0,
            cut_by_snap_length: false,
        };
        if length > 0 {
            self.skip(&gap, reader);
        }
        self.drain(sender, reader);
        true
    }

    /// The connection is over: nothing more will fill its holes.
    pub(super) fn flush<S: Stream>(&mut self, reader: &mut Reader<'_, S>) {
        for sender in Direction::BOTH {
            let side = self.side(sender);
            if side.has(Side::ACKNOWLEDGED) && distance(side.next, side.acknowledged) > 0 {
                let (until, found_at) = (side.acknowledged, self.last());
                self.give_up_until(sender, until, found_at, reader);
            }
            while let Some((start, _)) = self.pieces(sender).and_then(Pieces::first) {
                let side = self.side(sender);
                // What stands far off and was never acknowledged may be forged: no hole is told for its sake.
                let window = i64::from(self.side(sender.opposite()).window.max(0xffff));
                if start.saturating_sub(side.offset) as i64 > SLACK + window {
                    let left = self.pieces(sender).map_or(0, Pieces::len);
                    let rare = self.rare();
                    rare.unlisted = rare.unlisted.saturating_add(left as u32);
                    break;
                }
                self.skip_to_piece(sender, reader);
            }
            if let Some(rare) = self.beside.rare_mut() {
                rare.sides[at(sender)].pieces = None;
            }
            self.deliver_fin(sender, reader);
        }
    }
}
