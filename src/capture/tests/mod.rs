//! Files built octet by octet → what the reader makes of them.

mod ahead;
mod build;
mod compressed;
mod damaged;
mod facts;
mod memory;
mod merged;
mod pipe;
mod properties;
mod public;
mod speed;
mod variants;

use super::*;
use crate::frame::{Frame, LinkType};
use crate::time::Timestamp;

/// A frame, owned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    pub number: u64,
    pub nanoseconds: i64,
    pub link: u16,
    pub original: u32,
    pub bytes: Vec<u8>,
}

pub fn stream(bytes: &[u8]) -> Input {
    Input::Stream {
        name: "built".into(),
        octets: Box::new(std::io::Cursor::new(bytes.to_vec())),
    }
}

pub fn drain(reader: &mut Reader) -> Result<Vec<Kept>, Error> {
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame()? {
        assert!(frame.original_length as usize >= frame.bytes.len());
        frames.push(kept(&frame));
    }
    Ok(frames)
}

/// The same, in rows of at most `most` frames where there are any.
pub fn drain_in_rows(reader: &mut Reader, most: u64) -> Result<Vec<Kept>, Error> {
    let mut frames = Vec::new();
    loop {
        if let Some(row) = reader.next_row(most) {
            frames.extend(row.map(|frame| kept(&frame)));
        }
        assert_eq!(reader.last().0, frames.len() as u64);
        match reader.next_frame()? {
            Some(frame) => frames.push(kept(&frame)),
            None => return Ok(frames),
        }
    }
}

pub fn kept(frame: &Frame<'_>) -> Kept {
    Kept {
        number: frame.number.0,
        nanoseconds: frame.time.nanoseconds(),
        link: frame.link_type.0,
        original: frame.original_length,
        bytes: frame.bytes.to_vec(),
    }
}

pub fn read_input(input: Input) -> Result<(Vec<Kept>, FileFacts), Error> {
    let mut reader = Reader::new([input]);
    let frames = drain(&mut reader)?;
    let facts = reader.into_facts().files.remove(0);
    assert!(facts.complete);
    assert_eq!(facts.frames, frames.len() as u64);
    Ok((frames, facts))
}

/// What is read of these octets, frame by frame and in rows alike.
pub fn read(bytes: &[u8]) -> (Vec<Kept>, FileFacts) {
    let (frames, facts) = read_input(stream(bytes)).unwrap();
    for most in [1, 3, 1_000] {
        let mut reader = Reader::new([stream(bytes)]);
        assert_eq!(drain_in_rows(&mut reader, most).unwrap(), frames, "rows of {most}");
        assert_eq!(reader.facts().files[0], facts, "rows of {most}");
    }
    (frames, facts)
}

pub fn times(frames: &[Kept]) -> Vec<i64> {
    frames.iter().map(|frame| frame.nanoseconds).collect()
}

pub const ETHERNET: u16 = LinkType::ETHERNET.0;
