//! Turns what was remembered of a connection into its facts, once, at its end.

use std::time::Duration;

use crate::span::Direction;
use crate::tcp::facts::{ConnectionFacts, DirectionFacts, Ending};
use crate::tcp::sequence::distance;
use crate::tcp::side::{RareSide, Side};
use crate::tcp::transport::{Rare, Transport, at};

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

    /// The facts; the lists are moved out. They are a kilobyte, so they are filled in where they stay.
    pub(super) fn facts(&mut self, ending: Ending) -> Box<ConnectionFacts> {
        self.end_episodes();
        let mut facts = Box::<ConnectionFacts>::default();
        let opened = self.opened();
        facts.client = opened.client;
        facts.server = opened.server;
        facts.roles = self.roles;
        facts.opening = self.opening;
        facts.ending = ending;
        facts.first = self.first;
        facts.last = self.last();
        facts.frames = self.frames();
        facts.round_trip = self.round_trip();
        let (marks, [from, to]) = (self.marks(), self.silence);
        facts.handshake_ack = marks.get(self.handshake_acknowledgment);
        facts.longest_silence = (from != to).then(|| (marks.stamp(from), marks.stamp(to)));
        self.direction_facts(Direction::ToServer, &mut facts.directions.to_server);
        self.direction_facts(Direction::ToClient, &mut facts.directions.to_client);
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

    /// Fills in the facts of a direction, of which nothing was said yet.
    fn direction_facts(&self, direction: Direction, facts: &mut DirectionFacts) {
        let (side, marks) = (self.side(direction), self.marks());
        facts.segments = u64::from(side.segments);
        facts.data_segments = u64::from(side.data_segments);
        facts.octets = side.offset;
        facts.octets_on_wire = self.octets_on_wire(direction);
        facts.acknowledged_unseen = side.has(Side::UNSEEN);
        facts.syn = self.syn(direction);
        facts.last_syn = facts.syn;
        facts.fin = marks.get(side.fin);
        facts.first_data = marks.get(side.first_data);
        facts.last_data = marks.get(side.last_data);
        if side.segments > 0 {
            facts.last = Some(marks.stamp(side.last));
            facts.time_to_live = Some(side.time_to_live);
        }
        facts.largest_segment = side.largest;
        facts.largest_acknowledged_segment = side.largest_acknowledged;
        facts.maximum_segment_size = side.has(Side::SEGMENT_SIZE).then_some(side.maximum_segment_size);
        facts.window_scale = side.has(Side::SCALED).then_some(side.window_scale);
        facts.timestamps = side.has(Side::TIMESTAMPS);
        facts.initial_sequence = side.initial;
        facts.unacknowledged_at_end = self.unacknowledged(direction);
        if let Some(rare) = self.beside.rare() {
            fill_in_rare(facts, side, &rare.sides[at(direction)]);
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

/// Fills in what few directions have.
fn fill_in_rare(facts: &mut DirectionFacts, side: &Side, rare: &RareSide) {
    facts.octets -= rare.missing_octets;
    facts.retransmissions = rare.retransmissions;
    facts.retransmission_timeouts = rare.retransmission_timeouts;
    facts.out_of_order = rare.out_of_order;
    facts.keep_alives = rare.keep_alives;
    facts.capture_duplicates = rare.capture_duplicates;
    facts.conflicting_octets = rare.conflicting_octets;
    facts.first_conflict = rare.first_conflict;
    facts.cut_segments = rare.cut_segments;
    facts.gaps = rare.gaps;
    facts.missing_octets = rare.missing_octets;
    facts.syn_retransmissions = rare.syn_retransmissions;
    facts.last_syn = rare.last_syn.or(facts.last_syn);
    facts.octets_after_fin = rare.octets_after_fin;
    facts.sent_unseen = rare.ahead.and_then(|(ahead, since)| {
        let octets = u64::try_from(distance(side.highest, ahead)).ok()?;
        (octets > 0 && !side.has(Side::UNSEEN)).then_some((since, octets))
    });
}
