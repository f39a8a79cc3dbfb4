//! The usual records that lie in the buffer one behind another, as frames: no look at the file, the merge and the facts
//! between two of them. On mail that is nearly every frame of a capture.

use std::sync::Arc;

use super::buffer::Buffer;
use super::facts::FileFacts;
use super::file::Walker;
use super::tally::Tally;
use super::walk::Record;
use crate::frame::{Frame, FrameNumber};

/// Frames in a row. Those that were taken are read; the reader goes on behind them.
pub struct Row<'a> {
    place: Place<'a>,
    buffer: &'a Buffer,
    walker: &'a mut Walker,
    lent: &'a mut usize,
    facts: &'a mut FileFacts,
}

/// How far a row is taken.
struct Place<'a> {
    octets: &'a [u8],
    /// Where the record taken last begins, and where it ends, in `octets`.
    taken: (usize, usize),
    /// Frames that may still be taken.
    most: u64,
    tally: Tally,
    /// Number of the frame taken last.
    last: &'a mut FrameNumber,
}

impl<'a> Place<'a> {
    /// The next frame, where its record is `usual`.
    #[inline(always)]
    fn next(&mut self, usual: impl FnOnce(&[u8]) -> Option<Record>) -> Option<Frame<'a>> {
        self.most = self.most.checked_sub(1)?;
        let octets = self.octets.get(self.taken.1..)?;
        let record = usual(octets)?;
        self.taken = (self.taken.1, self.taken.1 + record.length);
        self.tally.add(&record);
        self.last.0 = self.last.0.saturating_add(1);
        Some(Frame {
            number: *self.last,
            time: record.time,
            link_type: record.link_type,
            bytes: octets.get(record.packet).unwrap_or_default(),
            original_length: record.original_length,
        })
    }
}

impl<'a> Row<'a> {
    /// The octets in `buffer` begin with a record; the octets that were walked are told in `lent`, the frames in `last` and
    /// in the facts.
    pub(super) fn new(
        buffer: &'a Buffer,
        walker: &'a mut Walker,
        most: u64,
        last: &'a mut FrameNumber,
        lent: &'a mut usize,
        facts: &'a mut FileFacts,
    ) -> Self {
        Self {
            place: Place {
                octets: buffer.bytes(),
                taken: (0, 0),
                most,
                tally: Tally::default(),
                last,
            },
            buffer,
            walker,
            lent,
            facts,
        }
    }

    /// The memory in which the octets of its frames lie: whoever keeps it can look at them behind the row.
    #[must_use]
    pub const fn block(&self) -> &'a Arc<Vec<u8>> {
        self.buffer.block()
    }
}

impl<'a> Iterator for Row<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let walker = &mut *self.walker;
        self.place.next(|octets| walker.usual(octets))
    }

    /// Asks once for the whole row which kind of file it is.
    #[inline]
    fn fold<B, F: FnMut(B, Frame<'a>) -> B>(mut self, first: B, mut take: F) -> B {
        let (place, mut sum) = (&mut self.place, first);
        match self.walker {
            Walker::Pcap(walker) => {
                while let Some(frame) = place.next(|octets| walker.usual(octets)) {
                    sum = take(sum, frame);
                }
            }
            Walker::Pcapng(walker) => {
                while let Some(frame) = place.next(|octets| walker.usual(octets)) {
                    sum = take(sum, frame);
                }
            }
        }
        sum
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        let Place { taken, tally, last, .. } = &self.place;
        if tally.frames == 0 {
            return;
        }
        let before = last.0.saturating_sub(tally.frames);
        self.facts.absorb_stretch(tally, before);
        self.facts.octets = self.buffer.offset().saturating_add(taken.0 as u64);
        self.facts.complete = false;
        *self.lent = taken.1;
    }
}
