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

/// A frame and its time, as the [`Marks`] of its connection understand it; may be missing.
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

    #[inline]
    pub fn set_first(&mut self, mark: Self) {
        if *self == Self::NONE {
            *self = mark;
        }
    }
}

/// Makes and understands the marks of one connection.
pub(super) struct Marks {
    first: Stamp,
    /// Missing where all marks are near.
    far: Option<Box<Far>>,
}

/// What is kept in full. Whatever no mark points at any more is dropped when room is needed.
#[derive(Default)]
struct Far {
    stamps: Vec<Stamp>,
}

impl Marks {
    /// Marks told from this frame.
    pub const fn since(first: Stamp) -> Self {
        Self { first, far: None }
    }

    pub const fn first(&self) -> Stamp {
        self.first
    }

    /// The mark of what is near the first frame.
    #[inline]
    pub fn near(&self, stamp: Stamp) -> Option<Mark> {
        #[cfg(test)]
        if tests::ALL_ARE_FAR.get() {
            return None;
        }
        let frames = stamp.frame.0.wrapping_sub(self.first.frame.0);
        let time = stamp.time.nanoseconds().checked_sub(self.first.time.nanoseconds())?;
        let time = time.cast_unsigned().wrapping_add(BIAS);
        let fits = frames < FAR >> TIME_BITS && (1..=TIME).contains(&time);
        fits.then_some(Mark((frames << TIME_BITS) | time))
    }

    /// The mark of anything; `in_use` are all other marks of the connection.
    #[cold]
    pub fn far<'a>(&mut self, stamp: Stamp, in_use: impl Iterator<Item = &'a mut Mark>) -> Mark {
        let stamps = &mut self.far.get_or_insert_default().stamps;
        if stamps.len() == stamps.capacity() {
            let mut kept = Vec::with_capacity(stamps.capacity().max(FEW));
            for mark in in_use.filter(|mark| mark.0 >= FAR) {
                kept.extend(stamps.get((mark.0 - FAR) as usize));
                *mark = Mark(FAR + kept.len() as u64 - 1);
            }
            if kept.len() > kept.capacity() / 2 {
                kept.reserve(kept.capacity());
            }
            *stamps = kept;
        }
        stamps.push(stamp);
        Mark(FAR + stamps.len() as u64 - 1)
    }

    /// What a mark stands for.
    pub fn get(&self, mark: Mark) -> Option<Stamp> {
        mark.is_some().then(|| self.stamp(mark))
    }

    /// What a mark that is there stands for.
    #[inline]
    pub fn stamp(&self, mark: Mark) -> Stamp {
        if mark.0 >= FAR {
            let far = self
                .far
                .as_ref()
                .and_then(|far| far.stamps.get((mark.0 - FAR) as usize));
            return far.copied().unwrap_or(self.first);
        }
        let since = (mark.0 & TIME).wrapping_sub(BIAS).cast_signed();
        Stamp {
            frame: FrameNumber(self.first.frame.0.wrapping_add(mark.0 >> TIME_BITS)),
            time: Timestamp::from_nanoseconds(self.first.time.nanoseconds().wrapping_add(since)),
        }
    }

    /// Nanoseconds between two that are there; zero where the clock ran backwards.
    #[inline]
    pub fn passed(&self, from: Mark, to: Mark) -> u64 {
        if self.far.is_some() {
            return self.stamp(to).time.nanoseconds_since(self.stamp(from).time);
        }
        (to.0 & TIME).saturating_sub(from.0 & TIME)
    }

    /// The later of two, in the order of frames.
    #[inline]
    pub fn later(&self, one: Mark, two: Mark) -> Mark {
        let is_later = if self.far.is_some() {
            self.stamp(two) > self.stamp(one)
        } else {
            two.0 > one.0
        };
        if is_later { two } else { one }
    }

    /// Octets held besides the struct itself.
    pub fn weight(&self) -> usize {
        let far = self.far.as_ref();
        far.map_or(0, |far| size_of::<Far>() + far.stamps.capacity() * size_of::<Stamp>())
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
            let mut marks = Marks::since(first);
            let mut kept = [(Mark::FIRST, first); 6];
            for (frame, time, place) in steps {
                let stamp = stamp(frame, time);
                let mark = match marks.near(stamp) {
                    Some(mark) => mark,
                    None => marks.far(stamp, kept.iter_mut().map(|(mark, _)| mark)),
                };
                kept[place] = (mark, stamp);
                for &(one, real) in &kept {
                    prop_assert_eq!(marks.get(one), Some(real));
                    prop_assert_eq!(marks.passed(one, mark), stamp.time.nanoseconds_since(real.time));
                    prop_assert_eq!(marks.stamp(marks.later(one, mark)), real.max(stamp));
                }
            }
            prop_assert!(marks.weight() <= size_of::<Far>() + 4 * FEW * size_of::<Stamp>());
        }
    }

    #[test]
    fn what_is_near_and_what_is_not() {
        let marks = Marks::since(stamp(100, 5_000_000_000_000));
        assert_eq!(marks.near(marks.first()), Some(Mark::FIRST));
        assert!(
            marks
                .near(stamp(16_000_000, 5_000_000_000_000 + 1_000 * 1_000_000_000))
                .is_some()
        );
        assert!(marks.near(stamp(101, 5_000_000_000_000 - 4 * 1_000_000_000)).is_some());
        assert!(marks.near(stamp(17_000_000, 5_000_000_000_000)).is_none());
        assert!(
            marks
                .near(stamp(101, 5_000_000_000_000 + 1_200 * 1_000_000_000))
                .is_none()
        );
        assert!(marks.near(stamp(101, 5_000_000_000_000 - 5 * 1_000_000_000)).is_none());
        assert!(marks.near(stamp(99, 5_000_000_000_000)).is_none());
        assert_eq!(marks.get(Mark::NONE), None);
    }
}
