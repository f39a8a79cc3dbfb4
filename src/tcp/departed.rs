//! Remembers connections that were handed out before their late segments could arrive ([`Limits::report_after`], or too
//! many lingered), so that a retransmission does not open them again. Bounded; the oldest leave first. New octets are none
//! of its business: they open a connection that began late, for sight must not be lost after a forged reset.
//!
//! [`Limits::report_after`]: super::Limits::report_after

use std::collections::VecDeque;
use std::time::Duration;

use crate::packet::{Flags, Key, Segment};
use crate::tcp::key::KeptKey;
use crate::tcp::sequence::distance;
use crate::time::Timestamp;

/// Where the two directions of a connection had come to when it was handed out.
pub(super) struct Departed {
    pub key: KeptKey,
    /// Behind the last octet, SYN or FIN of the lower and of the higher endpoint; `None` where nothing was seen of it.
    pub highest: [Option<u32>; 2],
    pub at: Timestamp,
    pub wait: Duration,
}

impl Departed {
    fn is_waiting(&self, now: Timestamp) -> bool {
        now.since(self.at) <= self.wait
    }
}

/// In the order in which they left. Nothing leads to one of them but a look at all their hashes: connections leave all the
/// time, and late segments of them are rare.
#[derive(Default)]
pub(super) struct Departures {
    known: VecDeque<Departed>,
    /// One for each, of its key as the table's index has it.
    hashes: VecDeque<u32>,
}

impl Departures {
    /// Remembers a connection; at most `room` of them.
    pub fn add(&mut self, departed: Departed, hash: u32, room: usize) {
        while self.known.len() >= room.max(1) {
            self.forget_oldest();
        }
        self.known.push_back(departed);
        self.hashes.push_back(hash);
    }

    /// Forgets those whose time is over.
    pub fn sweep(&mut self, now: Timestamp) {
        let is_over = |departed: &Departed| !departed.is_waiting(now) || departed.at > now;
        while self.known.front().is_some_and(is_over) {
            self.forget_oldest();
        }
    }

    /// True where the segment, whose key has this hash, is a late one of a connection that was handed out: no new octet, no
    /// new SYN.
    #[inline]
    pub fn is_late(&self, segment: &Segment<'_>, hash: u32, now: Timestamp) -> bool {
        // Nearly always it is the SYN of a new connection.
        !segment.flags.has(Flags::SYN) && !self.known.is_empty() && self.is_late_of_known(segment, hash, now)
    }

    fn is_late_of_known(&self, segment: &Segment<'_>, hash: u32, now: Timestamp) -> bool {
        let flow = &segment.flow;
        let Some(known) = self.find(&flow.key, hash).filter(|known| known.is_waiting(now)) else {
            return false;
        };
        if segment.flags.has(Flags::RST) || segment.payload_length == 0 {
            return true;
        }
        let end = segment.sequence.wrapping_add(segment.payload_length);
        let highest = known.highest.get(usize::from(!flow.source_is_low)).copied().flatten();
        highest.is_some_and(|highest| distance(end, highest) >= 0)
    }

    /// The last one with these ports.
    fn find(&self, key: &Key, hash: u32) -> Option<&Departed> {
        let places = self
            .hashes
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, known)| **known == hash);
        let mut known = places.filter_map(|(place, _)| self.known.get(place));
        known.find(|known| known.key.is(key))
    }

    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.known.len().max(self.hashes.len())
    }

    fn forget_oldest(&mut self) {
        self.known.pop_front();
        self.hashes.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Endpoint, Flow};
    use crate::tcp::tests::{client, with};

    fn time(seconds: i64) -> Timestamp {
        Timestamp::from_nanoseconds(seconds * 1_000_000_000)
    }

    fn departed(key: Key, end: u32, at: Timestamp) -> Departed {
        Departed {
            key: KeptKey::of(key),
            highest: [Some(end); 2],
            at,
            wait: Duration::from_secs(2),
        }
    }

    fn key(port: u16) -> Key {
        let end = |address: &str, port| Endpoint {
            address: address.parse().unwrap(),
            port,
        };
        Flow::of(&end("192.0.2.1", port), &end("198.51.100.7", 25)).key
    }

    #[test]
    fn ports_that_ended_twice_are_where_they_came_to_last() {
        let mut departures = Departures::default();
        let segment = client(0, 0, b"QUIT\r\n");
        let key = segment.flow.key;
        let end = segment.sequence + segment.payload_length;
        departures.add(departed(key, end - 1, time(1)), 7, 3);
        assert!(!departures.is_late(&segment, 7, time(1)), "a new octet");
        departures.add(departed(key, end, time(2)), 7, 3);
        assert!(departures.is_late(&segment, 7, time(4)));
        assert!(!departures.is_late(&with(Flags::SYN, segment), 7, time(4)));
        assert!(!departures.is_late(&segment, 7, time(5)), "its time is over");
        // The older of the two is forgotten without the newer.
        departures.sweep(time(4));
        assert!(departures.is_late(&segment, 7, time(4)));
    }

    #[test]
    fn the_oldest_is_forgotten_where_there_are_too_many() {
        let mut departures = Departures::default();
        for port in 0..100 {
            departures.add(departed(key(port), 0, time(1)), 7, 3);
            assert!(departures.remembered() <= 3);
        }
        let known = |port| departures.find(&key(port), 7).is_some();
        assert_eq!([96, 97, 98, 99].map(known), [false, true, true, true]);
        departures.sweep(time(9));
        assert_eq!(departures.remembered(), 0);
    }
}
