//! Several capture files → one row of frames in time order, numbered from 1.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::path::PathBuf;

use super::ahead::Start;
use super::buffer::READ_SIZE;
use super::damage::Error;
use super::facts::{CaptureFacts, DecryptionSecrets, FileFacts, FrameRange, MAX_RANGES};
use super::file::{OnStatistics, OpenFile};
use super::octets::Input;
use super::row::Row;
use super::tally::Tally;
use crate::frame::{Frame, FrameNumber};
use crate::time::Timestamp;

/// Octets asked for in one read of each of several captures.
pub const SHARED_READ_SIZE: usize = 128 * 1024;

/// How much was read of all files, in octets as they lie on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Octets read so far.
    pub read: u64,
    /// Octets in all; `None` while a pipe or the standard input is among the files.
    pub total: Option<u64>,
}

/// Reads captures: frames one after another, [`CaptureFacts`] at any time.
///
/// Call [`Reader::next_frame`] until it says `None`; then [`Reader::facts`] are complete. Frames of several files come
/// in time order (the order inside a file is kept; equal times keep the order of the arguments). A file whose turn has
/// not come is closed again after a look at its first frame, so that a hundred rotated files cost one buffer.
///
/// Damage is not an error: it is noted in the facts and reading goes on. An error costs its file only; the next call
/// goes on with the others.
pub struct Reader {
    slots: Vec<Slot>,
    unseen: VecDeque<usize>,
    waiting: BinaryHeap<Reverse<(Timestamp, usize)>>,
    current: Option<usize>,
    facts: CaptureFacts,
    last: FrameNumber,
    range_file: Option<usize>,
    on_secrets: Option<Box<OnSecrets>>,
    on_statistics: Option<Box<OnStatistics>>,
}

/// Takes the secrets of decryption secrets blocks.
type OnSecrets = dyn FnMut(&DecryptionSecrets, FrameNumber) + Send;

struct Slot {
    source: Source,
    position: (u64, Option<u64>),
    /// Secrets that were handed out.
    secrets: usize,
}

enum Source {
    Unseen(Input),
    Parked(PathBuf),
    Open(Box<OpenFile>),
    Closed,
}

impl Reader {
    /// A reader of these inputs. Opens nothing yet.
    #[must_use]
    pub fn new(inputs: impl IntoIterator<Item = Input>) -> Self {
        let inputs: Vec<Input> = inputs.into_iter().collect();
        let facts = CaptureFacts {
            files: inputs.iter().map(|input| FileFacts::new(input.name())).collect(),
            ..CaptureFacts::default()
        };
        let slot = |input| Slot {
            source: Source::Unseen(input),
            position: (0, None),
            secrets: 0,
        };
        Self {
            unseen: (0..inputs.len()).collect(),
            slots: inputs.into_iter().map(slot).collect(),
            waiting: BinaryHeap::new(),
            current: None,
            facts,
            last: FrameNumber(0),
            range_file: None,
            on_secrets: None,
            on_statistics: None,
        }
    }

    /// Hands every decryption secrets block that is kept to `take`, before the frame that stands behind it, with that
    /// frame's number (one more than the last where none does).
    #[must_use]
    pub fn with_secrets(mut self, take: impl FnMut(&DecryptionSecrets, FrameNumber) + Send + 'static) -> Self {
        self.on_secrets = Some(Box::new(take));
        self
    }

    /// Hands the facts of the file that is opened first to `take` whenever a block of statistics was read in it, while
    /// no frame may come for a long time: of a live capture.
    #[must_use]
    pub fn with_statistics(mut self, take: impl FnMut(&FileFacts) + Send + 'static) -> Self {
        self.on_statistics = Some(Box::new(take));
        self
    }

