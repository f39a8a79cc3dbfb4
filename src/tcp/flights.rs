//! Octets on their way: sent, and not acknowledged so far.

use crate::tcp::mark::Mark;
use crate::tcp::sequence::distance;

/// Octets sent first at `first`, up to `end`.
#[derive(Clone, Copy, Default)]
struct Flight {
    first: Mark,
    end: u32,
    /// Largest payload of a segment in it; 0 where nothing is on its way.
    largest: u32,
}

/// What one side has on its way: the oldest segment, and all behind it together.
#[derive(Default)]
pub(super) struct Flights {
    oldest: Flight,
    rest: Flight,
}

impl Flights {
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.oldest.largest == 0
    }

    /// When the oldest was sent.
    pub fn first(&self) -> Option<Mark> {
        (!self.is_empty()).then_some(self.oldest.first)
    }

    /// A segment with new octets was sent, up to `end`.
    #[inline]
    pub fn send(&mut self, end: u32, length: u32, mark: Mark) {
        let slot = if self.is_empty() {
            &mut self.oldest
        } else {
            &mut self.rest
        };
        if slot.largest == 0 {
            slot.first = mark;
        }
        slot.end = end;
        slot.largest = slot.largest.max(length);
    }

    /// The peer's acknowledgment advanced: the largest segment that arrived, 0 where none did.
    #[inline]
    pub fn land(&mut self, acknowledged: u32) -> u32 {
        if self.is_empty() || distance(acknowledged, self.oldest.end) > 0 {
            return 0;
        }
        let landed = std::mem::take(&mut self.oldest).largest;
        if self.rest.largest == 0 {
            return landed;
        }
        let rest = std::mem::take(&mut self.rest);
        if distance(acknowledged, rest.end) > 0 {
            self.oldest = rest;
            return landed;
        }
        landed.max(rest.largest)
    }

    /// All marks.
    pub fn marks(&mut self) -> impl Iterator<Item = &mut Mark> {
        [&mut self.oldest.first, &mut self.rest.first].into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::Direction;
    use crate::tcp::half_open::Syn;
    use crate::tcp::side::Side;
    use crate::tcp::tests::{stamp, syn};
    use crate::tcp::transport::{Transport, at};
    use proptest::prelude::*;

    fn connection() -> Transport {
        let segment = syn();
        let mut transport = Transport::from_syn(segment.flow.key, &Syn::of(&segment));
        for side in &mut transport.sides {
            side.begin(0, 0);
        }
        transport
    }

    proptest! {
        /// A connection has room for what one side has on its way: whoever sends and whatever is acknowledged, it tells
        /// what two sides with room of their own would.
        #[test]
        fn sides_share_room_and_lose_nothing(
            steps in prop::collection::vec((any::<bool>(), prop::option::of(1u32..2_000), 0u32..4_000), 1..60),
        ) {
            let mut transport = connection();
            let mut own = [Flights::default(), Flights::default()];
            let mut largest = [0; 2];
            for (number, (to_server, length, back)) in steps.into_iter().enumerate() {
                let direction = if to_server { Direction::ToServer } else { Direction::ToClient };
                let mark = transport.mark(stamp(number as u64 + 1, number as f64));
                let side = transport.side_mut(direction);
                if let Some(length) = length {
                    let end = side.highest.wrapping_add(length);
                    transport.sent_new(direction, end, length, mark);
                    own[at(direction)].send(end, length, mark);
                } else {
                    side.acknowledged = side.acknowledged.max(side.highest.saturating_sub(back));
                    side.set(Side::ACKNOWLEDGED);
                    largest[at(direction)] = own[at(direction)].land(side.acknowledged).max(largest[at(direction)]);
                    transport.land(direction);
                }
                for direction in Direction::BOTH {
                    let told = transport.flights(direction).and_then(Flights::first);
                    prop_assert_eq!(told, own[at(direction)].first());
                    prop_assert_eq!(transport.side(direction).largest_acknowledged, largest[at(direction)]);
                }
            }
        }
    }

    #[test]
    fn the_oldest_is_told_apart_from_all_behind_it() {
        let mut flights = Flights::default();
        let marks: Vec<Mark> = (1..5)
            .filter_map(|number| Mark::near(stamp(1, 0.0), stamp(number, number as f64)))
            .collect();
        assert_eq!((flights.first(), flights.land(0)), (None, 0));
        for (number, length) in [10, 400, 30].into_iter().enumerate() {
            flights.send(100 * (number as u32 + 1), length, marks[number]);
        }
        assert_eq!((flights.land(99), flights.first()), (0, Some(marks[0])));
        assert_eq!((flights.land(100), flights.first()), (10, Some(marks[1])));
        assert_eq!((flights.land(299), flights.first()), (0, Some(marks[1])));
        assert_eq!((flights.land(300), flights.first()), (400, None));
    }
}
