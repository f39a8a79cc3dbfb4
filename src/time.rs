//! The only clock of the house: the time a capture gives to a frame.
//! Nothing here asks the operating system for the time.

use std::fmt;
use std::time::Duration;

/// A point in time from the capture, in nanoseconds since 1970-01-01T00:00:00Z.
///
/// Covers the years 1678 to 2261; a capture that claims more is clamped by the reader, which notes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest time that can be said.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest time that can be said.
    pub const MAX: Self = Self(i64::MAX);

    /// Nanoseconds since the epoch; negative before 1970.
    #[must_use]
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// Whole seconds and nanoseconds since the epoch; saturates at the ends of the range.
    #[must_use]
    pub const fn from_parts(seconds: i64, nanoseconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds))
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// Time passed since `earlier`; zero where the capture's clock ran backwards.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let nanoseconds = i128::from(self.0) - i128::from(earlier.0);
        u64::try_from(nanoseconds.max(0)).map_or(Duration::MAX, Duration::from_nanos)
    }

    /// This time plus a duration; saturates.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let nanoseconds = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(nanoseconds))
    }

    /// RFC 3339 in UTC with `digits` (0 to 9) fractional digits, the capture's precision.
    #[must_use]
    pub fn rfc3339(self, digits: u8) -> String {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(time) => format!("{time:.*}", usize::from(digits.min(9))),
            Err(_) => format!("{}ns", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.rfc3339(9))
    }
}
