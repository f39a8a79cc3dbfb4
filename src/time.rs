//! The only clock of the house: the time a capture gives to a frame.
//! Nothing here asks the operating system for the time.

use std::cell::Cell;
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
    #[inline]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanoseconds_since(earlier))
    }

    /// Nanoseconds passed since `earlier`; zero where the capture's clock ran backwards.
    #[must_use]
    #[inline]
    pub const fn nanoseconds_since(self, earlier: Self) -> u64 {
        // The difference of two 64-bit numbers, taken without a sign, is right wherever it is not negative.
        if self.0 > earlier.0 {
            self.0.wrapping_sub(earlier.0).cast_unsigned()
        } else {
            0
        }
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
        Rfc3339::of(self, digits).as_str().to_owned()
    }
}

/// A point in time as RFC 3339 text in UTC, held in place: a report writes dozens for every session, too many for an
/// allocation and a general formatter each. A test holds it against jiff.
#[derive(Clone, Copy)]
pub struct Rfc3339 {
    /// Between quotation marks; what is behind the second one counts for nothing.
    quoted: [u8; QUOTED],
    /// Octets of the text, without the marks.
    length: usize,
}

/// Octets of the longest text between quotation marks.
pub(crate) const QUOTED: usize = 32;
/// Where the fraction of a second begins.
const FRACTION: usize = 21;

impl Rfc3339 {
    /// Writes `time` with `digits` (0 to 9) fractional digits: cut, not rounded.
    #[must_use]
    #[inline]
    pub fn of(time: Timestamp, digits: u8) -> Self {
        let mut quoted = BEGIN;
        let length = quote(time, digits, &mut quoted) - 2;
        Self { quoted, length }
    }

