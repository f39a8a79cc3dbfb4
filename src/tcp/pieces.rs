//! Keeps octets that arrived before earlier ones, until the hole before them fills. The first copy of an octet wins.
//! Never grows by a claimed length: only octets that are in the capture are kept.

use std::collections::BTreeMap;

use crate::span::Stamp;
use crate::tcp::history::differing;

/// What one piece costs besides its octets.
pub(super) const PIECE_OVERHEAD: usize = 96;

/// Octets of one segment that wait.
pub(super) struct Piece {
    pub bytes: Box<[u8]>,
    /// Octets behind them that a snap length cut off.
    pub cut: u32,
    pub stamp: Stamp,
}

impl Piece {
    fn length(&self) -> u64 {
        self.bytes.len() as u64 + u64::from(self.cut)
    }
}

/// The pieces of one direction by stream offset. Invariant: they do not overlap.
#[derive(Default)]
pub(super) struct Pieces {
    pieces: BTreeMap<u64, Piece>,
    octets: usize,
}

/// What a segment brought.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(super) struct Inserted {
    /// Octets not seen before.
    pub new: u64,
    /// Octets seen before.
    pub seen: u64,
    /// Of these, how many differ.
    pub conflicting: u64,
}

impl Pieces {
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Octets kept.
    pub fn octets(&self) -> usize {
        self.octets
    }

    /// Octets kept and what keeping them costs.
    pub fn weight(&self) -> usize {
        self.octets + self.pieces.len() * PIECE_OVERHEAD
    }

    /// Where the first piece begins, and the frame that brought it.
    pub fn first(&self) -> Option<(u64, Stamp)> {
        self.pieces
            .first_key_value()
            .map(|(offset, piece)| (*offset, piece.stamp))
    }

    /// The first piece, where it begins at or before `offset`.
    pub fn take_at(&mut self, offset: u64) -> Option<(u64, Piece)> {
        let entry = self.pieces.first_entry()?;
        if *entry.key() > offset {
            return None;
        }
        let (start, piece) = entry.remove_entry();
        self.octets -= piece.bytes.len();
        Some((start, piece))
    }

    /// Keeps what is new of `bytes` and the `cut` octets behind them, and compares the rest.
    pub fn insert(&mut self, offset: u64, bytes: &[u8], cut: u32, stamp: Stamp) -> Inserted {
        let end = offset + bytes.len() as u64 + u64::from(cut);
        let mut result = Inserted::default();
        let mut free = Vec::new();
        let mut cursor = offset;
        let begin = self
            .pieces
            .range(..=offset)
            .next_back()
            .map_or(offset, |(start, _)| *start);
        for (&start, piece) in self.pieces.range(begin..end) {
            let piece_end = start + piece.length();
            if piece_end <= cursor {
                continue;
            }
            if start > cursor {
                free.push((cursor, start));
            }
            let (from, to) = (start.max(cursor), piece_end.min(end));
            result.seen += to - from;
            let copy = part(bytes, offset, from, to);
            result.conflicting += differing(part(&piece.bytes, start, from, to), copy);
            cursor = to;
        }
        if cursor < end {
            free.push((cursor, end));
        }
        for (from, to) in free {
            result.new += to - from;
            let octets = part(bytes, offset, from, to);
            self.octets += octets.len();
            let piece = Piece {
                bytes: octets.into(),
                cut: u32::try_from((to - from) - octets.len() as u64).unwrap_or(u32::MAX),
                stamp,
            };
            self.pieces.insert(from, piece);
        }
        result
    }
}

/// The octets of `bytes`, which begin at `offset`, that lie in `from..to` and are there.
fn part(bytes: &[u8], offset: u64, from: u64, to: u64) -> &[u8] {
    let length = bytes.len() as u64;
    let from = from.saturating_sub(offset).min(length) as usize;
    let to = to.saturating_sub(offset).min(length) as usize;
    bytes.get(from..to).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FrameNumber;
    use crate::time::Timestamp;

    fn at(frame: u64) -> Stamp {
        Stamp {
            frame: FrameNumber(frame),
            time: Timestamp::default(),
        }
    }

    #[test]
    fn first_copy_wins_and_conflicts_are_counted() {
        let mut pieces = Pieces::default();
        pieces.insert(10, b"cdef", 0, at(1));
        let inserted = pieces.insert(8, b"abcdXfgh", 0, at(2));
        assert_eq!(
            inserted,
            Inserted {
                new: 4,
                seen: 4,
                conflicting: 1
            }
        );
        let mut text = Vec::new();
        let mut offset = 8;
        while let Some((start, piece)) = pieces.take_at(offset) {
            assert_eq!(start, offset);
            text.extend_from_slice(&piece.bytes);
            offset += piece.bytes.len() as u64;
        }
        assert_eq!(text, b"abcdefgh");
        assert_eq!((pieces.len(), pieces.octets()), (0, 0));
    }

    #[test]
    fn cut_octets_hold_their_place() {
        let mut pieces = Pieces::default();
        pieces.insert(10, b"ab", 6, at(1));
        let inserted = pieces.insert(10, b"abcdefghij", 0, at(2));
        assert_eq!((inserted.new, inserted.seen, inserted.conflicting), (2, 8, 0));
        let (_, piece) = pieces.take_at(10).unwrap();
        assert_eq!((&piece.bytes[..], piece.cut), (&b"ab"[..], 6));
        let (start, piece) = pieces.take_at(18).unwrap();
        assert_eq!((start, &piece.bytes[..]), (18, &b"ij"[..]));
    }
}
