//! Packets of several interfaces → one row by time.
//!
//! Each interface hands over blocks of packets, up to [`HOLD`] late, so packets wait that long (by the monotonic clock:
//! a jump of the other one must not hold them for an hour) and then go out with all that are not later.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use smtpcap_pcapng::Packet;

use crate::output::Output;

/// How long a packet waits for earlier ones of other interfaces.
pub const HOLD: Duration = Duration::from_millis(100);
/// Octets that wait at most; beyond, they go out in the order there is.
const MOST: usize = 64 * 1024 * 1024;

struct Waiting {
    nanoseconds: u64,
    original_length: u32,
    length: usize,
}

/// The packets of one interface that wait; their octets lie in a row.
#[derive(Default)]
struct Row {
    packets: VecDeque<Waiting>,
    octets: VecDeque<u8>,
}

/// The packets of all interfaces that wait.
pub struct Merge {
    rows: Vec<Row>,
    /// When packets arrived, and the latest time among them.
    arrived: VecDeque<(Instant, u64)>,
    octets: usize,
}

impl Merge {
    /// For so many interfaces.
    pub fn new(interfaces: usize) -> Self {
        Self {
            rows: (0..interfaces).map(|_| Row::default()).collect(),
            arrived: VecDeque::new(),
            octets: 0,
        }
    }

    /// Keeps a packet.
    pub fn push(&mut self, packet: &Packet<'_>, arrived: Instant) {
        let Some(row) = self.rows.get_mut(packet.interface as usize) else {
            return;
        };
        row.packets.push_back(Waiting {
            nanoseconds: packet.nanoseconds,
            original_length: packet.original_length,
            length: packet.bytes.len(),
        });
        row.octets.extend(packet.bytes);
        self.octets = self.octets.saturating_add(packet.bytes.len());
        match self.arrived.back_mut() {
            Some((when, latest)) if *when == arrived => *latest = (*latest).max(packet.nanoseconds),
            _ => self.arrived.push_back((arrived, packet.nanoseconds)),
        }
    }

    /// Whether any packet waits.
    pub fn is_empty(&self) -> bool {
        self.arrived.is_empty()
    }

    /// Lets out what has waited long enough at `now`.
    pub fn release(&mut self, now: Instant, output: &mut Output) {
        if self.octets > MOST {
            self.release_all(output);
            return;
        }
        let mut until = None;
        while let Some((when, latest)) = self.arrived.front() {
            if now.saturating_duration_since(*when) < HOLD {
                break;
            }
            until = until.max(Some(*latest));
            self.arrived.pop_front();
        }
        if let Some(until) = until {
            self.emit(until, output);
        }
    }

    /// Lets out everything.
    pub fn release_all(&mut self, output: &mut Output) {
        self.arrived.clear();
        self.emit(u64::MAX, output);
    }

    /// Writes the packets up to a time, the earliest of all rows first.
    fn emit(&mut self, until: u64, output: &mut Output) {
        loop {
            let heads = self.rows.iter().enumerate();
            let earliest = heads
                .filter_map(|(index, row)| Some((row.packets.front()?.nanoseconds, index)))
                .min();
            let Some((_, index)) = earliest.filter(|(nanoseconds, _)| *nanoseconds <= until) else {
                return;
            };
            let Some(row) = self.rows.get_mut(index) else { return };
            let Some(packet) = row.packets.pop_front() else { return };
            let bytes = row.octets.make_contiguous().get(..packet.length).unwrap_or_default();
            output.blocks.packet(&Packet {
                interface: u32::try_from(index).unwrap_or(u32::MAX),
                nanoseconds: packet.nanoseconds,
                bytes,
                original_length: packet.original_length,
                comment: None,
            });
            output.write_when_full();
            row.octets.drain(..packet.length);
            self.octets = self.octets.saturating_sub(packet.length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(interface: u32, nanoseconds: u64) -> Packet<'static> {
        Packet {
            interface,
            nanoseconds,
            bytes: b"0123",
            original_length: 4,
            comment: None,
        }
    }

    /// The times of the packets in the output, by interface.
    fn written(output: &Output) -> Vec<(u32, u64)> {
        let word = |block: &[u8], at: usize| u32::from_le_bytes(block[at..at + 4].try_into().unwrap());
        output
            .blocks
            .octets()
            .chunks(36)
            .map(|block| (word(block, 8), u64::from(word(block, 16))))
            .collect()
    }

    #[test]
    fn packets_go_out_by_time_and_not_before_they_waited() {
        let mut merge = Merge::new(2);
        let mut output = Output::new();
        let start = Instant::now();
        for (interface, time) in [(0, 10), (0, 30), (1, 20), (1, 40)] {
            merge.push(&packet(interface, time), start);
        }
        merge.push(&packet(0, 50), start + HOLD / 2);
        merge.release(start + HOLD / 4, &mut output);
        assert!(output.blocks.is_empty());
        merge.release(start + HOLD, &mut output);
        assert_eq!(written(&output), [(0, 10), (1, 20), (0, 30), (1, 40)]);
        merge.release_all(&mut output);
        assert_eq!(written(&output).last(), Some(&(0, 50)));
        assert!(merge.is_empty());
    }

    #[test]
    fn a_clock_that_jumps_back_holds_nothing() {
        let mut merge = Merge::new(2);
        let mut output = Output::new();
        let start = Instant::now();
        merge.push(&packet(0, 1_000_000), start);
        merge.push(&packet(0, 10), start + HOLD);
        merge.release(start + HOLD, &mut output);
        merge.release(start + HOLD * 2, &mut output);
        assert_eq!(written(&output), [(0, 1_000_000), (0, 10)]);
    }
}
