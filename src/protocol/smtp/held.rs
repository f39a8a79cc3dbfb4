//! Holds a few octets whose meaning is not yet known, with the frames that brought them, to read them again later.
//! Never grows beyond [`HELD_OCTETS`].

use crate::span::{Direction, Span, Stamp};
use crate::tcp::Chunk;

/// Octets held of the client's direction until the server's reply tells whether they are mail data or commands.
pub const HELD_OCTETS: usize = 8192;

#[derive(Clone, Copy, Debug)]
struct Piece {
    offset: u64,
    length: usize,
    stamp: Stamp,
}

/// Octets that wait; in most sessions none.
#[derive(Debug, Default)]
pub struct Held(Option<Box<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

impl Held {
    /// The octets.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |kept| &kept.bytes)
    }

    fn pieces(&self) -> &[Piece] {
        self.0.as_ref().map_or(&[], |kept| &kept.pieces)
    }

    /// No more fit.
    pub fn is_full(&self) -> bool {
        self.bytes().len() >= HELD_OCTETS
    }

    /// Takes what fits of the chunk's first `most` octets; returns how many that were.
    pub fn take(&mut self, chunk: &Chunk<'_>, most: usize) -> usize {
        let room = HELD_OCTETS
            .saturating_sub(self.bytes().len())
            .min(most)
            .min(chunk.bytes.len());
        if room == 0 {
            return 0;
        }
        let kept = self.0.get_or_insert_default();
        kept.bytes
            .extend_from_slice(chunk.bytes.get(..room).unwrap_or_default());
        match kept.pieces.last_mut() {
            Some(last) if last.stamp == chunk.stamp && last.offset + last.length as u64 == chunk.offset => {
                last.length += room;
            }
            _ => kept.pieces.push(Piece {
                offset: chunk.offset,
                length: room,
                stamp: chunk.stamp,
            }),
        }
        room
    }

    /// The chunks again, as they were given or joined.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk<'_>> {
        let mut from = 0_usize;
        self.pieces().iter().map(move |piece| {
            let bytes = self.bytes().get(from..from + piece.length).unwrap_or_default();
            from += piece.length;
            Chunk {
                direction: Direction::ToServer,
                offset: piece.offset,
                bytes,
                stamp: piece.stamp,
            }
        })
    }

    /// Where they were seen.
    pub fn span(&self) -> Option<Span> {
        let first = self.pieces().first()?;
        let last = self.pieces().last()?;
        Some(Span {
            direction: Direction::ToServer,
            start: first.offset,
            end: last.offset + last.length as u64,
            first: first.stamp,
            last: last.stamp,
        })
    }

    /// Approximate heap octets held.
    pub fn weight(&self) -> usize {
        self.0.as_ref().map_or(0, |kept| {
            size_of::<Kept>() + kept.bytes.capacity() + kept.pieces.capacity() * size_of::<Piece>()
        })
    }
}
