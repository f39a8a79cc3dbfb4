//! Plays one TCP connection: sequence numbers, acknowledgments (with SACK and timestamps), loss, retransmission, the
//! capture point; out come captured frames. RFC 9293, RFC 7323, RFC 2018. Must not know what the payload means.

use super::Side;
use super::plan::{CapturePoint, Delivery, Header, Opening, Settings};
use crate::bytes::Noise;
use crate::container::TimedFrame;
use crate::frame::{ACK, FIN, PSH, RST, SYN, Segment, icmp_error};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

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

    fn syns(&mut self, count: u32) {
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

    fn syn_ack(&mut self) {
        self.ends[1].received = self.ends[0].next;
        let sequence = self.ends[1].next;
        self.time = self.arrival + THINKING / 2;
        self.transmit(Side::Server, Shot::new(sequence, SYN | ACK, &[]), self.time);
        self.arrival = self.time + self.settings.latency;
    }

    fn handshake(&mut self, lost: u32) {
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

    fn refuse(&mut self) {
        self.syns(1);
        self.ends[1].received = self.ends[0].next;
        self.time = self.arrival + THINKING / 4;
        self.transmit(Side::Server, Shot::new(0, RST | ACK, &[]), self.time);
        self.arrival = self.time + self.settings.latency;
        self.reset = true;
    }

    fn half_open(&mut self, answers: u32) {
        self.syns(1);
        self.syn_ack();
        let sequence = self.ends[1].next;
        for attempt in 1..answers {
            self.time += SECOND << (attempt - 1).min(6);
            self.transmit(Side::Server, Shot::new(sequence, SYN | ACK, &[]), self.time);
        }
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

    fn clock(&self, side: Side, at: i64) -> u32 {
        self.ends[side as usize]
            .clock_base
            .wrapping_add(((at - self.start) / MILLISECOND) as u32)
    }

    fn options(&self, side: Side, shot: &Shot, at: i64) -> Vec<u8> {
        let end = &self.ends[side as usize];
        let mut options = Vec::new();
        if shot.flags & SYN != 0 {
            options.extend_from_slice(&[2, 4]);
            options.extend_from_slice(&self.header.mss[side as usize].to_be_bytes());
            options.extend_from_slice(&[4, 2]);
            if !self.header.timestamps {
                options.extend_from_slice(&[1, 1]);
            }
        } else if self.header.timestamps && shot.flags & RST == 0 {
            options.extend_from_slice(&[1, 1]);
        }
        if self.header.timestamps && shot.flags & RST == 0 {
            options.extend_from_slice(&[8, 10]);
            options.extend_from_slice(&self.clock(side, at).to_be_bytes());
            options.extend_from_slice(&end.peer_clock.to_be_bytes());
        }
        if shot.flags & SYN != 0 {
            options.extend_from_slice(&[1, 3, 3, 7]);
        } else if shot.flags & RST == 0 && !end.out_of_order.is_empty() {
            let blocks = merged(&end.out_of_order);
            options.extend_from_slice(&[1, 1, 5, (2 + 8 * blocks.len()) as u8]);
            for (left, right) in blocks {
                options.extend_from_slice(&left.to_be_bytes());
                options.extend_from_slice(&right.to_be_bytes());
            }
        }
        options
    }

    fn segment(&mut self, side: Side, shot: Shot, at: i64) -> Segment {
        let options = self.options(side, &shot, at);
        let end = &self.ends[side as usize];
        let mut segment = Segment::new(end.socket, self.ends[side.other() as usize].socket);
        if side == Side::Server {
            std::mem::swap(&mut segment.source_mac, &mut segment.destination_mac);
        }
        segment.vlans = self.settings.vlans.clone();
        segment.ttl = shot.ttl.unwrap_or(end.ttl);
        segment.identification = end.identification;
        segment.dont_fragment = self.settings.fragment.is_none();
        segment.sequence = shot.sequence;
        segment.acknowledgment = if shot.acknowledges { end.received } else { 0 };
        segment.flags = shot.flags;
        segment.window = match shot.flags {
            flags if flags & RST != 0 => 0,
            flags if flags & SYN != 0 => 64_240,
            _ => end.window,
        };
        segment.options = options;
        segment.unfinished_checksum = self.settings.offload == Some(side);
        segment.payload = shot.payload;
        segment
    }

    fn transmit(&mut self, side: Side, shot: Shot, at: i64) {
        let visible = shot.visible && !self.settings.hidden && self.settings.only_from.is_none_or(|from| from == side);
        if shot.acknowledges {
            self.ends[side as usize].acknowledgment_due = None;
        }
        let data = !shot.payload.is_empty();
        let mut segment = self.segment(side, shot, at);
        let end = &mut self.ends[side as usize];
        end.identification = end.identification.wrapping_add(1);
        end.last_packet = segment.packet();
        if !visible {
            return;
        }
        let length = end.last_packet.len();
        let seen = at + self.delay(side);
        let frames = match self.settings.fragment {
            Some(size) if length > size => segment.fragments(size),
            _ => vec![segment.frame()],
        };
        for (index, bytes) in frames.into_iter().enumerate() {
            self.capture(side, TimedFrame::new(seen + index as i64 * MICROSECOND, bytes), data);
        }
        if let Some(mirror) = self.settings.mirror {
            segment.ttl -= u8::from(mirror.routed);
            self.capture(side, TimedFrame::new(seen + 15 * MICROSECOND, segment.frame()), false);
        }
    }

    /// How long after sending the capture point sees a frame.
    fn delay(&self, side: Side) -> i64 {
        match (self.settings.capture_at, side) {
            (CapturePoint::Client, Side::Client) | (CapturePoint::Server, Side::Server) => 0,
            (CapturePoint::Middle, _) => self.settings.latency / 2,
            _ => self.settings.latency,
        }
    }

    fn capture(&mut self, side: Side, mut frame: TimedFrame, data: bool) {
        if let Some(snap) = self.settings.snap {
            frame.truncate(snap);
        }
        if data && self.reorder_next {
            self.reorder_next = false;
            self.held = Some((side, frame));
            return;
        }
        let time = frame.time_ns;
        if data && std::mem::take(&mut self.duplicate_next) {
            let again = TimedFrame {
                time_ns: time + 30 * MICROSECOND,
                ..frame.clone()
            };
            self.frames.push(again);
        }
        self.frames.push(frame);
        if data
            && self.held.as_ref().is_some_and(|(held, _)| *held == side)
            && let Some((_, mut held)) = self.held.take()
        {
            held.time_ns = time + 15 * MICROSECOND;
            self.frames.push(held);
        }
    }

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

    fn too_big(&mut self, side: Side, mtu: u32) {
        if self.beyond(side) {
            return;
        }
        let (kind, code) = if self.header.client.is_ipv6() { (2, 0) } else { (3, 4) };
        self.route_icmp(side, kind, code, mtu);
    }

    fn route_icmp(&mut self, toward: Side, kind: u8, code: u8, mtu: u32) {
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

fn merged(ranges: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable();
    let mut out: Vec<(u32, u32)> = Vec::new();
    for (start, end) in sorted {
        match out.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => out.push((start, end)),
        }
    }
    // Three SACK blocks fit beside timestamps (RFC 2018 section 3); the newest are the interesting ones.
    out.split_off(out.len().saturating_sub(3))
}
