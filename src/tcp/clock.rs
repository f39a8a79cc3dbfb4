//! Packet time that one odd frame cannot move: a jump counts only once several frames in a row agree on it.

use crate::time::Timestamp;

/// A step that a single frame is not believed, in nanoseconds.
const JUMP: u64 = 600_000_000_000;
/// Frames in a row that make a jump true.
const WITNESSES: u32 = 3;

/// The time that time-outs go by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    now: Option<Timestamp>,
    witnesses: u32,
}

impl Clock {
    /// A clock that has seen no frame.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            now: None,
            witnesses: 0,
        }
    }

    /// The time; the epoch before the first frame.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now.unwrap_or_default()
    }

    /// Sets the clock by another one.
    pub const fn set(&mut self, time: Timestamp) {
        self.now = Some(time);
    }

    /// Time passed without a frame: the clock goes on, where it knows a time to go on from and would not go backwards.
    pub fn go_on(&mut self, time: Timestamp) -> Option<Timestamp> {
        let now = self.now.filter(|now| time > *now).map(|_| time)?;
        self.now = Some(now);
        Some(now)
    }

    /// Takes the time of a frame; small steps backwards do not move the clock.
    #[inline]
    pub fn advance(&mut self, time: Timestamp) -> Timestamp {
        let Some(now) = self.now else {
            self.now = Some(time);
            return time;
        };
        let far = time.nanoseconds_since(now) > JUMP || now.nanoseconds_since(time) > JUMP;
        if far && self.witnesses < WITNESSES {
            self.witnesses += 1;
            return now;
        }
        self.witnesses = 0;
        let moved = if far { time } else { now.max(time) };
        self.now = Some(moved);
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp::from_parts(seconds, 0)
    }

    #[test]
    fn one_frame_from_the_future_does_not_move_the_clock() {
        let mut clock = Clock::new();
        clock.advance(seconds(100));
        assert_eq!(clock.advance(Timestamp::MAX), seconds(100));
        assert_eq!(clock.advance(seconds(101)), seconds(101));
        assert_eq!(clock.advance(Timestamp::MIN), seconds(101));
        assert_eq!(clock.advance(seconds(100)), seconds(101));
    }

    #[test]
    fn several_frames_move_it_in_either_direction() {
        let mut clock = Clock::new();
        for (from, to) in [(0, 90_000), (90_000, 10)] {
            clock.advance(seconds(from));
            for _ in 0..=WITNESSES {
                clock.advance(seconds(to));
            }
            assert_eq!(clock.now(), seconds(to));
        }
    }
}
