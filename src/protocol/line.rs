//! Assembles lines from the octets of one direction (RFC 5321, section 2.3.8): chunks → lines with their spans. A line
//! that lies in one chunk is not copied; a line that never ends is cut and counted. Knows no protocol.

use std::borrow::Cow;

use memchr::memchr;

use crate::span::Span;
use crate::tcp::Chunk;

/// Octets kept of a line; the rest is counted ([`Line::length`]) and the line is marked ([`Line::cut`]).
pub const LINE_KEPT: usize = 8192;

/// A line without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its octets without CRLF or LF, at most [`LINE_KEPT`].
    pub bytes: Cow<'a, [u8]>,
    /// Its length on the wire in octets, line end included.
    pub length: u64,
    /// Where it was seen, line end included.
    pub span: Span,
    /// It ended with LF alone.
    pub bare_line_feed: bool,
    /// It was longer than what is kept.
    pub cut: bool,
}

/// The line that is being put together in one direction: nearly always none.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Option<Box<Begun>>,
}

/// A line whose end was not yet seen.
#[derive(Debug)]
struct Begun {
    kept: Vec<u8>,
    span: Span,
    after_carriage_return: bool,
}

impl Lines {
    /// Reads up to the end of the next line: how many octets were read, and the line where it ended in them.
    pub fn take<'a>(&mut self, chunk: &Chunk<'a>) -> (usize, Option<Line<'a>>) {
        let Some(position) = memchr(b'\n', chunk.bytes) else {
            self.carry(chunk, chunk.bytes);
            return (chunk.bytes.len(), None);
        };
        let end = position + 1;
        let octets = chunk.bytes.get(..end).unwrap_or_default();
        if let Some(begun) = &self.begun {
            let carriage_return = match position.checked_sub(1).and_then(|last| octets.get(last)) {
                Some(octet) => *octet == b'\r',
                None => begun.after_carriage_return,
            };
            self.carry(chunk, octets);
            return (end, self.ended(1 + u64::from(carriage_return)));
        }
        let span = span_of(chunk, end);
        let ended_by_both = octets.ends_with(b"\r\n");
        let content = octets.get(..position - usize::from(ended_by_both)).unwrap_or_default();
        let line = Line {
            bytes: Cow::Borrowed(content.get(..LINE_KEPT).unwrap_or(content)),
            length: span.length(),
            span,
            bare_line_feed: !ended_by_both,
            cut: content.len() > LINE_KEPT,
        };
        (end, Some(line))
    }

    /// Takes out the line that has begun and not ended, at a gap or at the end of the stream.
    pub fn rest(&mut self) -> Option<Line<'static>> {
        self.ended(0)
    }

    /// True while a line has begun and not ended.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// Approximate heap octets held.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.begun
            .as_ref()
            .map_or(0, |begun| size_of::<Begun>() + begun.kept.capacity())
    }

    fn carry(&mut self, chunk: &Chunk<'_>, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        let span = span_of(chunk, octets.len());
        let begun = self.begun.get_or_insert_with(|| {
            Box::new(Begun {
                kept: Vec::new(),
                span,
                after_carriage_return: false,
            })
        });
        let room = LINE_KEPT.saturating_sub(begun.kept.len()).min(octets.len());
        begun.kept.extend_from_slice(octets.get(..room).unwrap_or_default());
        begun.after_carriage_return = octets.last() == Some(&b'\r');
        begun.span = begun.span.through(span);
    }

    fn ended(&mut self, line_end: u64) -> Option<Line<'static>> {
        let Begun {
            kept: mut bytes, span, ..
        } = *self.begun.take()?;
        let content = span.length().saturating_sub(line_end);
        bytes.truncate(usize::try_from(content).unwrap_or(usize::MAX));
        Some(Line {
            bytes: Cow::Owned(bytes),
            length: span.length(),
            span,
            bare_line_feed: line_end == 1,
            cut: content > LINE_KEPT as u64,
        })
    }
}

/// The span of a chunk's first `count` octets.
#[must_use]
pub const fn span_of(chunk: &Chunk<'_>, count: usize) -> Span {
    Span {
        direction: chunk.direction,
        start: chunk.offset,
        end: chunk.offset.saturating_add(count as u64),
        first: chunk.stamp,
        last: chunk.stamp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FrameNumber;
    use crate::span::{Direction, Stamp};
    use crate::time::Timestamp;

    fn lines_of(octets: &[u8], piece: usize) -> Vec<(Vec<u8>, u64, bool, bool)> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for (index, bytes) in octets.chunks(piece).enumerate() {
            let stamp = Stamp {
                frame: FrameNumber(1),
                time: Timestamp::default(),
            };
            let mut chunk = Chunk {
                direction: Direction::ToServer,
                offset: (index * piece) as u64,
                bytes,
                stamp,
            };
            while !chunk.bytes.is_empty() {
                let (count, line) = lines.take(&chunk);
                chunk = chunk.skip(count);
                if let Some(line) = line {
                    found.push((line.bytes.to_vec(), line.length, line.bare_line_feed, line.cut));
                }
            }
        }
        if let Some(line) = lines.rest() {
            found.push((line.bytes.to_vec(), line.length, line.bare_line_feed, line.cut));
        }
        found
    }

    #[test]
    fn any_cut_gives_the_same_lines() {
        let mut octets = b"EHLO a\r\nnaked\nlone\rreturn\r\n\r\n\n".to_vec();
        for length in [LINE_KEPT - 1, LINE_KEPT, LINE_KEPT + 1, 3 * LINE_KEPT] {
            octets.extend(vec![b'x'; length]);
            octets.extend(b"\r\n");
            octets.extend(vec![b'y'; length]);
            octets.extend(b"\n");
        }
        octets.extend(b"rest");
        let whole = lines_of(&octets, octets.len());
        assert_eq!(whole.len(), 14);
        assert_eq!(whole[2].0, b"lone\rreturn");
        assert_eq!(whole.iter().filter(|line| line.3).count(), 4);
        for piece in [1, 2, 3, 7, 100, 8191, 8192, 8193] {
            assert_eq!(lines_of(&octets, piece), whole, "cut at {piece}");
        }
    }
}
