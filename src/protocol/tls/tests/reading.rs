//! Just enough of a capture reader for tests: pcap, pcapng, gzip; Ethernet with VLAN tags, Linux cooked, raw IP and
//! loopback; TCP put in order by sequence number. Shares no code with the rooms that do it in earnest.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::frame::FrameNumber;
use crate::protocol::tls::{Decoder, Likeness, TlsFacts, TlsStart, looks_like_record};
use crate::span::{Direction, Stamp};
use crate::tcp::{Chunk, Gap};
use crate::time::Timestamp;

/// `captures/` of the shared folder; `None` and a printed reason where it is absent.
pub(super) fn captures() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let places = [
        std::env::var_os("SMTPCAP_SHARED").map(PathBuf::from),
        Some(beside),
        Some("/work/shared".into()),
    ];
    let found = places
        .into_iter()
        .flatten()
        .map(|place| place.join("captures"))
        .find(|place| place.is_dir());
    if found.is_none() {
        println!("skipped: no shared captures at $SMTPCAP_SHARED, ../shared or /work/shared");
    }
    found
}

/// Ordered octets of one direction in one frame, or a hole before them.
pub(super) struct Delivered {
    pub(super) direction: Direction,
    pub(super) offset: u64,
    pub(super) missing: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) stamp: Stamp,
}

pub(super) struct Connection {
    pub(super) client: String,
    pub(super) server: String,
    pub(super) events: Vec<Delivered>,
}

struct Packet<'a> {
    stamp: Stamp,
    link: u32,
    bytes: &'a [u8],
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn word(bytes: &[u8], at: usize, big: bool) -> Option<u32> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(if big {
        u32::from_be_bytes(four)
    } else {
        u32::from_le_bytes(four)
    })
}

fn stamp(frame: usize, nanoseconds: i64) -> Stamp {
    Stamp {
        frame: FrameNumber(frame as u64),
        time: Timestamp::from_nanoseconds(nanoseconds),
    }
}

fn packets(file: &[u8]) -> Vec<Packet<'_>> {
    let mut list = Vec::new();
    let _ = if word(file, 0, true) == Some(0x0A0D_0D0A) {
        pcapng(file, &mut list)
    } else {
        pcap(file, &mut list)
    };
    list
}

fn pcap<'a>(file: &'a [u8], list: &mut Vec<Packet<'a>>) -> Option<()> {
    let magic = word(file, 0, true)?;
    let big = matches!(magic, 0xA1B2_C3D4 | 0xA1B2_3C4D);
    let scale = if matches!(magic, 0xA1B2_3C4D | 0x4D3C_B2A1) {
        1
    } else {
        1000
    };
    let link = word(file, 20, big)? & 0xFFFF;
    let mut at = 24;
    loop {
        let time = i64::from(word(file, at, big)?) * 1_000_000_000 + i64::from(word(file, at + 4, big)?) * scale;
        let length = word(file, at + 8, big)? as usize;
        let bytes = file.get(at + 16..at + 16 + length)?;
        list.push(Packet {
            stamp: stamp(list.len() + 1, time),
            link,
            bytes,
        });
        at += 16 + length;
    }
}

fn pcapng<'a>(file: &'a [u8], list: &mut Vec<Packet<'a>>) -> Option<()> {
    let (mut at, mut big, mut links) = (0, false, Vec::new());
    loop {
        let kind = word(file, at, true)?;
        if kind == 0x0A0D_0D0A {
            big = word(file, at + 8, true)? == 0x1A2B_3C4D;
            links.clear();
        }
        let length = word(file, at + 4, big)? as usize;
        let block = file.get(at..at + length.max(12))?;
        match word(block, 0, big)? {
            1 => links.push(u32::from(u16::try_from(word(block, 8, big)? & 0xFFFF).ok()?)),
            6 => {
                let interface = word(block, 8, big)? as usize;
                let time = (i64::from(word(block, 12, big)?) << 32) | i64::from(word(block, 16, big)?);
                let captured = word(block, 20, big)? as usize;
                let bytes = block.get(28..28 + captured)?;
                list.push(Packet {
                    stamp: stamp(list.len() + 1, time),
                    link: *links.get(interface)?,
                    bytes,
                });
            }
            3 => list.push(Packet {
                stamp: stamp(list.len() + 1, 0),
                link: *links.first()?,
                bytes: block.get(12..block.len() - 4)?,
            }),
            _ => {}
        }
        at += length.max(12);
    }
}

