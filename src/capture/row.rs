//! The usual records that lie in the buffer one behind another, as frames: no look at the file, the merge and the facts
//! between two of them. On mail that is nearly every frame of a capture.

use super::facts::FileFacts;
use super::file::Walker;
use super::tally::Tally;
use crate::frame::{Frame, FrameNumber};

/// Frames in a row. Those that were taken are read; the reader goes on behind them.
pub struct Row<'a> {
    octets: &'a [u8],
    /// Offset of the octets in the capture.
    offset: u64,
    /// Where the record taken last begins, and where it ends, in `octets`.
    taken: (usize, usize),
    walker: &'a mut Walker,
    /// Frames that may still be taken.
    most: u64,
    tally: Tally,
    /// Number of the frame taken last.
    last: &'a mut FrameNumber,
    lent: &'a mut usize,
    facts: &'a mut FileFacts,
}

impl<'a> Row<'a> {
    /// `octets` begin with a record, at `offset`; the octets that were walked are told in `lent`, the frames in `last` and
    /// in the facts.
    pub(super) fn new(
        octets: &'a [u8],
        offset: u64,
        walker: &'a mut Walker,
        most: u64,
        last: &'a mut FrameNumber,
        lent: &'a mut usize,
        facts: &'a mut FileFacts,
    ) -> Self {
        Self {
            octets,
            offset,
            taken: (0, 0),
            walker,
            most,
            tally: Tally::default(),
            last,
            lent,
            facts,
        }
    }
}

impl<'a> Iterator for Row<'a> {
    type Item = Frame<'a>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'a>> {
        self.most = self.most.checked_sub(1)?;
        let octets = self.octets.get(self.taken.1..)?;
        let record = self.walker.usual(octets)?;
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

impl Drop for Row<'_> {
    fn drop(&mut self) {
        if self.tally.frames == 0 {
            return;
        }
        let before = self.last.0.saturating_sub(self.tally.frames);
        self.facts.absorb_stretch(&self.tally, before);
        self.facts.octets = self.offset.saturating_add(self.taken.0 as u64);
        self.facts.complete = false;
        *self.lent = self.taken.1;
    }
}