    /// The next frame; `None` behind the last one. Its octets are valid until the next call.
    ///
    /// # Errors
    /// A file that cannot be opened or read, or is no capture. The next call goes on without it.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Error> {
        while let Some(index) = self.unseen.pop_front() {
            let looked = self.look_at_first(index);
            self.noting_failure(index, looked)?;
        }
        if let Some(index) = self.current {
            let went_on = self.go_on(index);
            self.noting_failure(index, went_on)?;
        }
        if self.current.is_none() {
            let Some(Reverse((_, index))) = self.waiting.pop() else {
                return Ok(None);
            };
            let unparked = self.unpark(index);
            self.noting_failure(index, unparked)?;
            self.current = Some(index);
        }
        Ok(self.deliver())
    }

    /// The frames that lie ready behind the last one, at most `most`: the same that [`next_frame`](Self::next_frame) would
    /// give, from a single loop over the octets that were read already. `None`, or a row without frames, where that one
    /// must be asked: for the first frame of a file, where files are merged, and for every record that is not usual.
    pub fn next_row(&mut self, most: u64) -> Option<Row<'_>> {
        let index = self.current.filter(|index| self.range_file == Some(*index))?;
        if !self.waiting.is_empty() || !self.unseen.is_empty() {
            return None;
        }
        self.hand_out_secrets(index);
        let Source::Open(file) = &mut self.slots.get_mut(index)?.source else {
            return None;
        };
        file.row(most, &mut self.last, self.facts.files.get_mut(index)?)
    }

    /// The number of the frame that was given last, of a row too; 0 before the first.
    #[must_use]
    pub const fn last(&self) -> FrameNumber {
        self.last
    }

    /// What is known about the files so far.
    #[must_use]
    pub const fn facts(&self) -> &CaptureFacts {
        &self.facts
    }

    /// Gives the facts away.
    #[must_use]
    pub fn into_facts(self) -> CaptureFacts {
        self.facts
    }

    /// How much was read; costs a walk over the files, so ask every 65,536 frames or so.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let position = |slot: &Slot| match &slot.source {
            Source::Open(file) => file.position(),
            Source::Unseen(_) | Source::Parked(_) | Source::Closed => slot.position,
        };
        let mut progress = Progress {
            read: 0,
            total: Some(0),
        };
        for (read, length) in self.slots.iter().map(position) {
            progress.read = progress.read.saturating_add(read);
            let sum = |total: u64| length.map(|length| total.saturating_add(length.max(read)));
            progress.total = progress.total.and_then(sum);
        }
        progress
    }

    /// The only file, from behind the frame that was given last, to be walked a second time: see [`super::Ahead`].
    pub(super) fn start(&self) -> Option<(Start, &FileFacts)> {
        let ([slot], [facts]) = (self.slots.as_slice(), self.facts.files.as_slice()) else {
            return None;
        };
        match &slot.source {
            Source::Open(file) => Some((file.start()?, facts)),
            Source::Unseen(_) | Source::Parked(_) | Source::Closed => None,
        }
    }

    /// Where the only file goes on behind the frame that was given last, and what is known of it.
    pub(super) fn stands_at(&self) -> Option<(u64, &FileFacts)> {
        let (slot, facts) = (self.slots.first()?, self.facts.files.first()?);
        match &slot.source {
            Source::Open(file) => Some((file.stands_at(), facts)),
            Source::Unseen(_) | Source::Parked(_) | Source::Closed => None,
        }
    }

    /// Passes over frames that were walked ahead, up to the record at `until`; the number of the frame before them.
    pub(super) fn pass(&mut self, tally: &Tally, until: u64) -> Option<u64> {
        self.hand_out_secrets(0);
        let (slot, facts) = (self.slots.first_mut()?, self.facts.files.first_mut()?);
        let Source::Open(file) = &mut slot.source else {
            return None;
        };
        // A regular file that was read can be read on; else the frames are read in the ordinary way.
        file.go_to(until, facts).ok()?;
        let before = self.last.0;
        facts.absorb_stretch(tally, before);
        self.last = FrameNumber(before.saturating_add(tally.frames));
        Some(before)
    }

    /// The same result; an error is told in the facts, too.
    #[inline]
    fn noting_failure(&mut self, index: usize, result: Result<(), Error>) -> Result<(), Error> {
        if let (Err(_), Some(facts)) = (&result, self.facts.files.get_mut(index)) {
            facts.failed = true;
        }
        result
    }

    fn look_at_first(&mut self, index: usize) -> Result<(), Error> {
        let several = self.slots.len() > 1;
        let Some(slot) = self.slots.get_mut(index) else {
            return Ok(());
        };
        let Source::Unseen(input) = std::mem::replace(&mut slot.source, Source::Closed) else {
            return Ok(());
        };
        let path = match &input {
            Input::Path(path) => Some(path.clone()),
            Input::StandardInput | Input::Stream { .. } => None,
        };
        let Some(time) = self.open(index, input)? else {
            return Ok(());
        };
        self.waiting.push(Reverse((time, index)));
        let Some(slot) = self.slots.get_mut(index) else {
            return Ok(());
        };
        if let (Source::Open(file), Some(path), true) = (&slot.source, path, several)
            && let (_, length @ Some(_)) = file.position()
        {
            // Only a regular file has a length, and only that can be opened a second time.
            slot.position = (0, length);
            slot.source = Source::Parked(path);
        }
        Ok(())
    }

    fn unpark(&mut self, index: usize) -> Result<(), Error> {
        let Some(slot) = self.slots.get_mut(index) else {
            return Ok(());
        };
        if let Source::Parked(path) = &slot.source {
            let input = Input::Path(path.clone());
            slot.source = Source::Closed;
            if let Some(facts) = self.facts.files.get_mut(index) {
                *facts = FileFacts::new(input.name());
            }
            self.open(index, input)?;
        }
        Ok(())
    }

    /// Opens a file and goes to its first frame; tells its time.
    fn open(&mut self, index: usize, input: Input) -> Result<Option<Timestamp>, Error> {
        let read_size = if self.slots.len() > 1 {
            SHARED_READ_SIZE
        } else {
            READ_SIZE
        };
        let (Some(slot), Some(facts)) = (self.slots.get_mut(index), self.facts.files.get_mut(index)) else {
            return Ok(None);
        };
        let mut file = Box::new(OpenFile::open(input, index, read_size, facts)?);
        file.tell_statistics(self.on_statistics.take());
        let result = file.advance(facts);
        slot.position = file.position();
        if let Ok(Some(_)) = result {
            slot.source = Source::Open(file);
        }
        result
    }

    /// Moves a file to its next frame, and lets another one pass where its next frame is earlier.
    #[inline]
    fn go_on(&mut self, index: usize) -> Result<(), Error> {
        let (Some(slot), Some(facts)) = (self.slots.get_mut(index), self.facts.files.get_mut(index)) else {
            return Ok(());
        };
        let Source::Open(file) = &mut slot.source else {
            self.current = None;
            return Ok(());
        };
        match file.advance(facts) {
            Ok(Some(time)) => {
                let overtaken = self.waiting.peek().is_some_and(|Reverse(next)| *next < (time, index));
                if overtaken {
                    self.waiting.push(Reverse((time, index)));
                    self.current = None;
                }
                Ok(())
            }
            ended => {
                let ended = ended.map(|_| ());
                slot.position = file.position();
                slot.source = Source::Closed;
                self.current = None;
                self.hand_out_secrets(index);
                ended
            }
        }
    }

    /// Secrets of a file that were read since the last time.
    fn hand_out_secrets(&mut self, index: usize) {
        let next = FrameNumber(self.last.0.saturating_add(1));
        if let (Some(take), Some(slot), Some(facts)) = (
            &mut self.on_secrets,
            self.slots.get_mut(index),
            self.facts.files.get(index),
        ) && slot.secrets < facts.secrets.kept().len()
        {
            for secrets in facts.secrets.kept().get(slot.secrets..).unwrap_or_default() {
                take(secrets, next);
            }
            slot.secrets = facts.secrets.kept().len();
        }
    }

    fn deliver(&mut self) -> Option<Frame<'_>> {
        let index = self.current?;
        self.hand_out_secrets(index);
        let facts = self.facts.files.get_mut(index)?;
        let Source::Open(file) = &self.slots.get(index)?.source else {
            return None;
        };
        self.last = FrameNumber(self.last.0.saturating_add(1));
        let number = self.last;
        if self.range_file != Some(index) {
            self.range_file = Some(index);
            let range = FrameRange {
                first: number,
                file: index,
            };
            self.facts.ranges.add(MAX_RANGES, || range);
        }
        file.deliver(number, facts)
    }
}
