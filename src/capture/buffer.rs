//! A stretch of a capture in memory: filled in large reads, walked in place, never one allocation a packet.
//!
//! Grows only when one record needs it (a packet of 16 MiB) and moves octets only when at least as many were used up,
//! so that no input costs quadratic time. The memory can be lent to other threads: while they have it, nothing is written
//! to it, and reading goes on in another block.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::decompress::{Decompressor, Fault, Pulled};
use super::format::{Compression, Member, member};
use super::octets::{Input, Octets};

/// Octets asked for in one read of a single capture.
pub const READ_SIZE: usize = 512 * 1024;

enum Source {
    Plain(Octets),
    Compressed(Box<Decompressor>),
    Ended((u64, Option<u64>)),
}

/// What stopped the filling.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Filled {
    Enough,
    Gap(Option<Fault>),
    End,
}

pub(super) struct Buffer {
    source: Source,
    kept: Arc<Vec<u8>>,
    /// Blocks that were lent, and may be in use.
    lent: Vec<Arc<Vec<u8>>>,
    start: usize,
    end: usize,
    offset: u64,
}

impl Buffer {
    /// Opens the input and looks through its first octets for compression.
    pub(super) fn open(input: Input, size: usize) -> io::Result<(Self, Option<Compression>)> {
        let mut buffer = Self {
            source: Source::Plain(input.open()?),
            kept: Arc::new(vec![0; size]),
            lent: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
        };
        buffer.fill(4)?;
        let compression = match member(buffer.bytes()) {
            None => return Ok((buffer, None)),
            Some(Member::Compressed(compression)) => compression,
            // Only zstd and lz4 have skippable frames, and only zstd's tools begin files with one.
            Some(Member::Skippable) => Compression::Zstd,
        };
        let position = buffer.position();
        if let Source::Plain(octets) = std::mem::replace(&mut buffer.source, Source::Ended(position)) {
            let decompressor = Decompressor::new(octets, buffer.bytes(), compression);
            buffer.source = Source::Compressed(Box::new(decompressor));
            buffer.start = 0;
            buffer.end = 0;
        }
        Ok((buffer, Some(compression)))
    }

    /// The octets not yet used.
    pub(super) fn bytes(&self) -> &[u8] {
        self.kept.get(self.start..self.end).unwrap_or_default()
    }

    /// The memory in which they lie, to be kept by whoever wants to look at them later.
    pub(super) const fn block(&self) -> &Arc<Vec<u8>> {
        &self.kept
    }

    /// The offset of the first of them in the capture.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Octets read of the file, and its length where known.
    pub(super) fn position(&self) -> (u64, Option<u64>) {
        match &self.source {
            Source::Plain(octets) => (octets.count(), octets.length()),
            Source::Compressed(decompressor) => decompressor.position(),
            Source::Ended(position) => *position,
        }
    }

    /// The file, opened a second time, and its length; `None` where it is compressed, or no regular file.
    pub(super) fn plain_file(&self) -> Option<(File, u64)> {
        match &self.source {
            Source::Plain(octets) => octets.file(),
            Source::Compressed(_) | Source::Ended(_) => None,
        }
    }

    /// Goes on at an offset of a regular file.
    pub(super) fn go_to(&mut self, offset: u64) -> io::Result<()> {
        if let Some(ahead) = offset.checked_sub(self.offset)
            && let Ok(ahead) = usize::try_from(ahead)
            && ahead <= self.end - self.start
        {
            self.consume(ahead);
        } else if let Source::Plain(octets) = &mut self.source {
            octets.go_to(offset)?;
            (self.start, self.end, self.offset) = (0, 0, offset);
        }
        Ok(())
    }

    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset = self.offset.saturating_add(count as u64);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Reads until `total` octets are there, and no further than that needs: a live pipe is not waited for longer.
    pub(super) fn fill(&mut self, total: usize) -> io::Result<Filled> {
        while self.end - self.start < total {
            self.make_own();
            self.make_room(total);
            let free = Arc::make_mut(&mut self.kept).get_mut(self.end..).unwrap_or_default();
            match &mut self.source {
                Source::Ended(_) => return Ok(Filled::End),
                Source::Plain(octets) => match octets.pull(free)? {
                    0 => return Ok(self.close()),
                    read => self.end += read,
                },
                Source::Compressed(decompressor) => match decompressor.pull(free)? {
                    Pulled::Octets(read) => self.end += read,
                    Pulled::Gap => return Ok(Filled::Gap(decompressor.take_fault())),
                    Pulled::End => return Ok(self.close()),
                },
            }
        }
        Ok(Filled::Enough)
    }

    fn close(&mut self) -> Filled {
        self.source = Source::Ended(self.position());
        Filled::End
    }

    /// Goes on in another block where somebody still reads this one.
    fn make_own(&mut self) {
        if Arc::get_mut(&mut self.kept).is_some() {
            return;
        }
        let size = self.kept.len();
        let is_free = |block: &mut Arc<Vec<u8>>| Arc::get_mut(block).is_some_and(|block| block.len() == size);
        let free = self.lent.iter_mut().position(is_free);
        let mut other = free.map_or_else(|| Arc::new(vec![0; size]), |at| self.lent.swap_remove(at));
        let unused = self.kept.get(self.start..self.end).unwrap_or_default();
        (self.start, self.end) = (0, unused.len());
        if let Some(start) = Arc::make_mut(&mut other).get_mut(..unused.len()) {
            start.copy_from_slice(unused);
        }
        // Those of another size, and those that are free in plenty, are given back.
        self.lent
            .retain_mut(|block| block.len() == size && Arc::get_mut(block).is_none());
        self.lent.push(std::mem::replace(&mut self.kept, other));
    }

    fn make_room(&mut self, total: usize) {
        let size = self.kept.len();
        let kept = Arc::make_mut(&mut self.kept);
        if self.start >= size / 2 {
            kept.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.start + total > size {
            // Twice what is needed: the next move of these octets comes only after as many were used up.
            kept.resize(total.saturating_mul(2).next_power_of_two(), 0);
        }
    }
}
