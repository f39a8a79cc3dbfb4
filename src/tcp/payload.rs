//! Payload and FIN: in-order octets go to the reader as they lie in the capture, the others wait as copies.
//! The first copy of an octet wins; a second copy that differs is counted, never delivered.

use crate::packet::{Flags, Segment};
use crate::span::{Direction, Stamp};
use crate::tcp::facts::{Ending, Gap, Reset, Stuck};
use crate::tcp::flights::Flights;
use crate::tcp::mark::Mark;
use crate::tcp::pieces::Inserted;
use crate::tcp::sequence::{distance, later};
use crate::tcp::side::{Repeated, Side};
use crate::tcp::stream::{Chunk, Stream};
use crate::tcp::transport::{Context, Rare, Reader, Stage, Transport, at};
use crate::time::Timestamp;

/// Octets that fill a hole within this time were reordered; later ones were sent again, in nanoseconds.
const REORDERING_TIME: i64 = 10_000_000;
/// A side that had sent nothing for this long repeats because its timer ran out, in nanoseconds.
const TIMEOUT: i64 = 200_000_000;
/// A sender that still sends this long after its own reset did not send that reset, in nanoseconds.
const REVIVAL_TIME: i64 = 50_000_000;

fn passed(from: Timestamp, to: Timestamp) -> i64 {
    to.nanoseconds().saturating_sub(from.nanoseconds())
}

/// The payload of a segment, placed.
struct Run<'a> {
    sequence: u32,
    bytes: &'a [u8],
    /// Length on the wire.
    length: u32,
    stamp: Stamp,
    mark: Mark,
}

impl Run<'_> {
    fn end(&self) -> u32 {
        self.sequence.wrapping_add(self.length)
    }
}

impl Transport {
    pub(super) fn take_payload<S: Stream>(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        mark: Mark,
        context: &mut Context<'_>,
        reader: &mut Reader<'_, S>,
    ) {
        let syn = segment.flags.has(Flags::SYN);
        let run = Run {
            sequence: segment.sequence.wrapping_add(u32::from(syn)),
            bytes: segment
                .payload
                .get(..segment.payload_length as usize)
                .unwrap_or(segment.payload),
            length: segment.payload_length,
            stamp: segment.stamp,
            mark,
        };
        if !self.side(direction).has(Side::KNOWN) {
            self.side_mut(direction).begin(run.sequence, run.sequence);
        }
        if run.length <= 1 && self.is_keep_alive(&run, direction, segment.flags) {
            if !self.side(direction.opposite()).has(Side::ZERO_WINDOW) {
                let rare = self.rare_side(direction);
                rare.keep_alives = rare.keep_alives.saturating_add(1);
            }
            return;
        }
        if run.length == 0 {
            if !segment.flags.has(Flags::RST) && distance(self.side(direction).highest, run.sequence) > 0 {
                self.count_ahead(run.sequence, run.stamp, direction);
            }
            return;
        }
        let (stamp, length) = (run.stamp, run.length);
        let on_wire = self.octets_on_wire(direction);
        let quiet = passed(self.last_sent(direction), stamp.time);
        self.side_mut(direction).count_payload(length, mark);
        let cut = run.length - run.bytes.len() as u32;
        if cut > 0 {
            let rare = self.rare_side(direction);
            rare.cut_segments = rare.cut_segments.saturating_add(1);
        }
        let side = self.side(direction);
        if run.sequence == side.next && !side.has(Side::FIN) && self.pieces(direction).is_none() {
            self.sent_new(direction, run.end(), run.length, mark);
            self.deliver(direction, run.bytes, cut, run.stamp, reader);
            self.revive_if_sender_lives(&run, direction, context);
        } else {
            self.take_disordered(run, direction, quiet, segment.dont_fragment, context, reader);
        }
        if let Some(rare) = self.beside.rare_mut() {
            let counts = &mut rare.sides[at(direction)];
            counts.octets_on_wire = on_wire.saturating_add(u64::from(length));
            counts.last_sent = stamp.time;
        }
    }

    /// An empty segment that counts on from octets that nobody here has seen: they were sent.
    fn count_ahead(&mut self, sequence: u32, stamp: Stamp, direction: Direction) {
        let rare = self.rare_side(direction);
        let known = rare.ahead.map_or(sequence, |(known, _)| later(known, sequence));
        rare.ahead = Some((known, rare.ahead.map_or(stamp, |(_, since)| since)));
    }

