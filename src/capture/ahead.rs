//! A large plain file, read ahead in chunks by threads of their own: each walks the records of its chunk, counts them, and
//! keeps the places of those frames that the run wants to see. On a mirror port that is one in fifty, and the reader's
//! thread need not look at the others.
//!
//! Where the first record of a chunk stands is a guess ([`PcapWalker::resync`](super::PcapWalker::resync)). It is believed
//! only where the reader, walking from the first record of the file on, comes to stand at exactly that octet; else the
//! reader walks the chunk itself. So it does with everything that is not an ordinary record (damage, pcapng blocks without a
//! packet, options, a cut file), and the frames and the facts are the same as without these threads.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use super::facts::FileFacts;
use super::file::Walker;
use super::reader::Reader;
use super::tally::Tally;
use super::walk::{Record, Resync};
use crate::frame::{Frame, FrameNumber, LinkType};
use crate::span::Stamp;
use crate::time::Timestamp;

/// Octets of one chunk.
const CHUNK: usize = 1 << 20;
/// Octets read behind a chunk, for the record that begins in it and ends behind it; a longer one is left to the reader.
const BEHIND: usize = 64 << 10;
/// Chunks that each thread may be ahead of the reader.
const AHEAD: usize = 2;

/// Threads at most: what they give out is taken by one.
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
        self.octets.resize(rest.min(size + BEHIND), 0);
        if start.file.read_exact_at(&mut self.octets, at).is_err() {
            // The reader will come to the same place, and say what is wrong.
            return;
        }
        let mut walker = start.walker.clone();
        let from = match walker.resync(&self.octets, 0, false) {
            _ if chunk == 0 => 0,
            Resync::At(from) => from,
            Resync::NeedMore { .. } | Resync::Nothing => return,
        };
        let mut next = from;
        while next < size
            && self.tally.interfaces.len() < MOST_INTERFACES
            && let Some(record) = walker.usual(self.octets.get(next..).unwrap_or_default())
        {
            self.add(&record, next, wanted);
            next += record.length;
        }
        self.walked = from..next;
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

struct Scout {
    found: Receiver<Stretch>,
    used: SyncSender<Stretch>,
}

/// The threads that read ahead, and what they found. Dropped, they end.
pub struct Ahead {
    scouts: Vec<Scout>,
    /// The scout whose chunk comes next.
    turn: usize,
    head: Option<Stretch>,
    /// Sections, interfaces and headers known when the threads began: with others they would read wrong.
    known: (u64, u64, u64),
    /// Chunks in a row that gave nothing.
    barren: usize,
}

impl Ahead {
    /// Starts `threads` threads, four at most, on the file of which the reader has just given a frame. `None` where there is
    /// more than one file, or it is a pipe, compressed, or too small for it; and where it is not worth it by `frames`, which
    /// are those read so far, and how many of them the run does not want to see.
    pub fn start<'scope, 'a: 'scope>(
        scope: &'scope Scope<'scope, '_>,
        reader: &Reader,
        threads: usize,
        wanted: &'a Wanted<'a>,
        frames: (u64, u64),
    ) -> Option<Self> {
        if !is_worth_it(threads, frames) {
            return None;
        }
        Self::in_chunks_of(CHUNK, scope, reader, threads, wanted)
    }

    /// The same with chunks of another size.
    pub(super) fn in_chunks_of<'scope, 'a: 'scope>(
        size: usize,
        scope: &'scope Scope<'scope, '_>,
        reader: &Reader,
        threads: usize,
        wanted: &'a Wanted<'a>,
    ) -> Option<Self> {
        let (start, facts) = reader.start()?;
        let threads = threads.min(MOST_THREADS);
        let chunks = start.length.saturating_sub(start.offset).div_ceil(size as u64);
        if chunks < 2 {
            return None;
        }
        let start = Arc::new(start);
        let scouts = (0..threads).map(|number| {
            let (sender, found) = sync_channel(AHEAD);
            let (used, returned) = sync_channel::<Stretch>(AHEAD + 2);
            let start = Arc::clone(&start);
            scope.spawn(move || {
                for chunk in (number as u64..chunks).step_by(threads) {
                    let mut stretch = returned.try_recv().unwrap_or_default();
                    stretch.walk(&start, chunk, size, wanted);
                    if sender.send(stretch).is_err() {
                        return;
                    }
                }
            });
            Scout { found, used }
        });
        Some(Self {
            scouts: scouts.collect(),
            turn: 0,
            head: None,
            known: known(facts),
            barren: 0,
        })
    }

    /// The records that follow the frame which the reader gave last, where they were walked ahead; the reader then goes on
    /// behind them. `None`: [`Reader::next_frame`] knows.
    pub fn next_stretch(&mut self, reader: &mut Reader) -> Option<Stretch> {
        let (stands_at, facts) = reader.stands_at()?;
        if known(facts) != self.known {
            self.scouts.clear();
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
                    self.scouts.clear();
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
                if !is_worth_it(self.scouts.len(), stretch.counts()) {
                    self.scouts.clear();
                }
                return Some(stretch);
            }
        }
    }

    /// Nothing more will come of it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.scouts.is_empty() && self.head.is_none()
    }

    fn receive(&mut self) -> Option<Stretch> {
        let stretch = self.scouts.get(self.turn)?.found.recv().ok();
        self.turn = (self.turn + 1) % self.scouts.len();
        if stretch.is_none() {
            self.scouts.clear();
        }
        stretch
    }

    /// Takes a stretch back, for its memory.
    pub fn give_back(&mut self, stretch: Stretch) {
        if let Some(scout) = self.scouts.get(self.turn) {
            // Its thread may have ended, or have enough.
            let _ = scout.used.try_send(stretch);
        }
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