/// The IP packet in a frame.
fn internet<'a>(packet: &Packet<'a>) -> Option<&'a [u8]> {
    let bytes = packet.bytes;
    let (mut kind, mut at) = match packet.link {
        1 => (short(bytes, 12)?, 14),
        113 => (short(bytes, 14)?, 16),
        276 => (short(bytes, 0)?, 20),
        0 | 108 => (if bytes.get(4)? >> 4 == 4 { 0x0800 } else { 0x86DD }, 4),
        12 | 101 | 228 | 229 => (if bytes.first()? >> 4 == 4 { 0x0800 } else { 0x86DD }, 0),
        _ => return None,
    };
    while matches!(kind, 0x8100 | 0x88A8) {
        kind = short(bytes, at + 2)?;
        at += 4;
    }
    if kind == 0x8864 {
        kind = if short(bytes, at + 6)? == 0x57 { 0x86DD } else { 0x0800 };
        at += 8;
    }
    matches!(kind, 0x0800 | 0x86DD).then(|| bytes.get(at..)).flatten()
}

struct Segment<'a> {
    from: String,
    to: String,
    sequence: u32,
    flags: u8,
    payload: &'a [u8],
}

fn segment(ip: &[u8]) -> Option<Segment<'_>> {
    let (from, to, tcp) = if ip.first()? >> 4 == 4 {
        if *ip.get(9)? == 41 {
            return segment(ip.get(usize::from(ip.first()? & 15) * 4..)?);
        }
        let address = |at: usize| Some(std::net::Ipv4Addr::from(<[u8; 4]>::try_from(ip.get(at..at + 4)?).ok()?));
        let header = usize::from(ip.first()? & 15) * 4;
        // Zero: the network card was to cut the segment.
        let end = short(ip, 2).filter(|length| *length > 0).unwrap_or(ip.len());
        let tcp = (*ip.get(9)? == 6).then(|| ip.get(header..end.clamp(header, ip.len())))??;
        (address(12)?.to_string(), address(16)?.to_string(), tcp)
    } else {
        if *ip.get(6)? == 4 {
            return segment(ip.get(40..)?);
        }
        let address = |at: usize| {
            Some(std::net::Ipv6Addr::from(
                <[u8; 16]>::try_from(ip.get(at..at + 16)?).ok()?,
            ))
        };
        let tcp = (*ip.get(6)? == 6).then(|| ip.get(40..(40 + short(ip, 4)?).min(ip.len())))??;
        (format!("[{}]", address(8)?), format!("[{}]", address(24)?), tcp)
    };
    Some(Segment {
        from: format!("{from}:{}", short(tcp, 0)?),
        to: format!("{to}:{}", short(tcp, 2)?),
        sequence: word(tcp, 4, true)?,
        flags: *tcp.get(13)?,
        payload: tcp.get(usize::from(tcp.get(12)? >> 4) * 4..)?,
    })
}

#[derive(Default)]
struct Half {
    origin: Option<u32>,
    next: u64,
    waiting: BTreeMap<u64, (Vec<u8>, Stamp)>,
}

impl Half {
    fn take(&mut self, segment: &Segment<'_>, stamp: Stamp, direction: Direction, events: &mut Vec<Delivered>) {
        let synchronise = segment.flags & 2 != 0;
        if synchronise && self.origin.is_none() {
            self.origin = Some(segment.sequence.wrapping_add(1));
        }
        if segment.payload.is_empty() {
            return;
        }
        let origin = *self.origin.get_or_insert(segment.sequence);
        let offset = segment.sequence.wrapping_sub(origin);
        if offset < 0x4000_0000 {
            let waiting = self.waiting.entry(u64::from(offset)).or_insert((Vec::new(), stamp));
            if waiting.0.len() < segment.payload.len() {
                *waiting = (segment.payload.to_vec(), stamp);
            }
        }
        self.release(direction, events, false);
    }

