//! SYN and RST: how a connection begins, how it is broken off, and which of both to believe (RFC 9293 3.10.7, RFC 5961).
//! A forged SYN or RST must not cost the sight on the connection that it aims at.

use crate::packet::{Flags, Segment};
use crate::span::{Direction, Stamp};
use crate::tcp::facts::{Ending, Opening, Reset, RoleEvidence};
use crate::tcp::half_open::Syn;
use crate::tcp::mark::Mark;
use crate::tcp::sequence::{distance, later};
use crate::tcp::side::Side;
use crate::tcp::transport::{Context, DUPLICATE_TIME, Rare, Stage, SynVerdict, Transport, at};

/// A reset whose TTL differs by more than this from its sender's other segments comes from somewhere else.
const TIME_TO_LIVE_TOLERANCE: u8 = 1;
/// A step in IP identification that a sender who counts up does not make between two segments.
const IDENTIFICATION_STEP: u16 = 4_096;

/// True where two copies are so close that the capture made one of them.
pub(super) fn is_copy_of(stamp: Stamp, earlier: Stamp) -> bool {
    let between = stamp.time.nanoseconds().saturating_sub(earlier.time.nanoseconds());
    between.saturating_abs() < DUPLICATE_TIME
}

impl Transport {
    /// Takes a SYN or a SYN-ACK.
    pub(super) fn take_syn(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        mark: Mark,
        context: &mut Context<'_>,
    ) -> SynVerdict {
        let answer = segment.flags.has(Flags::ACK);
        let side = self.side(direction);
        if side.has(Side::SYN) && segment.sequence == side.initial && self.is_same_role(direction, answer) {
            self.take_syn_again(segment, direction);
            return SynVerdict::Ours;
        }
        let ended = self.stage.is_end();
        let begins = !side.has(Side::SYN)
            && !ended
            && match direction {
                Direction::ToServer => !answer && self.is_late_syn(segment, direction),
                Direction::ToClient => answer && self.is_fitting_answer(segment),
            };
        if begins {
            self.begin(segment, direction, mark);
            return SynVerdict::Ours;
        }
        if ended {
            return SynVerdict::Begins;
        }
        if answer {
            // Its SYN was not captured; a connection that was being closed makes room for it.
            if self.sides.iter().any(|side| side.has(Side::FIN)) {
                return SynVerdict::Begins;
            }
            context.counts.out_of_window += 1;
        } else {
            self.remember_pending(segment);
        }
        SynVerdict::Noted
    }

    fn is_same_role(&self, direction: Direction, answer: bool) -> bool {
        answer == (direction == Direction::ToClient)
    }

    fn take_syn_again(&mut self, segment: &Segment<'_>, direction: Direction) {
        let first = self.syn(direction).unwrap_or(segment.stamp);
        if first.frame == segment.stamp.frame {
            // The SYN that opened the connection, taken again for its payload.
            return;
        }
        let rare = self.rare_side(direction);
        if is_copy_of(segment.stamp, rare.last_syn.unwrap_or(first)) {
            rare.capture_duplicates = rare.capture_duplicates.saturating_add(1);
        } else {
            rare.syn_retransmissions = rare.syn_retransmissions.saturating_add(1);
            rare.last_syn = Some(segment.stamp);
        }
    }

    /// A SYN that the capture shows behind what followed it.
    fn is_late_syn(&self, segment: &Segment<'_>, direction: Direction) -> bool {
        let side = self.side(direction);
        !side.has(Side::KNOWN) || (0..=1).contains(&distance(segment.sequence, side.initial))
    }

    fn is_fitting_answer(&self, segment: &Segment<'_>) -> bool {
        let [client, server] = &self.sides;
        let late = server.has(Side::KNOWN) && distance(segment.sequence, server.initial) == 1;
        let acknowledges = !client.has(Side::KNOWN)
            || (client.has(Side::SYN)
                && distance(client.initial, segment.acknowledgment) >= 1
                && distance(segment.acknowledgment, client.highest) >= 0);
        if server.has(Side::KNOWN) { late } else { acknowledges }
    }

    fn begin(&mut self, segment: &Segment<'_>, direction: Direction, mark: Mark) {
        let next = segment.sequence.wrapping_add(1);
        let side = self.side_mut(direction);
        if side.has(Side::KNOWN) {
            side.initial = segment.sequence;
        } else {
            side.begin(segment.sequence, next);
        }
        self.note_syn(direction, segment.stamp, mark);
        let options = &segment.options;
        self.side_mut(direction).announce(
            options.maximum_segment_size,
            options.window_scale,
            options.timestamps.is_some(),
        );
        self.roles = RoleEvidence::Handshake;
        self.opening = match (self.sides[0].has(Side::SYN), self.sides[1].has(Side::SYN)) {
            (true, true) => Opening::Handshake,
            (true, false) => Opening::SynOnly,
            _ => Opening::SynAckOnly,
        };
    }