    /// A probe at the octet before the next one, all of which is acknowledged (RFC 9293 3.8.4); also of a zero window.
    fn is_keep_alive(&self, run: &Run<'_>, direction: Direction, flags: Flags) -> bool {
        let side = self.side(direction);
        flags.0 & (Flags::SYN | Flags::FIN | Flags::RST) == 0
            && run.sequence.wrapping_add(1) == side.next
            && !side.has(Side::FIN)
            && (side.offset > 0 || side.has(Side::SYN) || run.length == 0)
            && side.has(Side::ACKNOWLEDGED)
            && distance(side.next, side.acknowledged) >= 0
    }

    fn revive_if_sender_lives(&mut self, run: &Run<'_>, direction: Direction, context: &mut Context<'_>) {
        if self.stage != Stage::Reset || self.ending != Some(Ending::Reset(direction)) {
            return;
        }
        let rare = self.rare();
        let behind = distance(rare.reset_sequence, run.sequence) >= 0;
        let of_sender = |reset: &&Reset| reset.direction == direction && reset.in_window;
        let reset_at = rare.resets.iter().rfind(of_sender).map(|reset| reset.stamp.time);
        if behind || reset_at.is_some_and(|time| passed(time, run.stamp.time) > REVIVAL_TIME) {
            self.revive(direction, context);
        }
    }

    fn take_disordered<S: Stream>(
        &mut self,
        mut run: Run<'_>,
        direction: Direction,
        quiet: i64,
        dont_fragment: bool,
        context: &mut Context<'_>,
        reader: &mut Reader<'_, S>,
    ) {
        if self.side(direction).has(Side::FIN) && !self.trim_behind_fin(&mut run, direction) {
            return;
        }
        let side = self.side(direction);
        let below_highest = distance(run.end(), side.highest) >= 0;
        let probe = self.side(direction.opposite()).has(Side::ZERO_WINDOW) && run.length <= 1;
        let waiting = self
            .beside
            .rare()
            .and_then(|rare| rare.sides[at(direction)].waiting_since);
        let seen = self.take_seen_part(&run, direction, context);
        let rest = self.take_new_part(&run, direction, reader);
        if rest.new > 0 {
            self.sent_new(direction, run.end(), run.length, run.mark);
            self.revive_if_sender_lives(&run, direction, context);
        }
        if seen + rest.seen > 0 {
            if !probe {
                self.count_retransmission(&run, direction, quiet, dont_fragment);
            }
        } else if below_highest {
            let waited = waiting.map_or(0, |since| passed(since.time, run.stamp.time));
            let rare = self.rare_side(direction);
            if waited < REORDERING_TIME {
                rare.out_of_order = rare.out_of_order.saturating_add(1);
            } else {
                rare.retransmissions = rare.retransmissions.saturating_add(1);
                rare.retransmission_timeouts += u32::from(quiet >= TIMEOUT);
            }
        }
        self.keep_piece_limits(direction, context, reader);
        self.deliver_fin(direction, reader);
    }

    /// What lies behind FIN is no receiver's; false where nothing is left.
    fn trim_behind_fin(&mut self, run: &mut Run<'_>, direction: Direction) -> bool {
        let room = distance(run.sequence, self.side(direction).fin_sequence).max(0);
        let surplus = (i64::from(run.length) - room).max(0);
        if surplus > 0 {
            let rare = self.rare_side(direction);
            rare.octets_after_fin = rare.octets_after_fin.saturating_add(surplus as u64);
            run.length = room.min(i64::from(run.length)) as u32;
            run.bytes = run.bytes.get(..run.length as usize).unwrap_or(run.bytes);
        }
        run.length > 0
    }

