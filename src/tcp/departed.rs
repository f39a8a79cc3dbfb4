//! Remembers connections that were handed out before their late segments could arrive ([`Limits::report_after`]), so that
//! a retransmission does not open them again. Bounded; the oldest leave first. New octets are none of its business: they
//! open a connection that began late, for sight must not be lost after a forged reset.
//!
//! [`Limits::report_after`]: super::Limits::report_after

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use foldhash::quality::RandomState;

use crate::packet::{Flags, Key, Segment};
use crate::tcp::sequence::distance;
use crate::time::Timestamp;

/// Where the two directions of a connection had come to when it was handed out.
#[derive(Clone, Copy)]
pub(super) struct Departed {
    /// Behind the last octet, SYN or FIN of the lower and of the higher endpoint; `None` where nothing was seen of it.
    pub highest: [Option<u32>; 2],
    pub at: Timestamp,
    pub wait: Duration,
}

#[derive(Default)]
pub(super) struct Departures {
    known: HashMap<Key, Departed, RandomState>,
    order: VecDeque<(Key, Timestamp)>,
}

impl Departures {
    /// Remembers a connection; at most `room` of them.
    pub fn add(&mut self, key: Key, departed: Departed, room: usize) {
        while self.order.len() >= room.max(1) {
            self.forget_oldest();
        }
        self.order.push_back((key, departed.at));
        self.known.insert(key, departed);
    }

    /// Forgets those whose time is over.
    pub fn sweep(&mut self, now: Timestamp) {
        while let Some((key, at)) = self.order.front() {
            let wait = self.known.get(key).filter(|known| known.at == *at);
            if wait.is_some_and(|known| now.since(*at) <= known.wait && *at <= now) {
                break;
            }
            self.forget_oldest();
        }
    }

    /// True where the segment is a late one of a connection that was handed out: no new octet, no new SYN.
    pub fn is_late(&self, segment: &Segment<'_>, key: &Key, source_is_low: bool, now: Timestamp) -> bool {
        if self.known.is_empty() {
            return false;
        }
        let Some(known) = self.known.get(key).filter(|known| now.since(known.at) <= known.wait) else {
            return false;
        };
        if segment.flags.has(Flags::SYN) {
            return false;
        }
        if segment.flags.has(Flags::RST) || segment.payload_length == 0 {
            return true;
        }
        let end = segment.sequence.wrapping_add(segment.payload_length);
        let highest = known.highest.get(usize::from(!source_is_low)).copied().flatten();
        highest.is_some_and(|highest| distance(end, highest) >= 0)
    }

    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.known.len().max(self.order.len())
    }

    fn forget_oldest(&mut self) {
        if let Some((key, at)) = self.order.pop_front()
            && self.known.get(&key).is_some_and(|known| known.at == at)
        {
            self.known.remove(&key);
        }
    }
}
