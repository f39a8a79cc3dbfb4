//! A large plain file, read ahead in chunks by several threads: each walks the records of its chunk, counts them, and keeps
//! the places of those frames that the run wants to see. On a mirror port that is one in fifty. The reader's thread takes
//! the chunks in order, and walks one itself where the next is not there yet.
//!
//! Where the first record of a chunk stands is a guess ([`PcapWalker::resync`](super::PcapWalker::resync)). It is believed
//! only where the reader, walking from the first record of the file on, comes to stand at exactly that octet; else the
//! reader walks the chunk itself. So it does with everything that is not an ordinary record (damage, pcapng blocks without a
//! packet, options, a cut file), and the frames and the facts are the same as without these threads.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Scope;

use super::facts::FileFacts;
use super::file::Walker;
use super::reader::Reader;
use super::tally::Tally;
use super::walk::{Record, Resync};
use crate::frame::{Frame, FrameNumber, LinkType};
use crate::span::Stamp;
use crate::time::Timestamp;

/// Octets of one chunk: for each the threads wait for one another once.
const CHUNK: usize = 2 << 20;
/// Parts of a chunk that are read one after another, each to be walked while it is in the processor's caches.
const PIECES: usize = 4;
/// Octets read behind a chunk, for the record that begins in it and ends behind it.
const BEHIND: usize = 2 << 10;
/// Octets read behind it where that record needs more; a longer one is left to the reader.
const FAR_BEHIND: usize = 64 << 10;
/// Chunks that were begun and not yet taken, at most, for each thread.
const AHEAD: u64 = 2;

/// Threads at most, that of the reader among them: what they give out is taken by one.
const MOST_THREADS: usize = 4;
/// Chunks in a row without use after which the threads end.
const MOST_BARREN: usize = 64;
/// Interfaces counted in a chunk; records of more are left to the reader.
const MOST_INTERFACES: usize = 64;

/// Says which frames the run wants to see. It is told everything of a frame but its number, which is 0.
pub type Wanted<'a> = dyn Fn(&Frame<'_>) -> bool + Sync + 'a;

/// A plain file and where its next record stands: what is needed to walk it a second time.
pub(super) struct Start {
    pub(super) file: File,
    pub(super) length: u64,
    pub(super) offset: u64,
    pub(super) walker: Walker,
}

/// Ordinary records in a row, walked ahead of the reader.
#[derive(Default)]
pub struct Stretch {
    /// Offset in the file of the octets.
    at: u64,
    octets: Vec<u8>,
    /// From the first record to the octet behind the last, counted in `octets`; empty where none was found.
    walked: Range<usize>,
    kept: Vec<Kept>,
    tally: Tally,
    /// Number of the frame before the first.
    before: u64,
}

/// A frame that the run wants to see.
struct Kept {
    /// Counted in the stretch, from 0.
    position: u64,
    packet: Range<usize>,
    time: Timestamp,
    link_type: LinkType,
    original_length: u32,
}

