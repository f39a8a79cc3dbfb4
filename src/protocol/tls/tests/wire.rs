//! Builds records and handshake messages, and plays them to a decoder.

use crate::frame::FrameNumber;
use crate::protocol::tls::{Decoder, TlsFacts, TlsStart};
use crate::span::{Direction, Stamp};
use crate::tcp::{Chunk, Gap};
use crate::time::Timestamp;

pub(super) use crate::span::Direction::{ToClient as S, ToServer as C};

/// A record.
pub(super) fn record(content: u8, body: &[u8]) -> Vec<u8> {
    versioned(content, 0x0303, body)
}

pub(super) fn versioned(content: u8, version: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    [&[content][..], &version.to_be_bytes(), &length.to_be_bytes(), body].concat()
}

/// A record of `length` octets that nobody can read.
pub(super) fn sealed(content: u8, length: usize) -> Vec<u8> {
    record(content, &vec![0xE5; length])
}

/// A handshake message.
pub(super) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind][..], &length[1..], body].concat()
}

pub(super) fn vector16(body: &[u8]) -> Vec<u8> {
    [&u16::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat()
}

pub(super) fn vector8(body: &[u8]) -> Vec<u8> {
    [&[u8::try_from(body.len()).unwrap()][..], body].concat()
}

pub(super) fn vector24(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).unwrap().to_be_bytes()[1..], body].concat()
}

pub(super) fn numbers(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

pub(super) fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &vector16(body)].concat()
}

/// The body of a ClientHello; no extensions block at all where `extensions` is `None`.
pub(super) fn client_hello(version: u16, session: &[u8], suites: &[u16], extensions: Option<&[Vec<u8>]>) -> Vec<u8> {
    let block = extensions.map(|list| vector16(&list.concat())).unwrap_or_default();
    [
        &version.to_be_bytes()[..],
        &[7; 32],
        &vector8(session),
        &vector16(&numbers(suites)),
        &[1, 0],
        &block,
    ]
    .concat()
}

/// A usual TLS 1.3 offer.
pub(super) fn offer13() -> Vec<u8> {
    client_hello(0x0303, &[9; 32], &[0x1302, 0x1301, 0xC02F], Some(&extensions13()))
}

pub(super) fn extensions13() -> Vec<Vec<u8>> {
    let share = [&numbers(&[29])[..], &vector16(&[1; 32])].concat();
    vec![
        extension(0, &vector16(&[&[0][..], &vector16(b"mail.hinata.example")].concat())),
        extension(10, &vector16(&numbers(&[29, 23]))),
        extension(13, &vector16(&numbers(&[0x0403, 0x0804]))),
        extension(43, &vector8(&numbers(&[0x0304, 0x0303]))),
        extension(51, &vector16(&share)),
    ]
}

/// A TLS 1.2 offer.
pub(super) fn offer12() -> Vec<u8> {
    client_hello(
        0x0303,
        &[],
        &[0xC02F, 0x0033, 0x002F],
        Some(&[extension(13, &vector16(&numbers(&[0x0401])))]),
    )
}

/// The body of a ServerHello.
pub(super) fn server_hello(
    version: u16,
    random: &[u8; 32],
    session: &[u8],
    suite: u16,
    extensions: &[Vec<u8>],
) -> Vec<u8> {
    let block = if extensions.is_empty() {
        Vec::new()
    } else {
        vector16(&extensions.concat())
    };
    [
        &version.to_be_bytes()[..],
        random,
        &vector8(session),
        &suite.to_be_bytes(),
        &[0],
        &block,
    ]
    .concat()
}

pub(super) fn choice12(suite: u16) -> Vec<u8> {
    server_hello(0x0303, &[8; 32], &[], suite, &[extension(0xFF01, &[0])])
}

pub(super) fn choice13(suite: u16) -> Vec<u8> {
    let share = [&numbers(&[29])[..], &vector16(&[2; 32])].concat();
    let extensions = [extension(43, &numbers(&[0x0304])), extension(51, &share)];
    server_hello(0x0303, &[8; 32], &[9; 32], suite, &extensions)
}

/// What is played: octets of a direction, or a hole of so many octets.
#[derive(Clone, Debug)]
pub(super) enum Play {
    Octets(Direction, Vec<u8>),
    Hole(Direction, u64),
    Fin(Direction),
}

pub(super) fn says(direction: Direction, octets: Vec<u8>) -> Play {
    Play::Octets(direction, octets)
}

/// A handshake record with one message.
pub(super) fn tells(direction: Direction, kind: u8, body: &[u8]) -> Play {
    says(direction, record(22, &message(kind, body)))
}

pub(super) fn at(frame: u64) -> Stamp {
    let time = Timestamp::from_parts(1_700_000_000 + i64::try_from(frame).unwrap(), 0);
    Stamp {
        frame: FrameNumber(frame),
        time,
    }
}

/// Plays in pieces of at most `step` octets; each entry is one frame. Gives the facts and, per direction, octets read.
pub(super) fn play_counting(start: TlsStart, plays: &[Play], step: usize) -> (TlsFacts, [u64; 2]) {
    let mut decoder = Decoder::new(start, at(1));
    let (mut offsets, mut read) = ([0_u64; 2], [0_u64; 2]);
    for (index, entry) in plays.iter().enumerate() {
        let stamp = at(index as u64 + 1);
        match entry {
            Play::Octets(direction, octets) => {
                for bytes in octets.chunks(step) {
                    let offset = offsets[*direction as usize];
                    let count = decoder.push(Chunk {
                        direction: *direction,
                        offset,
                        bytes,
                        stamp,
                    });
                    offsets[*direction as usize] += bytes.len() as u64;
                    read[*direction as usize] += count as u64;
                }
            }
            Play::Hole(direction, length) => {
                decoder.gap(&Gap {
                    direction: *direction,
                    offset: offsets[*direction as usize],
                    length: *length,
                    found_at: stamp,
                    acknowledged: true,
                    cut_by_snap_length: false,
                });
                offsets[*direction as usize] += length;
            }
            Play::Fin(direction) => decoder.fin(*direction, stamp),
        }
    }
    (decoder.finish(), read)
}

/// Plays whole and in small pieces; both must give the same facts.
pub(super) fn play(start: TlsStart, plays: &[Play]) -> TlsFacts {
    let (facts, read) = play_counting(start, plays, usize::MAX);
    for step in [1, 2, 3, 7] {
        assert_eq!(
            play_counting(start, plays, step),
            (facts.clone(), read),
            "in steps of {step}"
        );
    }
    facts
}
