//! The list of records: the first and the last of a connection, 16 octets each.

use crate::frame::FrameNumber;
use crate::protocol::tls::facts::{ContentType, FIRST_RECORDS, LAST_RECORDS, Record};
use crate::span::{Direction, Stamp};
use crate::time::Timestamp;

/// The last frame number that a listed record can have: more than a trillion, which no capture reaches.
const LAST_FRAME: u64 = (1 << 40) - 1;
/// Room for so many records at first: a refused handshake has fewer, any other more.
const FEW: usize = 8;

/// [`FIRST_RECORDS`], and behind them the last ones in the order of their coming, round and round.
#[derive(Default)]
pub(super) struct Listing {
    kept: Vec<Listed>,
    /// Records that came behind the first ones.
    later: u64,
}

/// A [`Record`].
#[derive(Clone, Copy)]
struct Listed {
    time: Timestamp,
    frame: [u8; 5],
    /// Content type, a bit for the server as sender, a bit for encryption.
    kind: u8,
    length: u16,
}

// A long mail has sixty of them, and thousands of mails are on their way at once.
const _: () = assert!(size_of::<Listed>() == 16);

/// Bits of [`Listed::kind`]; those below are the content type, 20 to 24.
const BY_SERVER: u8 = 1 << 5;
const ENCRYPTED: u8 = 1 << 6;

impl Listing {
    /// Appends a record.
    #[inline]
    pub(super) fn push(&mut self, record: Record) {
        let listed = Listed::of(record);
        if self.kept.len() < FIRST_RECORDS {
            if self.kept.capacity() == 0 {
                self.kept.reserve_exact(FEW);
            }
            self.kept.push(listed);
        } else {
            self.push_later(listed);
        }
    }

    fn push_later(&mut self, listed: Listed) {
        let place = FIRST_RECORDS + self.place();
        match self.kept.get_mut(place) {
            Some(oldest) => *oldest = listed,
            None => {
                self.kept.reserve_exact(FIRST_RECORDS + LAST_RECORDS - place);
                self.kept.push(listed);
            }
        }
        self.later = self.later.saturating_add(1);
    }

    /// Where the next of the later records has its place among them.
    const fn place(&self) -> usize {
        (self.later % LAST_RECORDS as u64) as usize
    }

    /// The first records, then the last ones; how many are missing between them.
    pub(super) fn told(&self) -> (Vec<Record>, u64) {
        let (first, last) = self.kept.split_at_checked(FIRST_RECORDS).unwrap_or((&self.kept, &[]));
        let oldest = if last.len() == LAST_RECORDS { self.place() } else { 0 };
        let (newer, older) = last.split_at_checked(oldest).unwrap_or((last, &[]));
        let records = [first, older, newer].into_iter().flatten().map(|one| one.record());
        (records.collect(), self.later.saturating_sub(last.len() as u64))
    }

    /// Octets of memory in use.
    pub(super) const fn weight(&self) -> usize {
        self.kept.capacity() * size_of::<Listed>()
    }
}

impl Listed {
    #[inline]
    fn of(record: Record) -> Self {
        let [frame @ .., _, _, _] = record.stamp.frame.0.min(LAST_FRAME).to_le_bytes();
        let by_server = if record.direction == Direction::ToClient {
            BY_SERVER
        } else {
            0
        };
        let encrypted = if record.encrypted { ENCRYPTED } else { 0 };
        Self {
            time: record.stamp.time,
            frame,
            kind: record.content.octet() | by_server | encrypted,
            length: record.length,
        }
    }

    const fn record(&self) -> Record {
        let [a, b, c, d, e] = self.frame;
        Record {
            direction: if self.kind & BY_SERVER == 0 {
                Direction::ToServer
            } else {
                Direction::ToClient
            },
            content: ContentType::from_octet(self.kind & (BY_SERVER - 1)),
            length: self.length,
            encrypted: self.kind & ENCRYPTED != 0,
            stamp: Stamp {
                frame: FrameNumber(u64::from_le_bytes([a, b, c, d, e, 0, 0, 0])),
                time: self.time,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: usize) -> Record {
        Record {
            direction: Direction::BOTH[number % 2],
            content: ContentType::from_octet(20 + (number % 5) as u8),
            length: 18_432 - number as u16,
            encrypted: number.is_multiple_of(3),
            stamp: Stamp {
                frame: FrameNumber(LAST_FRAME - number as u64),
                time: Timestamp::from_nanoseconds(7 - number as i64),
            },
        }
    }

    #[test]
    fn the_first_and_the_last_come_out_as_they_went_in() {
        for count in [
            0,
            1,
            FIRST_RECORDS,
            FIRST_RECORDS + 1,
            FIRST_RECORDS + LAST_RECORDS,
            81,
            95,
            96,
            97,
            1000,
        ] {
            let mut listing = Listing::default();
            let all: Vec<Record> = (0..count).map(record).collect();
            for one in &all {
                listing.push(*one);
            }
            let (first, later) = all.split_at(count.min(FIRST_RECORDS));
            let missing = later.len().saturating_sub(LAST_RECORDS);
            let expected = [first, &later[missing..]].concat();
            assert_eq!(listing.told(), (expected, missing as u64), "{count}");
            assert!(listing.weight() <= (FIRST_RECORDS + LAST_RECORDS) * size_of::<Listed>());
        }
    }
}
