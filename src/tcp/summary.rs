//! Turns what was remembered of a connection into its facts, once, at its end.

use std::sync::LazyLock;
use std::time::Duration;

use crate::span::{Direction, PerDirection};
use crate::tcp::facts::{ConnectionFacts, DirectionFacts, Ending};
use crate::tcp::sequence::distance;
use crate::tcp::side::{RareSide, Side};
use crate::tcp::transport::{Rare, Transport, at};

/// What most sides have.
static NOTHING_RARE: LazyLock<RareSide> = LazyLock::new(RareSide::default);

impl Transport {
    /// How the connection ended, where nothing but `cause` ended it from outside.
    pub(super) fn ending_after(&self, cause: Ending) -> Ending {
        if let Some(ending) = self.ending {
            return ending;
        }
        let [client, server] = &self.sides;
        match (client.has(Side::FIN), server.has(Side::FIN)) {
            (true, true) => Ending::Closed(self.first_fin()),
            (true, false) => Ending::HalfClosed(Direction::ToServer),
            (false, true) => Ending::HalfClosed(Direction::ToClient),
            (false, false) => cause,
        }
    }

    /// The facts; the lists are moved out.
    pub(super) fn facts(&mut self, ending: Ending) -> Box<ConnectionFacts> {
        self.end_episodes();
        let directions = PerDirection {
            to_server: self.direction_facts(Direction::ToServer),
            to_client: self.direction_facts(Direction::ToClient),
        };
        let opened = self.opened();
        let round_trip = self.round_trip();
        let (marks, [from, to]) = (self.marks(), self.silence);
        let mut facts = Box::new(ConnectionFacts {
            client: opened.client,
            server: opened.server,
            roles: self.roles,
            opening: self.opening,
            ending,
            first: self.first,
            last: self.last(),
            frames: self.frames(),
            handshake_ack: marks.get(self.handshake_acknowledgment),
            round_trip,
            directions,
            resets: Vec::new(),
            gaps: Vec::new(),
            zero_windows: Vec::new(),
            stuck: Vec::new(),
            icmp_errors: Vec::new(),
            longest_silence: (from != to).then(|| (marks.stamp(from), marks.stamp(to))),
            early_segments: 0,
            unlisted: 0,
            encapsulations: 1,
        });
        if let Some(rare) = self.beside.take_rare() {
            facts.resets = rare.resets;
            facts.gaps = rare.gaps;
            facts.zero_windows = rare.zero_windows;
            facts.stuck = rare.stuck;
            facts.icmp_errors = rare.icmp_errors;
            facts.early_segments = rare.early_segments;
            facts.unlisted = rare.unlisted;
            facts.encapsulations = rare.encapsulations.len().max(1) as u32;
        }
        facts
    }

    fn end_episodes(&mut self) {
        let Some(rare) = self.beside.rare_mut() else { return };
        for direction in Direction::BOTH {
            let side = &mut rare.sides[at(direction)];
            let (window, repeated) = (side.zero_window.take(), side.repeated.take());
            if let Some(window) = window {
                Rare::list(&mut rare.zero_windows, &mut rare.unlisted, window);
            }
            if let Some(repeated) = repeated {
                Rare::list(&mut rare.stuck, &mut rare.unlisted, repeated.stuck);
            }
        }
    }

    fn round_trip(&self) -> Option<Duration> {
        let again = self
            .beside
            .rare()
            .is_some_and(|rare| rare.sides.iter().any(|side| side.syn_retransmissions > 0));
        let (syn, answer) = (self.syn(Direction::ToServer)?, self.syn(Direction::ToClient)?);
        let end = self.marks().get(self.handshake_acknowledgment)?;
        (!again && syn.frame < answer.frame && answer.frame < end.frame).then(|| end.time.since(syn.time))
    }

    fn direction_facts(&self, direction: Direction) -> DirectionFacts {
        let (side, marks) = (self.side(direction), self.marks());
        let rare = self.beside.rare().map(|rare| &rare.sides[at(direction)]);
        let rare = rare.unwrap_or_else(|| &NOTHING_RARE);
        DirectionFacts {
            segments: u64::from(side.segments),
            data_segments: u64::from(side.data_segments),
            octets: side.offset - rare.missing_octets,
            octets_on_wire: self.octets_on_wire(direction),
            retransmissions: rare.retransmissions,
            retransmission_timeouts: rare.retransmission_timeouts,
            out_of_order: rare.out_of_order,
            keep_alives: rare.keep_alives,
            capture_duplicates: rare.capture_duplicates,
            conflicting_octets: rare.conflicting_octets,
            first_conflict: rare.first_conflict,
            cut_segments: rare.cut_segments,
            gaps: rare.gaps,
            missing_octets: rare.missing_octets,
            acknowledged_unseen: side.has(Side::UNSEEN),
            syn: self.syn(direction),
            syn_retransmissions: rare.syn_retransmissions,
            last_syn: rare.last_syn.or_else(|| self.syn(direction)),
            fin: marks.get(side.fin),
            first_data: marks.get(side.first_data),
            last_data: marks.get(side.last_data),
            last: (side.segments > 0).then(|| marks.stamp(side.last)),
            largest_segment: side.largest,
            largest_acknowledged_segment: side.largest_acknowledged,
            maximum_segment_size: side.has(Side::SEGMENT_SIZE).then_some(side.maximum_segment_size),
            window_scale: side.has(Side::SCALED).then_some(side.window_scale),
            time_to_live: (side.segments > 0).then_some(side.time_to_live),
            timestamps: side.has(Side::TIMESTAMPS),
            initial_sequence: side.initial,
            octets_after_fin: rare.octets_after_fin,
            unacknowledged_at_end: self.unacknowledged(direction),
            sent_unseen: rare.ahead.and_then(|(ahead, since)| {
                let octets = u64::try_from(distance(side.highest, ahead)).ok()?;
                (octets > 0 && !side.has(Side::UNSEEN)).then_some((since, octets))
            }),
        }
    }

    /// Octets sent and not acknowledged; nothing where the other side was never seen, for then nobody can say.
    fn unacknowledged(&self, direction: Direction) -> u64 {
        let side = self.side(direction);
        if self.side(direction.opposite()).segments == 0 || side.data_segments == 0 {
            return 0;
        }
        if !side.has(Side::ACKNOWLEDGED) {
            return side.offset;
        }
        let sent = if side.has(Side::FIN) {
            side.fin_sequence
        } else {
            side.highest
        };
        u64::try_from(distance(side.acknowledged, sent)).unwrap_or_default()
    }
}
