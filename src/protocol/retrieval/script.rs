//! Scripts of sessions for the tests of both retrieval protocols: who said what, cut in any way, with gaps.

use crate::frame::FrameNumber;
use crate::protocol::{Progress, Upgrade};
use crate::span::{Direction, PerDirection, Stamp};
use crate::tcp::{Chunk, Gap};
use crate::time::Timestamp;

/// One turn of a session.
#[derive(Clone, Debug)]
pub enum Turn {
    Client(Vec<u8>),
    Server(Vec<u8>),
    ClientGap(u64),
    ServerGap(u64),
}

/// "C: text", "S: text" lines; each gets a CRLF.
pub fn script(lines: &[&str]) -> Vec<Turn> {
    lines
        .iter()
        .map(|line| {
            let text = format!("{}\r\n", line.get(3..).unwrap()).into_bytes();
            if line.starts_with('C') {
                Turn::Client(text)
            } else {
                Turn::Server(text)
            }
        })
        .collect()
}

/// What a decoder is given.
pub enum Step<'a> {
    Data(Chunk<'a>),
    Gap(Gap),
}

/// Plays a script; the runs of data are cut at `cuts` in turn.
pub fn play(turns: &[Turn], cuts: &[usize], mut step: impl FnMut(Step<'_>) -> Progress) -> Vec<Upgrade> {
    let mut offsets = PerDirection {
        to_server: 0_u64,
        to_client: 0_u64,
    };
    let mut upgrades = Vec::new();
    let mut cut = cuts.iter().cycle();
    for (number, turn) in turns.iter().enumerate() {
        let stamp = Stamp {
            frame: FrameNumber(number as u64 + 1),
            time: Timestamp::from_nanoseconds(number as i64),
        };
        let (direction, bytes, missing) = match turn {
            Turn::Client(bytes) => (Direction::ToServer, bytes.as_slice(), 0),
            Turn::Server(bytes) => (Direction::ToClient, bytes.as_slice(), 0),
            Turn::ClientGap(octets) => (Direction::ToServer, b"".as_slice(), *octets),
            Turn::ServerGap(octets) => (Direction::ToClient, b"".as_slice(), *octets),
        };
        let offset = offsets.get_mut(direction);
        if missing > 0 {
            step(Step::Gap(Gap {
                direction,
                offset: *offset,
                length: missing,
                found_at: stamp,
                acknowledged: true,
                cut_by_snap_length: false,
            }));
            *offset += missing;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let length = cut.next().copied().unwrap_or(usize::MAX).clamp(1, rest.len());
            let chunk = Chunk {
                direction,
                offset: *offset,
                bytes: &rest[..length],
                stamp,
            };
            let progress = step(Step::Data(chunk));
            assert!(progress.octets > 0 && (progress.octets == length || progress.upgrade != Upgrade::None));
            if progress.upgrade != Upgrade::None {
                upgrades.push(progress.upgrade);
            }
            rest = &rest[progress.octets..];
            *offset += progress.octets as u64;
        }
    }
    upgrades
}
