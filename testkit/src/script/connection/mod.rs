//! Plays one TCP connection: sequence numbers, acknowledgments (with SACK and timestamps), loss, retransmission, the
//! capture point; out come captured frames. RFC 9293, RFC 7323, RFC 2018. Must not know what the payload means.

mod events;
mod opening;
mod wire;

use super::Side;
use super::plan::{CapturePoint, Delivery, Header, Opening, Settings};
use crate::bytes::Noise;
use crate::container::TimedFrame;
use crate::frame::{ACK, PSH};
use std::net::SocketAddr;

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;
/// An end answers this long after something arrived.
const THINKING: i64 = 200 * MICROSECOND;
/// First retransmission time-out.
const TIMEOUT: i64 = 300 * MILLISECOND;
/// Segments sent before waiting for an acknowledgment.
const BURST: usize = 10;

#[derive(Debug, Clone)]
struct End {
    socket: SocketAddr,
    next: u32,
    received: u32,
    out_of_order: Vec<(u32, u32)>,
    window: u16,
    ttl: u8,
    identification: u16,
    acknowledgment_due: Option<i64>,
    clock_base: u32,
    peer_clock: u32,
    finished: bool,
    last_data: Option<(u32, Vec<u8>)>,
    last_packet: Vec<u8>,
}

/// A segment to send, before it has addresses.
struct Shot {
    sequence: u32,
    flags: u8,
    payload: Vec<u8>,
    ttl: Option<u8>,
    acknowledges: bool,
    visible: bool,
}

impl Shot {
    fn new(sequence: u32, flags: u8, payload: &[u8]) -> Shot {
        Shot {
            sequence,
            flags,
            payload: payload.to_vec(),
            ttl: None,
            acknowledges: flags & ACK != 0,
            visible: true,
        }
    }
}

/// One connection under way.
pub(crate) struct Connection {
    header: Header,
    /// What holds for the next frames.
    pub settings: Settings,
    ends: [End; 2],
    start: i64,
    time: i64,
    arrival: i64,
    last_actor: Option<Side>,
    opened: bool,
    /// A reset ended it.
    pub reset: bool,
    /// The next data frame is captured twice.
    pub duplicate_next: bool,
    /// The next data frame changes places with the one after it.
    pub reorder_next: bool,
    /// Of the next payload, segments from this one on (counted from 1) are lost and so often retransmitted.
    pub lose_next: Option<(usize, u32)>,
    held: Option<(Side, TimedFrame)>,
    frames: Vec<TimedFrame>,
}

