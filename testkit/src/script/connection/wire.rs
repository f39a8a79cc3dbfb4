//! Turns a segment to send into captured frames: options, headers, what the capture point sees, when and how often.

use super::{Connection, MICROSECOND, MILLISECOND, Shot};
use crate::container::TimedFrame;
use crate::frame::{RST, SYN, Segment};
use crate::script::Side;
use crate::script::plan::CapturePoint;

impl Connection {
    pub(super) fn clock(&self, side: Side, at: i64) -> u32 {
        self.ends[side as usize]
            .clock_base
            .wrapping_add(((at - self.start) / MILLISECOND) as u32)
    }

    pub(super) fn options(&self, side: Side, shot: &Shot, at: i64) -> Vec<u8> {
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

    pub(super) fn segment(&mut self, side: Side, shot: Shot, at: i64) -> Segment {
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

    pub(super) fn transmit(&mut self, side: Side, shot: Shot, at: i64) {
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
    pub(super) fn delay(&self, side: Side) -> i64 {
        match (self.settings.capture_at, side) {
            (CapturePoint::Client, Side::Client) | (CapturePoint::Server, Side::Server) => 0,
            (CapturePoint::Middle, _) => self.settings.latency / 2,
            _ => self.settings.latency,
        }
    }

    pub(super) fn capture(&mut self, side: Side, mut frame: TimedFrame, data: bool) {
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
