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