    /// A SYN in the middle of a connection opens a new one only once it is answered: anybody can send one.
    fn remember_pending(&mut self, segment: &Segment<'_>) {
        let from_low = segment.flow.source_is_low;
        let rare = self.rare();
        match &mut rare.pending {
            Some(syn) if syn.sequence == segment.sequence && syn.from_low == from_low => {
                if is_copy_of(segment.stamp, syn.last) {
                    syn.capture_duplicates = syn.capture_duplicates.saturating_add(1);
                } else {
                    syn.retransmissions = syn.retransmissions.saturating_add(1);
                    syn.last = segment.stamp;
                }
            }
            pending => {
                if pending.replace(Syn::of(segment)).is_some() {
                    rare.unlisted = rare.unlisted.saturating_add(1);
                }
            }
        }
    }

    /// True where the segment shows that the remembered SYN was answered.
    pub(super) fn answers_pending(&self, segment: &Segment<'_>, direction: Direction) -> bool {
        let Some(pending) = self.beside.rare().and_then(|rare| rare.pending.as_ref()) else {
            return false;
        };
        let expected = pending.sequence.wrapping_add(1);
        let flags = segment.flags;
        if self.direction(pending.from_low) == direction {
            let side = self.side(direction);
            let plain = flags.0 & (Flags::SYN | Flags::RST) == 0 && flags.has(Flags::ACK);
            let elsewhere = !side.has(Side::KNOWN) || distance(side.next, expected).abs() > i64::from(u16::MAX);
            return plain && elsewhere && segment.sequence == expected;
        }
        let answer = flags.has(Flags::ACK) && flags.0 & (Flags::SYN | Flags::RST) != 0;
        answer && segment.acknowledgment == expected
    }

    /// Takes a reset: believed where it fits the window, listed in any case. Whether it fits.
    pub(super) fn take_reset(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        mark: Mark,
        context: &mut Context<'_>,
    ) -> bool {
        let in_window = self.reset_fits(segment, direction);
        let side = self.side(direction);
        let usual = (side.usual_time_to_live > 0).then_some(side.usual_time_to_live);
        let reset = Reset {
            direction,
            stamp: segment.stamp,
            in_window,
            after_fin: self.side(direction.opposite()).has(Side::FIN),
            looks_forged: self.looks_forged(segment, direction),
            time_to_live: segment.time_to_live,
            usual_time_to_live: usual,
        };
        if in_window {
            self.note(segment, direction, mark);
            if self.ending.is_none() {
                self.ending = Some(Ending::Reset(direction));
                self.stage = Stage::Reset;
            }
        } else {
            context.counts.out_of_window += 1;
        }
        let rare = self.rare();
        if in_window {
            rare.reset_sequence = segment.sequence;
        }
        Rare::list(&mut rare.resets, &mut rare.unlisted, reset);
        in_window
    }

    fn reset_fits(&self, segment: &Segment<'_>, direction: Direction) -> bool {
        let (side, peer) = (self.side(direction), self.side(direction.opposite()));
        if !side.has(Side::KNOWN) {
            // RFC 9293 3.10.7.3: in SYN-SENT a reset counts only where it acknowledges the SYN.
            return !peer.has(Side::SYN)
                || (segment.flags.has(Flags::ACK)
                    && distance(peer.initial, segment.acknowledgment) >= 1
                    && distance(segment.acknowledgment, peer.highest) >= 0);
        }
        let lower = if side.has(Side::ACKNOWLEDGED) && distance(side.next, side.acknowledged) < 0 {
            side.acknowledged
        } else {
            side.next
        };
        let highest = later(later(side.highest, side.next), side.acknowledged_or(side.next));
        let upper = highest.wrapping_add(peer.window.max(0xffff));
        distance(lower, segment.sequence) >= 0 && distance(segment.sequence, upper) >= 0
    }

    /// Catalogue, P10. Kernels answer for a socket that is gone without timestamps and with an identification of 0 or
    /// out of the row, so these two say something only together, and only of a side that had not closed.
    fn looks_forged(&self, segment: &Segment<'_>, direction: Direction) -> bool {
        let side = self.side(direction);
        if side.usual_time_to_live == 0 {
            return false;
        }
        let other_path = segment.time_to_live.abs_diff(side.usual_time_to_live) > TIME_TO_LIVE_TOLERANCE;
        let no_timestamps = side.has(Side::TIMESTAMPS) && segment.options.timestamps.is_none();
        let odd_identification = side.has(Side::COUNTS_UP)
            && segment.ip_identification.is_some_and(|identification| {
                let step = identification.wrapping_sub(side.last_identification);
                identification != 0 && (IDENTIFICATION_STEP..=u16::MAX - IDENTIFICATION_STEP).contains(&step)
            });
        let open = self.ending.is_none() && !side.has(Side::FIN);
        other_path || (open && no_timestamps && odd_identification)
    }

    /// Its sender goes on sending: the reset was somebody else's.
    pub(super) fn revive(&mut self, direction: Direction, context: &mut Context<'_>) {
        self.ending = None;
        self.stage = Stage::Established;
        context.counts.revived += 1;
        let resets = &mut self.rare().resets;
        for reset in resets.iter_mut().filter(|reset| reset.direction == direction) {
            reset.looks_forged = true;
        }
    }

    /// Takes FIN away that cannot have been one: the peer acknowledged octets behind it.
    pub(super) fn forget_fin(&mut self, direction: Direction) {
        let side = &mut self.sides[at(direction)];
        side.unset(Side::FIN);
        side.fin = Mark::NONE;
    }
}