    /// Delivers what is in order; with `all`, what stands behind holes too.
    fn release(&mut self, direction: Direction, events: &mut Vec<Delivered>, all: bool) {
        while let Some(entry) = self.waiting.first_entry() {
            let offset = *entry.key();
            if offset > self.next && !all {
                return;
            }
            let (bytes, stamp) = entry.remove();
            let missing = offset.saturating_sub(self.next);
            let known = usize::try_from(self.next.saturating_sub(offset)).unwrap_or(usize::MAX);
            let fresh = bytes.get(known..).unwrap_or_default();
            if !fresh.is_empty() {
                let offset = offset.max(self.next);
                events.push(Delivered {
                    direction,
                    offset,
                    missing,
                    bytes: fresh.to_vec(),
                    stamp,
                });
                self.next = offset + fresh.len() as u64;
            }
        }
    }
}

/// The connections of a capture, in the order of their first segments.
pub(super) fn connections(path: &Path) -> Vec<Connection> {
    let Ok(mut file) = std::fs::read(path) else {
        return Vec::new();
    };
    if file.starts_with(&[0x1F, 0x8B]) {
        let mut plain = Vec::new();
        if flate2::read::MultiGzDecoder::new(&file[..])
            .read_to_end(&mut plain)
            .is_err()
        {
            return Vec::new();
        }
        file = plain;
    }
    let mut list: Vec<(Connection, [Half; 2])> = Vec::new();
    let mut index: BTreeMap<(String, String), usize> = BTreeMap::new();
    for packet in packets(&file) {
        let Some(segment) = internet(&packet).and_then(segment) else {
            continue;
        };
        let key = (segment.from.clone(), segment.to.clone());
        let back = (segment.to.clone(), segment.from.clone());
        let open = segment.flags & 0x12 == 2;
        let known = index.get(&key).or_else(|| index.get(&back)).copied();
        let reused = known.is_some_and(|known| {
            open && list[known].1[0]
                .origin
                .is_some_and(|origin| origin != segment.sequence.wrapping_add(1))
        });
        let at = known.filter(|_| !reused).unwrap_or_else(|| {
            let swap = segment.flags & 0x12 == 0x12 || (segment.flags & 2 == 0 && is_service(&segment.from));
            let (client, server) = if swap { back.clone() } else { key.clone() };
            index.remove(&back);
            index.remove(&key);
            index.insert((client.clone(), server.clone()), list.len());
            list.push((
                Connection {
                    client,
                    server,
                    events: Vec::new(),
                },
                Default::default(),
            ));
            list.len() - 1
        });
        let (connection, halves) = &mut list[at];
        let direction = if connection.client == segment.from {
            Direction::ToServer
        } else {
            Direction::ToClient
        };
        halves[direction as usize].take(&segment, packet.stamp, direction, &mut connection.events);
    }
    for (connection, halves) in &mut list {
        for direction in Direction::BOTH {
            halves[direction as usize].release(direction, &mut connection.events, true);
        }
    }
    list.into_iter().map(|(connection, _)| connection).collect()
}

/// A port below 1024 and not both: good enough to tell the server in tests.
fn is_service(endpoint: &str) -> bool {
    endpoint
        .rsplit(':')
        .next()
        .and_then(|port| port.parse::<u16>().ok())
        .is_some_and(|port| port < 1024)
}

/// Octets of a frame, with a hole before them, to a decoder.
pub(super) fn feed(decoder: &mut Decoder, event: &Delivered, step: usize) {
    if event.missing > 0 {
        decoder.gap(&Gap {
            direction: event.direction,
            offset: event.offset - event.missing,
            length: event.missing,
            found_at: event.stamp,
            acknowledged: false,
            cut_by_snap_length: false,
        });
    }
    for (index, bytes) in event.bytes.chunks(step.max(1)).enumerate() {
        let offset = event.offset + (index * step) as u64;
        decoder.push(Chunk {
            direction: event.direction,
            offset,
            bytes,
            stamp: event.stamp,
        });
    }
}

/// TLS of a connection from the first client octets that look like it, in pieces of at most `step` octets.
pub(super) fn decode(connection: &Connection, step: usize) -> Option<TlsFacts> {
    let begins =
        |event: &Delivered| event.direction == Direction::ToServer && looks_like_record(&event.bytes) == Likeness::Yes;
    let first = connection.events.iter().position(begins)?;
    let start = if first == 0 {
        TlsStart::Implicit
    } else {
        TlsStart::Upgraded
    };
    let mut decoder = Decoder::new(start, connection.events[first].stamp);
    for event in &connection.events[first..] {
        feed(&mut decoder, event, step);
    }
    Some(decoder.finish())
}