    /// Compares the octets before the next expected one; how many there are.
    fn take_seen_part(&mut self, run: &Run<'_>, direction: Direction, context: &mut Context<'_>) -> u64 {
        let side = self.side(direction);
        let back = distance(run.sequence, side.next_octet());
        if back <= 0 {
            return 0;
        }
        let comparison = side.history.compare(back as u64, run.bytes);
        let open = distance(side.acknowledged_or(run.sequence), run.end()) > 0;
        if open && back <= side.offset as i64 {
            context.counts.uncompared_octets += comparison.uncompared;
        }
        // Some load balancers probe with one octet of their own choice at an old place; no receiver takes it.
        if open || run.length > 1 {
            self.count_conflict(comparison.conflicting, direction, run.stamp);
        }
        (back as u64).min(u64::from(run.length))
    }

    pub(super) fn compare_delivered(&mut self, segment: &Segment<'_>, direction: Direction) {
        let side = self.side(direction);
        let back = distance(segment.sequence, side.next_octet());
        if back > 0 && !segment.payload.is_empty() && !segment.flags.has(Flags::SYN) {
            let comparison = side.history.compare(back as u64, segment.payload);
            self.count_conflict(comparison.conflicting, direction, segment.stamp);
        }
    }

    fn count_conflict(&mut self, octets: u64, direction: Direction, stamp: Stamp) {
        if octets > 0 {
            let rare = self.rare_side(direction);
            rare.conflicting_octets = rare.conflicting_octets.saturating_add(octets);
            rare.first_conflict.get_or_insert(stamp);
        }
    }

    /// Delivers or keeps what lies at or behind the next expected octet.
    fn take_new_part<S: Stream>(
        &mut self,
        run: &Run<'_>,
        direction: Direction,
        reader: &mut Reader<'_, S>,
    ) -> Inserted {
        let side = self.side(direction);
        let ahead = distance(side.next, run.sequence);
        let skip = (-ahead).max(0);
        if skip >= i64::from(run.length) {
            return Inserted::default();
        }
        let bytes = run.bytes.get(skip as usize..).unwrap_or_default();
        let length = run.length - skip as u32;
        let cut = length - bytes.len() as u32;
        if ahead <= 0 && self.pieces(direction).is_none() {
            self.deliver(direction, bytes, cut, run.stamp, reader);
            return Inserted {
                new: u64::from(length),
                ..Inserted::default()
            };
        }
        let offset = side.offset + ahead.max(0) as u64;
        let pieces = self.rare_side(direction).pieces.get_or_insert_with(Box::default);
        let inserted = pieces.insert(offset, bytes, cut, run.stamp);
        self.count_conflict(inserted.conflicting, direction, run.stamp);
        if ahead > 0 {
            self.rare_side(direction).waiting_since.get_or_insert(run.stamp);
        }
        self.drain(direction, reader);
        inserted
    }

    /// Hands octets on, and a gap for those behind them that a snap length cut off.
    pub(super) fn deliver<S: Stream>(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        cut: u32,
        stamp: Stamp,
        reader: &mut Reader<'_, S>,
    ) {
        if reader.stream.is_none() {
            reader.open(self);
        }
        let side = self.side_mut(direction);
        if !bytes.is_empty() {
            let chunk = Chunk {
                direction,
                offset: side.offset,
                bytes,
                stamp,
            };
            side.go_past(bytes);
            if let Some(stream) = reader.stream.as_mut() {
                stream.data(chunk);
            }
        }
        if cut > 0 {
            let end = side.next.wrapping_add(cut);
            let gap = Gap {
                direction,
                offset: side.offset,
                length: u64::from(cut),
                found_at: stamp,
                acknowledged: side.has(Side::ACKNOWLEDGED) && distance(end, side.acknowledged) >= 0,
                cut_by_snap_length: true,
            };
            self.skip(&gap, reader);
        }
        let side = self.side_mut(direction);
        side.highest = later(side.highest, side.next);
        side.forget_stale_acknowledgment();
    }

