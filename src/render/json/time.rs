//! Points in time and lengths of time as JSON shows them, written without an allocation: a session holds dozens.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::render::json::number::{self, decimal};
use crate::render::json::schema::schema_like;
use crate::render::json::writer::ToJson;
use crate::time::{QUOTED, Rfc3339, Timestamp, quote};

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
        let start = json.len();
        json.extend_from_slice(&[0; QUOTED]);
        if let Some(place) = json.last_chunk_mut() {
            let length = quote(self.at, self.digits, place);
            json.truncate(start + length);
        }
    }
}

/// Octets of the fields of [`when`] at most.
const WHEN: usize = 21 + 2 * 8 + QUOTED;

/// Appends `,"frames":[…],"time":…`: what every command, reply and piece of proof has, nearly always of one frame. In one
/// step, for a session has a dozen.
pub(super) fn when(frames: (u64, u64), time: Time, json: &mut Vec<u8>) {
    let Some((digits, length)) = number::same(frames) else {
        json.extend_from_slice(b",\"frames\":");
        frames.append(json);
        json.extend_from_slice(b",\"time\":");
        return time.append(json);
    };
    let start = json.len();
    json.extend_from_slice(&[0; WHEN]);
    let Some(place) = json.last_chunk_mut::<WHEN>() else {
        return;
    };
    // Of the digits, too, eight octets are written, and over those that are none what comes next.
    let mut at = 0;
    let mut put = |octets: &[u8], length: usize| {
        place[at..at + octets.len()].copy_from_slice(octets);
        at += length;
    };
    put(b",\"frames\":[", 11);
    put(&digits, length);
    put(b",", 1);
    put(&digits, length);
    put(b"],\"time\":", 9);
    if let Some(place) = place.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        let length = quote(time.at, time.digits, place);
        json.truncate(start + at + length);
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
            _ => append_rare(*self, json),
        }
    }
}

/// Apart, for what a floating-point number needs would be made ready for each plain one, too.
#[cold]
#[inline(never)]
fn append_rare(seconds: Seconds, json: &mut Vec<u8>) {
    seconds.number().append(json);
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
    fn frames_and_time_are_written_as_each_is() {
        let mut number = 1_u64;
        for step in 0..20_000_u64 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let first = if step == 0 { 0 } else { number >> (step % 64) };
            let frames = (first, first.saturating_add(u64::from(step % 9 == 0)));
            let time = Time {
                at: Timestamp::from_nanoseconds(number.rotate_left(17).cast_signed()),
                digits: (step % 11) as u8,
            };
            let (mut ours, mut theirs) = (b"x".to_vec(), b"x,\"frames\":".to_vec());
            when(frames, time, &mut ours);
            frames.append(&mut theirs);
            theirs.extend_from_slice(b",\"time\":");
            theirs.extend(serde_json::to_vec(&time).unwrap());
            assert_eq!(
                String::from_utf8(ours),
                String::from_utf8(theirs),
                "{frames:?} {time:?}"
            );
        }
    }

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