    /// The text, as octets: all of them ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.quoted.get(1..=self.length).unwrap_or_default()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

/// Writes `time` with `digits` (0 to 9) fractional digits, between quotation marks, and tells how many octets that took; what
/// is behind them counts for nothing. Into the place where it stays: to copy it from another would be to wait for each half
/// of it to be written.
#[inline]
pub(crate) fn quote(time: Timestamp, digits: u8, place: &mut [u8; QUOTED]) -> usize {
    let since = LAST_SECOND.with(|last| {
        let (start, text) = last.get();
        *place = text;
        time.0.wrapping_sub(start).cast_unsigned()
    });
    let nanos = match u32::try_from(since) {
        Ok(nanos @ 0..1_000_000_000) => nanos,
        _ => tell_second(time, place),
    };
    let (eight, last) = nine_digits(nanos);
    place[FRACTION..FRACTION + 8].copy_from_slice(&(eight | ZEROS).to_le_bytes());
    place[FRACTION + 8] = b'0' + last;
    let end = match usize::from(digits.min(9)) {
        0 => FRACTION - 1,
        digits => FRACTION + digits,
    };
    place[end] = b'Z';
    place[end + 1] = b'"';
    end + 2
}

thread_local! {
    /// The second told last, by its first nanosecond: nearly always the one that is told next.
    static LAST_SECOND: Cell<Second> = const { Cell::new((0, BEGIN)) };
    /// The seconds told last, each at its place: the times of a session lie close together.
    static LAST_SECONDS: [Cell<Second>; SECONDS] = const { [const { Cell::new((0, BEGIN)) }; SECONDS] };
}

/// Where a second begins or how many there were before it, since 1970, and the second as text between quotation marks.
type Second = (i64, [u8; QUOTED]);

/// Seconds remembered in each thread.
const SECONDS: usize = 8;
/// Nanoseconds of a second.
const NANOSECONDS: i64 = 1_000_000_000;
const BEGIN: [u8; QUOTED] = *b"\"1970-01-01T00:00:00.000000000Z\"";

/// Writes the second of `time`, which becomes the last one, and gives the nanoseconds in it.
#[cold]
#[inline(never)]
fn tell_second(time: Timestamp, place: &mut [u8; QUOTED]) -> u32 {
    let (second, nanos) = (time.seconds(), time.0.rem_euclid(NANOSECONDS));
    LAST_SECONDS.with(|known| {
        let known = &known[second as usize % SECONDS];
        if known.get().0 != second {
            known.set((second, whole_second(second)));
        }
        *place = known.get().1;
    });
    // Neither the first nor the last that there is: the distance from there is not right for every time.
    if let Some(start) = time.0.checked_sub(nanos)
        && start.checked_add(NANOSECONDS).is_some()
    {
        LAST_SECOND.set((start, *place));
    }
    nanos as u32
}

fn whole_second(second: i64) -> [u8; QUOTED] {
    let mut text = BEGIN;
    let (year, month, day) = civil(second.div_euclid(86_400));
    // All of them fit: a timestamp reaches from 1677 to 2262.
    let (year, second) = (year as u32, second.rem_euclid(86_400) as u32);
    two_digits::<1>(&mut text, year / 100);
    two_digits::<3>(&mut text, year % 100);
    two_digits::<6>(&mut text, month as u32);
    two_digits::<9>(&mut text, day as u32);
    two_digits::<12>(&mut text, second / 3600);
    two_digits::<15>(&mut text, second / 60 % 60);
    two_digits::<18>(&mut text, second % 60);
    text
}

/// The digit 0 in each octet.
pub(crate) const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The three digits of each number below 1,000, each in an octet, the first in the lowest.
static THREE_DIGITS: [u32; 1024] = {
    let mut table = [0; 1024];
    let mut number = 0;
    while number < 1000 {
        table[number as usize] = (number / 100) | ((number / 10 % 10) << 8) | ((number % 10) << 16);
        number += 1;
    }
    table
};

const fn three_digits(number: u32) -> u64 {
    THREE_DIGITS[number as usize % 1024] as u64
}

/// The decimal digits of a number below 100,000,000, each in an octet, the first in the lowest; letters with [`ZEROS`].
pub(crate) const fn eight_digits(number: u32) -> u64 {
    let (first, rest) = (number / 1_000_000, number % 1_000_000);
    (three_digits(first) >> 8) | (three_digits(rest / 1000) << 16) | (three_digits(rest % 1000) << 40)
}

/// The same of a number below 1,000,000,000, and its last digit.
pub(crate) const fn nine_digits(number: u32) -> (u64, u8) {
    let (first, rest) = (number / 1_000_000, number % 1_000_000);
    let last = three_digits(rest % 1000);
    let eight = three_digits(first) | (three_digits(rest / 1000) << 24) | (last << 48);
    (eight, (last >> 16) as u8)
}

/// Writes a number below 100 at a place.
fn two_digits<const AT: usize>(text: &mut [u8; QUOTED], number: u32) {
    text[AT] = b'0' + (number / 10) as u8;
    text[AT + 1] = b'0' + (number % 10) as u8;
}

/// Year, month and day of a count of days since 1970-01-01 (proleptic Gregorian calendar): counted in eras of 400 years
/// that begin on 1 March, so that the leap day comes last.
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, next_year) = if month_from_march < 10 {
        (month_from_march + 3, 0)
    } else {
        (month_from_march - 9, 1)
    };
    (year_of_era + era * 400 + next_year, month, day)
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.rfc3339(9))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_jiff_writes_them() {
        let mut state = 88_172_645_463_325_252_u64;
        let edges = [
            i64::MIN,
            i64::MAX,
            i64::MIN,
            0,
            i64::MAX,
            -1,
            951_782_400_000_000_000,
            1_709_164_800_123_456_789,
        ];
        let random = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.cast_signed()
        });
        for (count, nanoseconds) in edges.into_iter().chain(random.take(20_000)).enumerate() {
            let digits = count % 10;
            let expected = jiff::Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap();
            let whole = expected.as_nanosecond().div_euclid(1_000_000_000);
            if digits == 0 || whole < 0 {
                // jiff cuts towards zero before 1970; we always cut towards the past.
                let cut = jiff::Timestamp::from_second(i64::try_from(whole).unwrap()).unwrap();
                assert_eq!(Timestamp(nanoseconds).rfc3339(0), format!("{cut:.0}"), "{nanoseconds}");
            } else {
                let text = Timestamp(nanoseconds).rfc3339(u8::try_from(digits).unwrap());
                assert_eq!(text, format!("{expected:.digits$}"), "{nanoseconds}");
            }
        }
    }
}