    /// Steps over a hole and says so.
    pub(super) fn skip<S: Stream>(&mut self, gap: &Gap, reader: &mut Reader<'_, S>) {
        // First of all: what becomes rare now starts with what holds before the gap.
        self.rare_side(gap.direction).missing_octets += gap.length;
        let side = self.side_mut(gap.direction);
        side.next = side.next.wrapping_add(gap.length as u32);
        side.offset += gap.length;
        side.highest = later(side.highest, side.next);
        side.history.clear();
        let end = gap.offset + gap.length;
        let rare = self.rare();
        let counts = &mut rare.sides[at(gap.direction)];
        let continues = counts.last_gap_end == Some(gap.offset);
        counts.last_gap_end = Some(end);
        let last = rare.gaps.iter_mut().rfind(|last| last.direction == gap.direction);
        match last.filter(|last| {
            continues
                && last.offset + last.length == gap.offset
                && last.cut_by_snap_length == gap.cut_by_snap_length
                && last.acknowledged == gap.acknowledged
        }) {
            Some(last) => last.length += gap.length,
            None => {
                counts.gaps = counts.gaps.saturating_add(1);
                Rare::list(&mut rare.gaps, &mut rare.unlisted, *gap);
            }
        }
        reader.open(self).gap(gap);
    }

    /// Delivers the pieces that follow on.
    pub(super) fn drain<S: Stream>(&mut self, direction: Direction, reader: &mut Reader<'_, S>) {
        loop {
            let offset = self.side(direction).offset;
            let rare = self.beside.rare_mut().map(|rare| &mut rare.sides[at(direction)]);
            let Some(pieces) = rare.and_then(|rare| rare.pieces.as_mut()) else {
                return;
            };
            let Some((start, piece)) = pieces.take_at(offset) else {
                break;
            };
            debug_assert_eq!(start, offset);
            self.deliver(direction, &piece.bytes, piece.cut, piece.stamp, reader);
        }
        let rare = self.rare_side(direction);
        if rare.pieces.as_ref().is_some_and(|pieces| pieces.is_empty()) {
            rare.pieces = None;
            rare.waiting_since = None;
        }
    }

    fn count_retransmission(&mut self, run: &Run<'_>, direction: Direction, quiet: i64, dont_fragment: bool) {
        let side = &self.sides[at(direction)];
        let open = !side.has(Side::ACKNOWLEDGED) || distance(side.acknowledged, run.end()) > 0;
        let offset = (side.offset as i64)
            .saturating_add(distance(side.next_octet(), run.sequence))
            .max(0);
        let oldest = self.flights(direction).and_then(Flights::first);
        let first_sent = oldest.map_or(run.stamp, |mark| self.marks().stamp(mark));
        let rare = self.rare_side(direction);
        rare.retransmissions = rare.retransmissions.saturating_add(1);
        rare.retransmission_timeouts += u32::from(quiet >= TIMEOUT);
        if !open {
            return;
        }
        match &mut rare.repeated {
            Some(known) if known.sequence == run.sequence => {
                if known.stuck.length == run.length {
                    known.stuck.retransmissions = known.stuck.retransmissions.saturating_add(1);
                    known.stuck.last = run.stamp;
                }
            }
            Some(known) if distance(known.sequence, run.sequence) > 0 => {}
            slot => {
                *slot = Some(Repeated {
                    sequence: run.sequence,
                    stuck: Stuck {
                        direction,
                        offset: offset as u64,
                        length: run.length,
                        retransmissions: 1,
                        first: first_sent,
                        last: run.stamp,
                        acknowledged: false,
                        dont_fragment,
                    },
                });
            }
        }
    }

    pub(super) fn take_fin<S: Stream>(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        mark: Mark,
        reader: &mut Reader<'_, S>,
    ) {
        let syn = u32::from(segment.flags.has(Flags::SYN));
        let sequence = segment.sequence.wrapping_add(syn).wrapping_add(segment.payload_length);
        let side = self.side_mut(direction);
        if !side.has(Side::FIN) && distance(side.next, sequence) >= 0 {
            side.set(Side::FIN);
            side.fin_sequence = sequence;
            side.fin = mark;
            side.highest = later(side.highest, sequence.wrapping_add(1));
        }
        self.deliver_fin(direction, reader);
    }

    pub(super) fn deliver_fin<S: Stream>(&mut self, direction: Direction, reader: &mut Reader<'_, S>) {
        let side = self.side_mut(direction);
        if side.has(Side::FIN) && !side.has(Side::FIN_DELIVERED) && side.next == side.fin_sequence {
            side.set(Side::FIN_DELIVERED);
            side.next = side.next.wrapping_add(1);
            let fin = side.fin;
            if let Some(at) = self.marks().get(fin) {
                reader.open(self).fin(direction, at);
            }
        }
    }
}
