//! Turns timed frames into capture files in memory: pcap (nanoseconds) and pcapng, both link type Ethernet.
//!
//! Must not touch the file system.

/// One captured frame: when, which bytes, and how long it was before it was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedFrame {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub time_ns: i64,
    /// Captured bytes, Ethernet first; shorter than `original_length` when a snap length cut them.
    pub bytes: Vec<u8>,
    /// Bytes on the wire.
    pub original_length: u32,
}

impl TimedFrame {
    /// A frame that was captured whole.
    pub fn new(time_ns: i64, bytes: Vec<u8>) -> TimedFrame {
        let original_length = bytes.len() as u32;
        TimedFrame {
            time_ns,
            bytes,
            original_length,
        }
    }

    /// Keeps at most `snap` bytes; the original length stays.
    pub fn truncate(&mut self, snap: usize) {
        self.bytes.truncate(snap);
    }
}

/// A little-endian pcap file with nanosecond timestamps, link type 1 (Ethernet).
pub fn pcap(frames: &[TimedFrame]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend_from_slice(&0xa1b2_3c4du32.to_le_bytes());
    file.extend_from_slice(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend_from_slice(&262_144u32.to_le_bytes());
    file.extend_from_slice(&1u32.to_le_bytes());
    for frame in frames {
        let seconds = frame.time_ns.div_euclid(1_000_000_000) as u32;
        let nanoseconds = frame.time_ns.rem_euclid(1_000_000_000) as u32;
        for field in [seconds, nanoseconds, frame.bytes.len() as u32, frame.original_length] {
            file.extend_from_slice(&field.to_le_bytes());
        }
        file.extend_from_slice(&frame.bytes);
    }
    file
}

/// A little-endian pcapng file: one section, one Ethernet interface in nanoseconds; with `drops`, a closing interface
/// statistics block whose isb_ifdrop counts them.
pub fn pcapng(frames: &[TimedFrame], drops: Option<u64>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut section = Vec::new();
    section.extend_from_slice(&0x1a2b_3c4du32.to_le_bytes());
    section.extend_from_slice(&[1, 0, 0, 0]);
    section.extend_from_slice(&[0xff; 8]);
    block(&mut file, 0x0a0d_0d0a, &section);
    // if_tsresol 9: timestamps count nanoseconds.
    let interface = [1, 0, 0, 0, 0, 0, 4, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    block(&mut file, 1, &interface);
    for frame in frames {
        let mut packet = Vec::with_capacity(20 + frame.bytes.len());
        packet.extend_from_slice(&0u32.to_le_bytes());
        packet.extend_from_slice(&((frame.time_ns >> 32) as u32).to_le_bytes());
        packet.extend_from_slice(&(frame.time_ns as u32).to_le_bytes());
        packet.extend_from_slice(&(frame.bytes.len() as u32).to_le_bytes());
        packet.extend_from_slice(&frame.original_length.to_le_bytes());
        packet.extend_from_slice(&frame.bytes);
        block(&mut file, 6, &packet);
    }
    if let Some(drops) = drops {
        let end = frames.last().map_or(0, |frame| frame.time_ns);
        let mut statistics = 0u32.to_le_bytes().to_vec();
        statistics.extend_from_slice(&((end >> 32) as u32).to_le_bytes());
        statistics.extend_from_slice(&(end as u32).to_le_bytes());
        statistics.extend_from_slice(&[4, 0, 8, 0]);
        statistics.extend_from_slice(&(frames.len() as u64 + drops).to_le_bytes());
        statistics.extend_from_slice(&[5, 0, 8, 0]);
        statistics.extend_from_slice(&drops.to_le_bytes());
        statistics.extend_from_slice(&[0, 0, 0, 0]);
        block(&mut file, 5, &statistics);
    }
    file
}

fn block(file: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let padded = body.len().div_ceil(4) * 4;
    let length = (12 + padded) as u32;
    file.extend_from_slice(&kind.to_le_bytes());
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(body);
    file.resize(file.len() + padded - body.len(), 0);
    file.extend_from_slice(&length.to_le_bytes());
}
