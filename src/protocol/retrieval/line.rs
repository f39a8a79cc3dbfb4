//! Octets of one direction in any cutting → lines with their spans (POP3 and IMAP). Keeps at most [`LINE_OCTETS`] of a
//! line; the rest is passed over, so a line that never ends costs nothing.

use crate::span::{Direction, Span, Stamp};
use crate::tcp::Chunk;

/// Octets kept of a line.
pub const LINE_OCTETS: usize = 8192;

/// A line without its line end.
pub struct Line {
    /// Its octets, the first [`LINE_OCTETS`].
    pub bytes: Vec<u8>,
    /// Where it was seen, line end included.
    pub span: Span,
}

/// Puts one direction's lines together.
#[derive(Default)]
pub struct LineReader {
    bytes: Vec<u8>,
    began: Option<(u64, Stamp)>,
    ended: Option<(u64, Stamp)>,
}

/// Never prints what it holds: it may be half a password.
impl std::fmt::Debug for LineReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LineReader").finish_non_exhaustive()
    }
}

impl LineReader {
    /// Takes octets up to the end of a line: how many, and the line where it ended.
    pub fn read(&mut self, chunk: Chunk<'_>) -> (usize, Option<Line>) {
        let end = memchr::memchr(b'\n', chunk.bytes).map(|at| at + 1);
        let taken = end.unwrap_or(chunk.bytes.len());
        if taken > 0 {
            self.began.get_or_insert((chunk.offset, chunk.stamp));
            self.ended = Some((chunk.offset.saturating_add(taken as u64), chunk.stamp));
        }
        let space = LINE_OCTETS.saturating_sub(self.bytes.len()).min(taken);
        self.bytes
            .extend_from_slice(chunk.bytes.get(..space).unwrap_or_default());
        let line = end.and_then(|_| self.take(chunk.direction));
        (taken, line)
    }

    /// What is there of a line whose end was not seen.
    pub fn take(&mut self, direction: Direction) -> Option<Line> {
        let (start, first) = self.began.take()?;
        let (end, last) = self.ended.take()?;
        let mut bytes = std::mem::take(&mut self.bytes);
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        let span = Span {
            direction,
            start,
            end,
            first,
            last,
        };
        Some(Line { bytes, span })
    }

    /// Forgets the line in hand.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Where the line in hand began.
    pub fn first(&self) -> Option<Stamp> {
        self.began.map(|(_, stamp)| stamp)
    }

    /// Octets of memory held.
    pub fn weight(&self) -> usize {
        self.bytes.capacity()
    }
}
