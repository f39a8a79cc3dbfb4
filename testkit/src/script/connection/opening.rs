//! How a connection opens, or does not: RFC 9293 section 3.5, with lost SYNs, refusals and half-open ends.

use super::{Connection, SECOND, Shot, THINKING};
use crate::frame::{ACK, RST, SYN};
use crate::script::Side;

impl Connection {
    pub(super) fn syns(&mut self, count: u32) {
        let sequence = self.ends[0].next;
        for attempt in 0..count {
            if attempt > 0 {
                self.time += SECOND << (attempt - 1).min(6);
            }
            self.transmit(Side::Client, Shot::new(sequence, SYN, &[]), self.time);
        }
        self.ends[0].next = sequence.wrapping_add(1);
        self.last_actor = Some(Side::Client);
        self.arrival = self.time + self.settings.latency;
    }

    pub(super) fn syn_ack(&mut self) {
        self.ends[1].received = self.ends[0].next;
        let sequence = self.ends[1].next;
        self.time = self.arrival + THINKING / 2;
        self.transmit(Side::Server, Shot::new(sequence, SYN | ACK, &[]), self.time);
        self.arrival = self.time + self.settings.latency;
    }

    pub(super) fn handshake(&mut self, lost: u32) {
        self.syns(lost + 1);
        self.syn_ack();
        self.ends[1].next = self.ends[1].next.wrapping_add(1);
        self.ends[0].received = self.ends[1].next;
        self.time = self.arrival + THINKING / 4;
        let sequence = self.ends[0].next;
        self.transmit(Side::Client, Shot::new(sequence, ACK, &[]), self.time);
        self.last_actor = Some(Side::Client);
        self.arrival = self.time + self.settings.latency;
    }

    pub(super) fn refuse(&mut self) {
        self.syns(1);
        self.ends[1].received = self.ends[0].next;
        self.time = self.arrival + THINKING / 4;
        self.transmit(Side::Server, Shot::new(0, RST | ACK, &[]), self.time);
        self.arrival = self.time + self.settings.latency;
        self.reset = true;
    }

    pub(super) fn half_open(&mut self, answers: u32) {
        self.syns(1);
        self.syn_ack();
        let sequence = self.ends[1].next;
        for attempt in 1..answers {
            self.time += SECOND << (attempt - 1).min(6);
            self.transmit(Side::Server, Shot::new(sequence, SYN | ACK, &[]), self.time);
        }
    }
}
