//! What the TCP room hands to whoever reads a stream: octets in order, holes, and the end.

use crate::span::{Direction, Stamp};
use crate::tcp::facts::{ConnectionFacts, Ending, Gap};

/// A run of octets of one segment, in order, borrowed from the capture's buffer where it arrived in order.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Who sent them.
    pub direction: Direction,
    /// Offset of the first in that direction's stream.
    pub offset: u64,
    /// The octets.
    pub bytes: &'a [u8],
    /// The frame that brought them.
    pub stamp: Stamp,
}

impl<'a> Chunk<'a> {
    /// The chunk without its first `count` octets.
    #[must_use]
    pub fn skip(self, count: usize) -> Self {
        let count = count.min(self.bytes.len());
        Self {
            offset: self.offset + count as u64,
            bytes: self.bytes.get(count..).unwrap_or_default(),
            ..self
        }
    }
}

/// Reads the two ordered streams of one connection. Calls for both directions come in capture order.
pub trait Stream {
    /// Octets that follow on what was delivered before in that direction.
    fn data(&mut self, chunk: Chunk<'_>);

    /// A hole: the next chunk of that direction starts behind it.
    fn gap(&mut self, gap: &Gap);

    /// No more octets of that direction: it sent FIN.
    fn fin(&mut self, direction: Direction, at: Stamp);

    /// The connection is over; nothing else is called afterwards.
    fn end(&mut self, ending: Ending, facts: &ConnectionFacts);

    /// Octets of memory that the reader holds besides itself, approximately. Asked after every call: must be cheap.
    fn weight(&self) -> usize {
        0
    }
}