impl Connection {
    pub fn new(header: &Header, settings: Settings, start: i64, seed: u64) -> Connection {
        let numbers = Noise::new(seed.wrapping_add(77)).bytes(16);
        let word = |at: usize| u32::from_be_bytes([numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]]);
        let end = |side: Side, socket: SocketAddr| End {
            socket,
            next: word(side as usize * 4) | 0x0100_0000,
            received: 0,
            out_of_order: Vec::new(),
            window: 502,
            ttl: header.ttl[side as usize],
            identification: word(8 + side as usize * 2) as u16,
            acknowledgment_due: None,
            clock_base: 1_000_000 + word(8) % 1_000_000 + 5_000_000 * side as u32,
            peer_clock: 0,
            finished: false,
            last_data: None,
            last_packet: Vec::new(),
        };
        Connection {
            ends: [end(Side::Client, header.client), end(Side::Server, header.server)],
            header: header.clone(),
            settings,
            start,
            time: start,
            arrival: start,
            last_actor: None,
            opened: false,
            reset: false,
            duplicate_next: false,
            reorder_next: false,
            lose_next: None,
            held: None,
            frames: Vec::new(),
        }
    }

    /// Latest time anything happened.
    pub fn end_time(&self) -> i64 {
        self.time.max(self.arrival)
    }

    /// True when this end has sent its FIN.
    pub fn finished(&self, side: Side) -> bool {
        self.ends[side as usize].finished
    }

    /// Opens the connection if that has not happened yet. True when data can flow.
    pub fn open(&mut self) -> bool {
        if !self.opened {
            self.opened = true;
            match self.header.opening {
                Opening::Normal { lost } => self.handshake(lost),
                Opening::Unanswered { syns } => self.syns(syns),
                Opening::Refused => self.refuse(),
                Opening::Icmp { kind, code } => {
                    self.syns(1);
                    self.icmp(Side::Client, kind, code, 0);
                }
                Opening::HalfOpen { answers } => self.half_open(answers),
            }
        }
        matches!(self.header.opening, Opening::Normal { .. })
    }

    /// Moves time to where `side` can act, and lets what it saw before be acknowledged.
    fn turn(&mut self, side: Side) {
        match self.last_actor {
            Some(last) if last == side => {
                // A held frame has not come by yet: its acknowledgment must not either.
                if self.held.is_none() {
                    self.flush(side.other());
                }
                self.time += THINKING / 2;
            }
            Some(_) => self.time = self.time.max(self.arrival) + THINKING,
            None => {}
        }
        self.last_actor = Some(side);
    }

    /// Sends the pure acknowledgment this end owes, if it owes one.
    fn flush(&mut self, side: Side) {
        if let Some(due) = self.ends[side as usize].acknowledgment_due.take() {
            let sequence = self.ends[side as usize].next;
            self.transmit(side, Shot::new(sequence, ACK, &[]), due);
        }
    }

    /// Lets time pass.
    pub fn wait(&mut self, duration: i64) {
        self.open();
        self.flush(Side::Client);
        self.flush(Side::Server);
        self.time = self.time.max(self.arrival) + duration;
    }

    fn payload_limit(&self, side: Side) -> usize {
        let timestamps = if self.header.timestamps { 12 } else { 0 };
        let mss = usize::from(self.header.mss[0].min(self.header.mss[1])) - timestamps;
        let limit = if self.settings.offload == Some(side) {
            60_000
        } else {
            mss
        };
        self.settings.split.map_or(limit, |split| split.min(limit))
    }

    fn swallowed(&self, side: Side, payload: usize) -> bool {
        let overhead = if self.header.client.is_ipv6() { 60 } else { 40 } + if self.header.timestamps { 12 } else { 0 };
        self.settings
            .path_mtu
            .is_some_and(|path| path.from.is_none_or(|from| from == side) && overhead + payload > path.size)
    }

    /// True when the capture is taken at the receiver, where swallowed packets never come by.
    fn beyond(&self, side: Side) -> bool {
        matches!(
            (self.settings.capture_at, side),
            (CapturePoint::Client, Side::Server) | (CapturePoint::Server, Side::Client)
        )
    }

    /// Sends bytes as segments.
    pub fn send(&mut self, side: Side, bytes: &[u8], delivery: Delivery) {
        self.turn(side);
        let chunks: Vec<&[u8]> = bytes.chunks(self.payload_limit(side).max(1)).collect();
        let mut lost: Vec<(u32, Vec<u8>)> = Vec::new();
        let (lost_from, lost_times) = self.lose_next.take().unwrap_or((usize::MAX, 0));
        for (index, chunk) in chunks.iter().enumerate() {
            if index > 0 {
                self.time += 12 * MICROSECOND;
                if index % BURST == 0 {
                    self.flush(side.other());
                    self.time += 2 * self.settings.latency + THINKING;
                }
            }
            let last = index + 1 == chunks.len();
            let sequence = self.ends[side as usize].next;
            let mut shot = Shot::new(sequence, ACK | if last { PSH } else { 0 }, chunk);
            let swallowed = self.swallowed(side, chunk.len());
            shot.visible = delivery != Delivery::Missing && !(swallowed && self.beyond(side));
            self.transmit(side, shot, self.time);
            let end = &mut self.ends[side as usize];
            end.next = sequence.wrapping_add(chunk.len() as u32);
            end.last_data = Some((sequence, chunk.to_vec()));
            if swallowed && self.settings.path_mtu.is_some_and(|path| path.icmp) {
                let mtu = self.settings.path_mtu.map_or(0, |path| path.size as u32);
                self.too_big(side, mtu);
            }
            if swallowed || index + 1 >= lost_from || matches!(delivery, Delivery::Lost(_) | Delivery::Late(_)) {
                lost.push((sequence, chunk.to_vec()));
            } else {
                self.deliver(side, sequence, chunk.len() as u32);
                if index % 2 == 1 {
                    self.flush(side.other());
                }
            }
        }
        self.arrival = self.time + self.settings.latency;
        if !lost.is_empty() {
            let delivery = if lost_from < usize::MAX {
                Delivery::Lost(lost_times)
            } else {
                delivery
            };
            self.recover(side, &lost, delivery);
        }
    }

    /// Retransmits what was lost, as often as the script says.
    fn recover(&mut self, side: Side, lost: &[(u32, Vec<u8>)], delivery: Delivery) {
        self.flush(side.other());
        let times = match delivery {
            Delivery::Lost(times) | Delivery::Late(times) => times,
            _ => self.settings.path_mtu.map_or(0, |path| path.retries),
        };
        let (sequence, payload) = &lost[0];
        for attempt in 0..times {
            self.time += TIMEOUT << attempt.min(9);
            let mut shot = Shot::new(*sequence, ACK | PSH, payload);
            shot.visible = !(self.swallowed(side, payload.len()) && self.beyond(side));
            self.transmit(side, shot, self.time);
        }
        self.arrival = self.time + self.settings.latency;
        if matches!(delivery, Delivery::Late(_)) {
            for (index, (sequence, payload)) in lost.iter().enumerate() {
                if index > 0 {
                    self.flush(side.other());
                    self.time += 2 * self.settings.latency + THINKING;
                    self.transmit(side, Shot::new(*sequence, ACK | PSH, payload), self.time);
                }
                self.arrival = self.time + self.settings.latency;
                self.deliver(side, *sequence, payload.len() as u32);
            }
        }
    }

    /// Lets a segment arrive: the receiver's state moves on and an acknowledgment falls due.
    fn deliver(&mut self, from: Side, sequence: u32, length: u32) {
        let clock = self.clock(from, self.time);
        let arrival = self.time + self.settings.latency;
        let receiver = &mut self.ends[from.other() as usize];
        receiver.peer_clock = clock;
        receiver.acknowledgment_due = Some(arrival + 20 * MICROSECOND);
        let ahead = sequence.wrapping_sub(receiver.received) as i32;
        if ahead > 0 {
            receiver.out_of_order.push((sequence, sequence.wrapping_add(length)));
            self.flush(from.other());
            return;
        }
        let end = sequence.wrapping_add(length);
        if (end.wrapping_sub(receiver.received) as i32) > 0 {
            receiver.received = end;
        }
        let received = &mut receiver.received;
        receiver.out_of_order.sort_unstable();
        receiver.out_of_order.retain(|(start, end)| {
            let joins = (start.wrapping_sub(*received) as i32) <= 0;
            if joins && (end.wrapping_sub(*received) as i32) > 0 {
                *received = *end;
            }
            !joins
        });
    }

    /// Forgets everything captured so far: the capture began here.
    pub fn forget(&mut self) {
        self.flush(Side::Client);
        self.flush(Side::Server);
        self.frames.clear();
        self.held = None;
    }

    /// Sends what is still owed and hands over the capture.
    pub fn finish(&mut self) -> Vec<TimedFrame> {
        self.flush(Side::Client);
        self.flush(Side::Server);
        if let Some((_, held)) = self.held.take() {
            self.frames.push(held);
        }
        std::mem::take(&mut self.frames)
    }
}