impl Stretch {
    /// The frames that the run wants to see, in file order, numbered as the reader numbers them.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        self.kept.iter().map(|kept| Frame {
            number: self.number(kept.position),
            time: kept.time,
            link_type: kept.link_type,
            bytes: self.octets.get(kept.packet.clone()).unwrap_or_default(),
            original_length: kept.original_length,
        })
    }

    /// Frames in all, and how many of them nobody wants to see.
    #[must_use]
    pub const fn counts(&self) -> (u64, u64) {
        (self.tally.frames, self.tally.frames - self.kept.len() as u64)
    }

    /// The last of the frames with the latest time.
    #[must_use]
    pub fn latest(&self) -> Option<Stamp> {
        self.tally.latest.map(|(time, position)| Stamp {
            frame: self.number(position),
            time,
        })
    }

    const fn number(&self, position: u64) -> FrameNumber {
        FrameNumber(self.before + position + 1)
    }

    /// Reads a chunk and walks it. A record is known to begin at the first octet of the first one.
    fn walk(&mut self, start: &Start, chunk: u64, size: usize, wanted: &Wanted<'_>) {
        let at = start.offset + chunk * size as u64;
        (self.at, self.walked) = (at, 0..0);
        self.kept.clear();
        self.tally = Tally::default();
        let rest = usize::try_from(start.length.saturating_sub(at)).unwrap_or(usize::MAX);
        self.octets.resize(rest.min(size + FAR_BEHIND), 0);
        let mut read = 0;
        if !self.read_more(&start.file, &mut read, size) {
            return;
        }
        let mut walker = start.walker.clone();
        let from = loop {
            match walker.resync(self.octets.get(..read).unwrap_or_default(), 0, false) {
                _ if chunk == 0 => break 0,
                Resync::At(from) => break from,
                Resync::NeedMore { .. } if self.read_more(&start.file, &mut read, size) => {}
                Resync::NeedMore { .. } | Resync::Nothing => return,
            }
        };
        let mut next = from;
        while next < size && self.tally.interfaces.len() < MOST_INTERFACES {
            if let Some(record) = walker.usual(self.octets.get(next..read).unwrap_or_default()) {
                self.add(&record, next, wanted);
                next += record.length;
            } else if !self.read_more(&start.file, &mut read, size) {
                break;
            }
        }
        self.walked = from..next;
    }

    /// Reads the next piece of a chunk of `size` octets, of which so many were read; false where nothing more is to be read. Where
    /// it fails, too: the reader will come to the same place, and say what is wrong.
    fn read_more(&mut self, file: &File, read: &mut usize, size: usize) -> bool {
        let until = if *read < size {
            (*read + size.div_ceil(PIECES)).min(size + BEHIND)
        } else {
            size + FAR_BEHIND
        };
        let until = until.min(self.octets.len());
        let octets = self.octets.get_mut(*read..until).unwrap_or_default();
        let is_more = !octets.is_empty() && file.read_exact_at(octets, self.at + *read as u64).is_ok();
        if is_more {
            *read = until;
        }
        is_more
    }

    fn add(&mut self, record: &Record, at: usize, wanted: &Wanted<'_>) {
        let packet = at + record.packet.start..at + record.packet.end;
        let frame = Frame {
            number: FrameNumber(0),
            time: record.time,
            link_type: record.link_type,
            bytes: self.octets.get(packet.clone()).unwrap_or_default(),
            original_length: record.original_length,
        };
        if wanted(&frame) {
            self.kept.push(Kept {
                position: self.tally.frames,
                packet,
                time: record.time,
                link_type: record.link_type,
                original_length: record.original_length,
            });
        }
        self.tally.add(record);
    }

    /// Offsets in the file of the first record and of the octet behind the last.
    const fn borders(&self) -> (u64, u64) {
        (self.at + self.walked.start as u64, self.at + self.walked.end as u64)
    }
}

/// Whose turn it is.
struct Turns {
    /// The first chunk that nobody has begun.
    next: u64,
    /// The chunk that the reader takes next.
    taken: u64,
    /// Behind the last that is to be begun.
    end: u64,
    /// Stretches to be filled again, for their memory.
    spare: Vec<Stretch>,
}

/// The chunks of a file, for whoever has time for one.
struct Chunks<'a> {
    start: Start,
    size: usize,
    /// Chunks that may be begun and not yet taken.
    ahead: u64,
    turns: Mutex<Turns>,
    /// A chunk was taken, or no more are to be begun.
    moved: Condvar,
    wanted: &'a Wanted<'a>,
}

impl Chunks<'_> {
    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reader has taken a chunk.
    fn take(&self) {
        self.turns().taken += 1;
        self.moved.notify_all();
    }

    /// Nobody is to begin another one.
    fn end(&self) {
        self.turns().end = 0;
        self.moved.notify_all();
    }

    /// Walks the first chunk that nobody has begun; its number, and what was found. `None` behind the last, and, where it is
    /// not to `wait`, where enough are begun.
    fn walk_next(&self, wait: bool) -> Option<(u64, Stretch)> {
        let (chunk, mut stretch) = {
            let mut turns = self.turns();
            let is_enough = |turns: &mut Turns| turns.next < turns.end && turns.next >= turns.taken + self.ahead;
            if wait {
                let waited = self.moved.wait_while(turns, is_enough);
                turns = waited.unwrap_or_else(PoisonError::into_inner);
            } else if is_enough(&mut turns) {
                return None;
            }
            if turns.next >= turns.end {
                return None;
            }
            turns.next += 1;
            (turns.next - 1, turns.spare.pop().unwrap_or_default())
        };
        stretch.walk(&self.start, chunk, self.size, self.wanted);
        Some((chunk, stretch))
    }
}

/// Whoever ends lets nobody begin another chunk: not at the last one, where it is so anyway, and not if it panics, where its
/// chunk would be waited for.
struct Ending<'a>(&'a Chunks<'a>);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The threads that read ahead, and what they found. Dropped, they end.
pub struct Ahead<'a> {
    chunks: Arc<Chunks<'a>>,
    threads: usize,
    /// From the other threads; `None` where nothing more is to come.
    found: Option<Receiver<(u64, Stretch)>>,
    /// Found, but not their turn yet.
    early: Vec<(u64, Stretch)>,
    head: Option<Stretch>,
    /// Sections, interfaces and headers known when the threads began: with others they would read wrong.
    known: (u64, u64, u64),
    /// Chunks in a row that gave nothing.
    barren: usize,
    /// It ended because the run wanted to see most frames.
    resting: bool,
}

