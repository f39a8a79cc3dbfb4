//! Points in time and lengths of time as JSON shows them, written without an allocation: a session holds dozens.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::render::json::number::decimal;
use crate::render::json::schema::schema_like;
use crate::render::json::writer::ToJson;
use crate::time::{Rfc3339, Timestamp};

/// RFC 3339 in UTC with the capture's precision.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// The point in time.
    pub at: Timestamp,
    /// Fractional digits.
    pub digits: u8,
}

impl ToJson for Time {
    #[inline(never)]
    fn append(&self, json: &mut Vec<u8>) {
        Rfc3339::of(self.at, self.digits).append_quoted(json);
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Rfc3339::of(self.at, self.digits).as_str())
    }
}

schema_like!(Time is String);

/// A length of time in seconds, as precise as nanoseconds.
#[derive(Clone, Copy, Default, Debug)]
pub struct Seconds(pub Duration);

impl Seconds {
    fn number(self) -> f64 {
        (self.0.as_secs_f64() * 1e9).round() / 1e9
    }
}

/// From a millisecond on no exponent is written.
const FIRST_PLAIN: u32 = 1_000_000;
/// Below these seconds every nanosecond is told from the next.
const FIRST_ROUGH: u64 = 1_000_000;

impl ToJson for Seconds {
    fn append(&self, json: &mut Vec<u8>) {
        match (self.0.as_secs(), self.0.subsec_nanos()) {
            (0, nanoseconds @ FIRST_PLAIN..) => decimal(0, nanoseconds, json),
            (seconds @ 1..FIRST_ROUGH, nanoseconds) => decimal(seconds, nanoseconds, json),
            // Nobody waited: one in every second session.
            (0, 0) => json.extend_from_slice(b"0.0"),
            _ => self.number().append(json),
        }
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.number())
    }
}

schema_like!(Seconds is f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_written_as_the_number_is() {
        let mut nanos = 1_u64;
        for step in 0..20_000_u64 {
            // Numbers of every length, with and without zeros at the end.
            nanos = nanos
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let number =
                ((nanos >> (step % 50)) / 10_u64.pow((step % 10) as u32)).saturating_mul(10_u64.pow((step % 7) as u32));
            let seconds = Seconds(Duration::from_nanos(if step == 0 { 0 } else { number }));
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            seconds.append(&mut ours);
            seconds.number().append(&mut theirs);
            assert_eq!(String::from_utf8(ours), String::from_utf8(theirs), "{number}");
        }
    }
}
