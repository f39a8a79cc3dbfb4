//! Files built octet by octet → what the reader makes of them.

mod ahead;
mod build;
mod compressed;
mod damaged;
mod facts;
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
        frames.push(Kept {
            number: frame.number.0,
            nanoseconds: frame.time.nanoseconds(),
            link: frame.link_type.0,
            original: frame.original_length,
            bytes: frame.bytes.to_vec(),
        });
    }
    Ok(frames)
}

pub fn read_input(input: Input) -> Result<(Vec<Kept>, FileFacts), Error> {
    let mut reader = Reader::new([input]);
    let frames = drain(&mut reader)?;
    let facts = reader.into_facts().files.remove(0);
    assert!(facts.complete);
    assert_eq!(facts.frames, frames.len() as u64);
    Ok((frames, facts))
}

pub fn read(bytes: &[u8]) -> (Vec<Kept>, FileFacts) {
    read_input(stream(bytes)).unwrap()
}

pub fn times(frames: &[Kept]) -> Vec<i64> {
    frames.iter().map(|frame| frame.nanoseconds).collect()
}

pub const ETHERNET: u16 = LinkType::ETHERNET.0;
