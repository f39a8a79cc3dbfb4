//! A frame and its time in 8 octets. A connection remembers about twenty of them, and nearly all lie close to its first
//! frame: a mark tells how far behind that one it lies. What lies too far off, in an old connection or where a clock jumped,
//! is kept in full on a list, and its mark is a place on that list.

use crate::frame::FrameNumber;
use crate::span::Stamp;
use crate::time::Timestamp;

/// The lower bits tell the time since the first frame, up to 18 minutes in nanoseconds; the others count frames, up to 16
/// millions.
const TIME_BITS: u32 = 40;
const TIME: u64 = (1 << TIME_BITS) - 1;
/// Added to each time: the clock may be 4 seconds behind that of the first frame.
const BIAS: u64 = 1 << 32;
/// Marks from here on are places on the list of what is kept in full.
const FAR: u64 = 0xff_ffff << TIME_BITS;
/// First room on that list.
const FEW: usize = 8;

/// A frame and its time, as the [`Marks`] of its connection tell it; may be missing.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Mark(u64);

impl Mark {
    /// Nothing is marked; before all others. No near mark has this value, for its time is never 0.
    pub const NONE: Self = Self(0);
    /// The first frame of the connection.
    pub const FIRST: Self = Self(BIAS);

    pub fn is_some(self) -> bool {
        self != Self::NONE
    }

    /// The mark of a frame near the first one.
    #[inline]
    pub fn near(first: Stamp, stamp: Stamp) -> Option<Self> {
        #[cfg(test)]
        if tests::ALL_ARE_FAR.get() {
            return None;
        }
        let frames = stamp.frame.0.wrapping_sub(first.frame.0);
        let time = stamp.time.nanoseconds().checked_sub(first.time.nanoseconds())?;
        let time = time.cast_unsigned().wrapping_add(BIAS);
        let fits = frames < FAR >> TIME_BITS && (1..=TIME).contains(&time);
        fits.then_some(Self((frames << TIME_BITS) | time))
    }

    /// The mark of any frame, which is kept in full among those that are `kept`; `in_use` are all other marks of the
    /// connection. What no mark stands for any more is dropped when room is needed.
    pub fn far<'a>(kept: &mut Vec<Stamp>, stamp: Stamp, in_use: impl Iterator<Item = &'a mut Self>) -> Self {
        if kept.len() == kept.capacity() {
            let mut still = Vec::with_capacity(kept.capacity().max(FEW));
            for mark in in_use.filter(|mark| mark.0 >= FAR) {
                still.extend(kept.get((mark.0 - FAR) as usize));
                *mark = Self(FAR + still.len() as u64 - 1);
            }
            if still.len() > still.capacity() / 2 {
                still.reserve(still.capacity());
            }
            *kept = still;
        }
        kept.push(stamp);
        Self(FAR + kept.len() as u64 - 1)
    }

    #[inline]
    pub fn set_first(&mut self, mark: Self) {
        if *self == Self::NONE {
            *self = mark;
        }
    }
}

/// Tells what the marks of one connection stand for.
#[derive(Clone, Copy)]
pub(super) struct Marks<'a> {
    first: Stamp,
    far: &'a [Stamp],
}

impl<'a> Marks<'a> {
    /// Of a connection with this first frame, and with these frames kept in full; no mark is far where there are none.
    #[inline]
    pub const fn new(first: Stamp, far: &'a [Stamp]) -> Self {
        Self { first, far }
    }

    /// What a mark stands for.
    #[inline]
    pub fn get(self, mark: Mark) -> Option<Stamp> {
        mark.is_some().then(|| self.stamp(mark))
    }

    /// What a mark that is there stands for.
    #[inline]
    pub fn stamp(self, mark: Mark) -> Stamp {
        if mark.0 >= FAR {
            return self.far_stamp((mark.0 - FAR) as usize);
        }
        let since = (mark.0 & TIME).wrapping_sub(BIAS).cast_signed();
        Stamp {
            frame: FrameNumber(self.first.frame.0.wrapping_add(mark.0 >> TIME_BITS)),
            time: Timestamp::from_nanoseconds(self.first.time.nanoseconds().wrapping_add(since)),
        }
    }

