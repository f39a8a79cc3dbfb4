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

/// Octets that wait.
#[derive(Debug, Default)]
pub struct Held {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

impl Held {
    /// The octets.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// No more fit.
    pub const fn is_full(&self) -> bool {
        self.bytes.len() >= HELD_OCTETS
    }

    /// Takes what fits of the chunk's first `most` octets; returns how many that were.
    pub fn take(&mut self, chunk: &Chunk<'_>, most: usize) -> usize {
        let room = HELD_OCTETS
            .saturating_sub(self.bytes.len())
            .min(most)
            .min(chunk.bytes.len());
        if room == 0 {
            return 0;
        }
        self.bytes
            .extend_from_slice(chunk.bytes.get(..room).unwrap_or_default());
        match self.pieces.last_mut() {
            Some(last) if last.stamp == chunk.stamp && last.offset + last.length as u64 == chunk.offset => {
                last.length += room;
            }
            _ => self.pieces.push(Piece {
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
        self.pieces.iter().map(move |piece| {
            let bytes = self.bytes.get(from..from + piece.length).unwrap_or_default();
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
        let first = self.pieces.first()?;
        let last = self.pieces.last()?;
        Some(Span {
            direction: Direction::ToServer,
            start: first.offset,
            end: last.offset + last.length as u64,
            first: first.stamp,
            last: last.stamp,
        })
    }

    /// Approximate heap octets held.
    pub const fn weight(&self) -> usize {
        self.bytes.capacity() + self.pieces.capacity() * size_of::<Piece>()
    }
}
