//! Writes small Ethernet captures again and again to standard output, each time as other clients and later: traffic without
//! end for `smtpcap live -`.
//!
//! ```sh
//! cargo run --release --example replay -- --sessions 1000000 fixtures/greetings/capture.pcapng | smtpcap live -
//! ```

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{BufWriter, Write, stdout};
use std::path::Path;

use smtpcap::capture::{Input, Reader};

/// Time from one copy of a capture to the next, in nanoseconds: a thousand sessions a second of the capture's time.
const STEP: i64 = 1_000_000;

/// A frame, and where in it the client's address and the TCP flags stand.
struct Template {
    bytes: Vec<u8>,
    /// Offset of the two octets of the client's address that change; the octets they begin with.
    client: (usize, u16),
    /// Its time since the first frame, in nanoseconds.
    after: i64,
}

/// The frames of a capture, and how many sessions they open.
fn templates(path: &Path) -> Result<(Vec<Template>, u64), Box<dyn Error>> {
    let mut reader = Reader::new([Input::Path(path.to_owned())]);
    let mut frames: Vec<Template> = Vec::new();
    let mut first = None;
    let mut sessions = BTreeSet::new();
    while let Some(frame) = reader.next_frame()? {
        let bytes = frame.bytes.to_vec();
        let time = frame.time.nanoseconds();
        let (source, destination, tcp) = match bytes.get(12..15) {
            Some([0x08, 0x00, version]) => (26, 30, 14 + usize::from(version & 15) * 4),
            Some([0x86, 0xdd, _]) => (22, 38, 54),
            _ => continue,
        };
        let width = destination - source;
        let port = |at: usize| {
            bytes
                .get(at..at + 2)
                .map(|octets| octets.iter().fold(0_u16, |port, octet| port << 8 | u16::from(*octet)))
        };
        let (Some(from), Some(to), Some(flags)) = (port(tcp), port(tcp + 2), bytes.get(tcp + 13)) else {
            continue;
        };
        let at = if from > to { source } else { destination } + width - 2;
        if flags & 0x12 == 0x02 {
            sessions.insert((bytes.get(source..source + 2 * width).map(<[u8]>::to_vec), from, to));
        }
        let after = time - *first.get_or_insert(time);
        let client = (at, port(at).unwrap_or_default());
        frames.push(Template { bytes, client, after });
    }
    // All of a copy comes before the next one.
    let last = frames.last().map_or(1, |frame| frame.after.max(1));
    for frame in &mut frames {
        frame.after = (i128::from(frame.after) * i128::from(STEP - 1) / i128::from(last)) as i64;
    }
    Ok((frames, sessions.len() as u64))
}

fn header() -> Vec<u8> {
    let words = [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 262_144, 1];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Writes copies of the captures until they hold that many sessions.
pub fn replay(captures: &[impl AsRef<Path>], wanted: u64, output: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut captures = captures
        .iter()
        .map(|path| templates(path.as_ref()))
        .collect::<Result<Vec<_>, _>>()?;
    if captures.iter().all(|(_, sessions)| *sessions == 0) {
        return Err("name captures that open sessions".into());
    }
    output.write_all(&header())?;
    let start = 1_790_000_000_000_000_000_i64;
    let (mut copy, mut sessions) = (0_i64, 0_u64);
    while sessions < wanted {
        let number = usize::try_from(copy)? % captures.len();
        let Some((frames, opened)) = captures.get_mut(number) else {
            break;
        };
        for frame in frames {
            let (at, octets) = frame.client;
            let client = octets ^ (copy as u16);
            if let Some(place) = frame.bytes.get_mut(at..at + 2) {
                place.copy_from_slice(&client.to_be_bytes());
            }
            let time = start + copy * STEP + frame.after;
            output.write_all(&((time / 1_000_000_000) as u32).to_le_bytes())?;
            output.write_all(&((time % 1_000_000_000) as u32).to_le_bytes())?;
            output.write_all(&(frame.bytes.len() as u32).to_le_bytes())?;
            output.write_all(&(frame.bytes.len() as u32).to_le_bytes())?;
            output.write_all(&frame.bytes)?;
        }
        copy += 1;
        sessions += *opened;
    }
    output.flush()?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut wanted = 10_000_u64;
    let mut captures = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--sessions" {
            wanted = arguments.next().ok_or("--sessions N")?.parse()?;
        } else {
            captures.push(argument);
        }
    }
    replay(
        &captures,
        wanted,
        &mut BufWriter::with_capacity(1 << 18, stdout().lock()),
    )
}