    #[cold]
    fn far_stamp(self, place: usize) -> Stamp {
        self.far.get(place).copied().unwrap_or(self.first)
    }

    /// Nanoseconds between two that are there; zero where the clock ran backwards.
    #[inline]
    pub fn passed(self, from: Mark, to: Mark) -> u64 {
        if !self.far.is_empty() {
            return self.stamp(to).time.nanoseconds_since(self.stamp(from).time);
        }
        (to.0 & TIME).saturating_sub(from.0 & TIME)
    }

    /// The later of two, in the order of frames.
    #[inline]
    pub fn later(self, one: Mark, two: Mark) -> Mark {
        let is_later = if !self.far.is_empty() {
            self.stamp(two) > self.stamp(one)
        } else {
            two.0 > one.0
        };
        if is_later { two } else { one }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    use super::*;
    use proptest::prelude::*;

    thread_local! {
        /// Marks of this thread are kept in full, whatever they are.
        pub(in crate::tcp) static ALL_ARE_FAR: Cell<bool> = const { Cell::new(false) };
    }

    fn stamp(frame: u64, time: i64) -> Stamp {
        Stamp {
            frame: FrameNumber(frame),
            time: Timestamp::from_nanoseconds(time),
        }
    }

    fn frame() -> impl Strategy<Value = u64> {
        prop_oneof![Just(1), 1u64..100, (1u64 << 24) - 5..(1 << 24) + 5, any::<u64>()]
    }

    fn time() -> impl Strategy<Value = i64> {
        prop_oneof![
            0i64..100,
            (1i64 << 40) - (1 << 33)..(1 << 40) + (1 << 33),
            -(1i64 << 33)..(1 << 33),
            Just(i64::MIN),
            Just(i64::MAX),
            any::<i64>()
        ]
    }

    proptest! {
        /// Any frame, any time: what was marked comes back, and marks are compared as what they stand for.
        #[test]
        fn marks_stand_for_exactly_what_was_marked(
            first in (frame(), time()),
            steps in prop::collection::vec((frame(), time(), 0usize..6), 1..120),
        ) {
            let first = stamp(first.0, first.1);
            let mut far = Vec::new();
            let mut kept = [(Mark::FIRST, first); 6];
            for (frame, time, place) in steps {
                let stamp = stamp(frame, time);
                let mark = match Mark::near(first, stamp) {
                    Some(mark) => mark,
                    None => Mark::far(&mut far, stamp, kept.iter_mut().map(|(mark, _)| mark)),
                };
                kept[place] = (mark, stamp);
                let marks = Marks::new(first, &far);
                for &(one, real) in &kept {
                    prop_assert_eq!(marks.get(one), Some(real));
                    prop_assert_eq!(marks.passed(one, mark), stamp.time.nanoseconds_since(real.time));
                    prop_assert_eq!(marks.stamp(marks.later(one, mark)), real.max(stamp));
                }
            }
            prop_assert!(far.capacity() <= 4 * FEW);
        }
    }

    #[test]
    fn what_is_near_and_what_is_not() {
        let first = stamp(100, 5_000_000_000_000);
        let near = |frame, time| Mark::near(first, stamp(frame, time));
        assert_eq!(Mark::near(first, first), Some(Mark::FIRST));
        assert!(near(16_000_000, 5_000_000_000_000 + 1_000 * 1_000_000_000).is_some());
        assert!(near(101, 5_000_000_000_000 - 4 * 1_000_000_000).is_some());
        assert!(near(17_000_000, 5_000_000_000_000).is_none());
        assert!(near(101, 5_000_000_000_000 + 1_200 * 1_000_000_000).is_none());
        assert!(near(101, 5_000_000_000_000 - 5 * 1_000_000_000).is_none());
        assert!(near(99, 5_000_000_000_000).is_none());
        assert_eq!(Marks::new(first, &[]).get(Mark::NONE), None);
    }
}
