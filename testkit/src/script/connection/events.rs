//! Everything on a connection that is not a payload: FIN, RST, ICMP errors, windows, probes, odd segments.

use super::{Connection, MICROSECOND, SECOND, Shot};
use crate::container::TimedFrame;
use crate::frame::{ACK, FIN, PSH, RST, SYN, icmp_error};
use crate::script::Side;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

impl Connection {
    /// One end closes its direction.
    pub fn fin(&mut self, side: Side) {
        self.turn(side);
        let sequence = self.ends[side as usize].next;
        self.transmit(side, Shot::new(sequence, FIN | ACK, &[]), self.time);
        self.deliver(side, sequence, 1);
        let end = &mut self.ends[side as usize];
        end.next = sequence.wrapping_add(1);
        end.finished = true;
        self.arrival = self.time + self.settings.latency;
    }

    /// One end (or somebody in its name) resets the connection.
    pub fn abort(&mut self, side: Side, ttl: Option<u8>, acknowledges: bool, out_of_window: bool) {
        self.turn(side);
        let offset = if out_of_window { 50_000_000 } else { 0 };
        let sequence = self.ends[side as usize].next.wrapping_add(offset);
        let mut shot = Shot::new(sequence, RST | if acknowledges { ACK } else { 0 }, &[]);
        shot.ttl = ttl;
        self.transmit(side, shot, self.time);
        self.arrival = self.time + self.settings.latency;
        if !out_of_window {
            self.reset = true;
            self.ends[0].acknowledgment_due = None;
            self.ends[1].acknowledgment_due = None;
        }
    }

    /// A router answers the last packet of `toward` with an ICMP error.
    pub fn icmp(&mut self, toward: Side, kind: u8, code: u8, mtu: u32) {
        self.turn(toward.other());
        self.route_icmp(toward, kind, code, mtu);
        self.arrival = self.time + self.settings.latency;
    }

    pub(super) fn too_big(&mut self, side: Side, mtu: u32) {
        if self.beyond(side) {
            return;
        }
        let (kind, code) = if self.header.client.is_ipv6() { (2, 0) } else { (3, 4) };
        self.route_icmp(side, kind, code, mtu);
    }

    pub(super) fn route_icmp(&mut self, toward: Side, kind: u8, code: u8, mtu: u32) {
        let router = match self.header.client.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1)),
        };
        let offending = self.ends[toward as usize].last_packet.clone();
        let quote = if router.is_ipv6() { 1232 } else { 548 };
        let packet = icmp_error(router, &offending, kind, code, mtu, quote);
        let shot = Shot::new(0, ACK, &[]);
        let carrier = self.segment(toward.other(), shot, self.time);
        let frame = TimedFrame::new(
            self.time + self.delay(toward.other()) + 3 * MICROSECOND,
            carrier.wrap(&packet),
        );
        if !self.settings.hidden {
            self.capture(toward.other(), frame, false);
        }
    }

    /// One end announces a window of so many bytes.
    pub fn window(&mut self, side: Side, bytes: u32) {
        self.turn(side);
        let window = (bytes >> 7).max(u32::from(bytes > 0));
        self.ends[side as usize].window = window.min(65_535) as u16;
        self.acknowledge(side);
    }

    /// A bare acknowledgment.
    pub fn acknowledge(&mut self, side: Side) {
        if self.last_actor != Some(side) {
            self.turn(side);
        }
        let sequence = self.ends[side as usize].next;
        self.transmit(side, Shot::new(sequence, ACK, &[]), self.time);
        self.arrival = self.time + self.settings.latency;
    }

    /// Keep-alives or window probes: an empty segment one byte back, answered unless told otherwise.
    pub fn probe(&mut self, side: Side, times: u32, every: i64, answered: bool) {
        for attempt in 0..times {
            if attempt > 0 {
                self.wait(every);
            }
            self.turn(side);
            let sequence = self.ends[side as usize].next.wrapping_sub(1);
            self.transmit(side, Shot::new(sequence, ACK, &[]), self.time);
            self.arrival = self.time + self.settings.latency;
            if answered {
                self.ends[side.other() as usize].acknowledgment_due = Some(self.arrival + 20 * MICROSECOND);
                self.flush(side.other());
            }
        }
    }

    /// Sends this end's last data again though it arrived.
    pub fn retransmit(&mut self, side: Side, times: u32, every: i64) -> bool {
        let Some((sequence, payload)) = self.ends[side as usize].last_data.clone() else {
            return false;
        };
        for _ in 0..times {
            self.wait(every);
            self.transmit(side, Shot::new(sequence, ACK | PSH, &payload), self.time);
            self.arrival = self.time + self.settings.latency;
            let due = self.arrival + 20 * MICROSECOND;
            self.ends[side.other() as usize].acknowledgment_due = Some(due);
            self.last_actor = Some(side);
        }
        true
    }

    /// Sends other bytes at the place of this end's last data.
    pub fn conflict(&mut self, side: Side, bytes: &[u8]) -> bool {
        let Some((sequence, _)) = self.ends[side as usize].last_data.clone() else {
            return false;
        };
        self.turn(side);
        self.transmit(side, Shot::new(sequence, ACK | PSH, bytes), self.time);
        self.arrival = self.time + self.settings.latency;
        true
    }

    /// SYNs in the middle of the connection, with another sequence number.
    pub fn syn_again(&mut self, side: Side, times: u32) {
        self.turn(side);
        let sequence = self.ends[side as usize].next.wrapping_add(70_000_000);
        for attempt in 0..times {
            if attempt > 0 {
                self.time += SECOND << (attempt - 1).min(6);
            }
            self.transmit(side, Shot::new(sequence, SYN, &[]), self.time);
        }
        self.arrival = self.time + self.settings.latency;
    }
}