impl Drop for Ahead<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<'a> Ahead<'a> {
    /// Starts reading ahead with `threads` threads, four at most and this one among them, in the file of which the reader
    /// has just given a frame. `None` where there is more than one file, or it is a pipe, compressed, or too small for it;
    /// and where it is not worth it by `frames`, which are those read lately, and how many of them the run does not want to
    /// see.
    pub fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        reader: &Reader,
        threads: usize,
        wanted: &'a Wanted<'a>,
        frames: (u64, u64),
    ) -> Option<Self>
    where
        'a: 'scope,
    {
        if !is_worth_it(threads, frames) {
            return None;
        }
        Self::in_chunks_of(CHUNK, scope, reader, threads, wanted)
    }

    /// The same with chunks of another size.
    pub(super) fn in_chunks_of<'scope>(
        size: usize,
        scope: &'scope Scope<'scope, '_>,
        reader: &Reader,
        threads: usize,
        wanted: &'a Wanted<'a>,
    ) -> Option<Self>
    where
        'a: 'scope,
    {
        let (start, facts) = reader.start()?;
        let count = start.length.saturating_sub(start.offset).div_ceil(size as u64);
        if count < 2 {
            return None;
        }
        let (known, threads) = (known(facts), threads.min(MOST_THREADS));
        let turns = Turns {
            next: 0,
            taken: 0,
            end: count,
            spare: Vec::new(),
        };
        let chunks = Arc::new(Chunks {
            start,
            size,
            ahead: AHEAD * threads as u64,
            turns: Mutex::new(turns),
            moved: Condvar::new(),
            wanted,
        });
        let (sender, found) = channel();
        for _ in 1..threads {
            let (chunks, sender) = (Arc::clone(&chunks), sender.clone());
            scope.spawn(move || {
                let chunks = Ending(&chunks);
                while let Some(stretch) = chunks.0.walk_next(true) {
                    if sender.send(stretch).is_err() {
                        return;
                    }
                }
            });
        }
        Some(Self {
            chunks,
            threads,
            found: Some(found),
            early: Vec::new(),
            head: None,
            known,
            barren: 0,
            resting: false,
        })
    }

    /// The records that follow the frame which the reader gave last, where they were walked ahead; the reader then goes on
    /// behind them. `None`: [`Reader::next_frame`] knows.
    pub fn next_stretch(&mut self, reader: &mut Reader) -> Option<Stretch> {
        let (stands_at, facts) = reader.stands_at()?;
        if known(facts) != self.known {
            self.end();
            return None;
        }
        loop {
            let head = match self.head.take() {
                Some(head) => head,
                None => self.receive()?,
            };
            let (from, until) = head.borders();
            if head.tally.frames == 0 || from < stands_at {
                self.barren += 1;
                if self.barren > MOST_BARREN {
                    // Its records are of another kind than the threads can walk: the reader need not read it twice.
                    self.end();
                    return None;
                }
                self.give_back(head);
            } else if from > stands_at {
                self.head = Some(head);
                return None;
            } else {
                self.barren = 0;
                let mut stretch = head;
                stretch.before = reader.pass(&stretch.tally, until)?;
                if !is_worth_it(self.threads, stretch.counts()) {
                    self.resting = true;
                    self.end();
                }
                return Some(stretch);
            }
        }
    }

    /// Nothing more will come of it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.found.is_none() && self.head.is_none()
    }

    /// Nothing more will come of it, but another one may be of use where frames are of another kind again.
    #[must_use]
    pub const fn is_resting(&self) -> bool {
        self.is_over() && self.resting
    }

    fn end(&mut self) {
        self.chunks.end();
        self.found = None;
        self.early.clear();
    }

    /// The chunk whose turn it is.
    fn receive(&mut self) -> Option<Stretch> {
        loop {
            let found = self.found.as_ref()?;
            self.early.extend(found.try_iter());
            let next = self.chunks.turns().taken;
            if let Some(at) = self.early.iter().position(|(chunk, _)| *chunk == next) {
                self.chunks.take();
                return Some(self.early.swap_remove(at).1);
            }
            match self.chunks.walk_next(false).or_else(|| found.recv().ok()) {
                Some(stretch) => self.early.push(stretch),
                None => self.end(),
            }
        }
    }

    /// Takes a stretch back, for its memory.
    pub fn give_back(&mut self, stretch: Stretch) {
        self.chunks.turns().spare.push(stretch);
    }
}

/// Where most frames are wanted they have to be looked at a second time: that is worth it only where many threads wait for
/// the reader's.
const fn is_worth_it(threads: usize, (frames, unwanted): (u64, u64)) -> bool {
    threads >= MOST_THREADS || unwanted * 2 >= frames
}

/// What the meaning of a record depends on.
const fn known(facts: &FileFacts) -> (u64, u64, u64) {
    (facts.sections.total(), facts.interfaces.total(), facts.glued_headers)
}
