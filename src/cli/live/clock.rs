//! What time it is by the capture's clock while no packet comes: the last packet's time, and the time that has passed here
//! since it came. Only where whoever writes the capture writes packet by packet: else silence may be a block not yet full,
//! and nothing is concluded from it.

use std::time::{Duration, Instant};

use crate::time::Timestamp;

/// A connection that ended is told this long after its last segment.
pub const REPORT_AFTER: Duration = Duration::from_millis(700);
/// A record that is not whole after this long is no accident of a pipe.
const UNFINISHED: Duration = Duration::from_secs(1);

/// The clock.
#[derive(Debug, Default)]
pub struct Clock {
    /// The capture's time when it last moved by packets, and when that was here.
    base: Option<(Timestamp, Instant)>,
    /// What the analyzer's clock showed last.
    shown: Timestamp,
    /// Since when the octets end in the middle of a record.
    inside: Option<Instant>,
    in_blocks: bool,
}

impl Clock {
    /// A batch came in; the analyzer's clock shows `shown` now. True where something was learnt.
    pub fn heard(&mut self, shown: Timestamp, here: Instant, ends_inside: bool) -> bool {
        if shown != self.shown || self.base.is_none() {
            self.base = Some((shown, here));
            self.shown = shown;
        }
        let waited = self
            .inside
            .is_some_and(|since| here.duration_since(since) >= UNFINISHED);
        self.in_blocks |= waited;
        self.inside = ends_inside.then_some(here);
        waited
    }

    /// The analyzer's clock was told the time, and shows `shown` now.
    pub const fn advanced(&mut self, shown: Timestamp) {
        self.shown = shown;
    }

    /// The time, where it can be told.
    #[must_use]
    pub fn now(&self, here: Instant) -> Option<Timestamp> {
        if self.in_blocks || self.inside.is_some() {
            return None;
        }
        let (time, at) = self.base.filter(|(time, _)| *time != Timestamp::default())?;
        Some(time.plus(here.duration_since(at)))
    }

    /// Whoever writes the capture does so in blocks.
    #[must_use]
    pub const fn is_in_blocks(&self) -> bool {
        self.in_blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_where_packets_come_one_by_one() {
        let (start, mut clock) = (Instant::now(), Clock::default());
        let later = |seconds| start + Duration::from_secs(seconds);
        let at = |seconds| Timestamp::from_parts(seconds, 0);
        assert_eq!(clock.now(start), None);
        clock.heard(at(100), start, false);
        assert_eq!(clock.now(later(7)), Some(at(107)));
        clock.advanced(at(107));
        // Frames that are no mail do not move the analyzer's clock, and do not stop this one.
        clock.heard(at(107), later(8), false);
        assert_eq!(clock.now(later(9)), Some(at(109)));
        clock.heard(at(200), later(10), false);
        assert_eq!(clock.now(later(11)), Some(at(201)));
        // The capture's clock was set back.
        clock.heard(at(50), later(12), false);
        assert_eq!(clock.now(later(13)), Some(at(51)));
    }

    #[test]
    fn silence_in_the_middle_of_a_record_proves_nothing() {
        let (start, mut clock) = (Instant::now(), Clock::default());
        let later = |milliseconds| start + Duration::from_millis(milliseconds);
        clock.heard(Timestamp::from_parts(100, 0), start, true);
        assert_eq!(clock.now(later(10)), None);
        assert!(!clock.heard(Timestamp::from_parts(100, 1), later(20), false));
        assert!(clock.now(later(30)).is_some());
        clock.heard(Timestamp::from_parts(101, 0), later(40), true);
        assert!(clock.heard(Timestamp::from_parts(102, 0), later(1_100), false));
        assert!(clock.is_in_blocks());
        assert_eq!(clock.now(later(9_000)), None);
    }
}
