//! The input of a live run: a thread of its own reads the capture and hands its frames over in batches, so that the main
//! thread can look after signals and time-outs while no packet comes. A batch is what one read brought: nothing waits.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::capture::live::Control;
use crate::capture::{self, CaptureFacts, DecryptionSecrets, FileFacts, Format, Input, Reader};
use crate::frame::{Frame, FrameNumber, LinkType};
use crate::time::Timestamp;

/// Batches under way at most; the reader waits beyond it, and the pipe and the kernel's ring hold what comes.
pub const BATCHES: usize = 4;
/// A batch is handed over at this size, in octets, whatever comes behind it: small enough for a core's cache.
const BATCH_OCTETS: usize = 1 << 18;
/// How often a reader that waits looks whether it is to stop.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
/// How often the facts of the capture are told.
const FACTS: Duration = Duration::from_secs(1);
/// How long after the last time at least, where a counter of drops has moved.
const FRESH: Duration = Duration::from_millis(200);

/// What comes to the main thread.
pub enum Event {
    /// Frames.
    Frames(Batch),
    /// The capture is over.
    Ended(Box<CaptureFacts>),
    /// The capture cannot be read.
    Failed(capture::Error),
    /// A signal, by number.
    Signal(i32),
    /// A key.
    Key(u8),
}

struct Header {
    number: FrameNumber,
    time: Timestamp,
    link_type: LinkType,
    original_length: u32,
    from: usize,
    to: usize,
}

/// What frames are kept in. Used again and again, so that memory does not depend on how far the reader once got ahead.
#[derive(Default)]
struct Room {
    octets: Vec<u8>,
    headers: Vec<Header>,
}

/// Frames in their order. Its room goes back to the reader when it is dropped.
#[derive(Default)]
pub struct Batch {
    room: Room,
    back: Option<SyncSender<Room>>,
    /// What is known of the capture itself, once a second.
    pub facts: Option<Box<CaptureFacts>>,
    /// The octets that came end in the middle of a record: whoever writes does not write packet by packet.
    pub ends_inside: bool,
}

impl Batch {
    /// The frames.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> + '_ {
        let Room { octets, headers } = &self.room;
        headers.iter().map(|header| Frame {
            number: header.number,
            time: header.time,
            link_type: header.link_type,
            bytes: octets.get(header.from..header.to).unwrap_or_default(),
            original_length: header.original_length,
        })
    }

    fn push(&mut self, frame: &Frame<'_>) {
        let Room { octets, headers } = &mut self.room;
        let from = octets.len();
        octets.extend_from_slice(frame.bytes);
        headers.push(Header {
            number: frame.number,
            time: frame.time,
            link_type: frame.link_type,
            original_length: frame.original_length,
            from,
            to: octets.len(),
        });
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let mut room = std::mem::take(&mut self.room);
        // One frame may be much larger than a batch: its room is not kept.
        if let Some(back) = self.back.take().filter(|_| room.octets.capacity() <= 2 * BATCH_OCTETS) {
            room.octets.clear();
            room.headers.clear();
            // Nobody reads any more: it is not needed.
            let _ = back.try_send(room);
        }
    }
}

/// What both ends of the reading thread share: the batch that is being filled.
struct Filling {
    batch: Batch,
    /// Octets that the source gave.
    taken: u64,
    /// When facts were handed over last.
    told: Option<Instant>,
    /// Drops as statistics told them last.
    dropped: Option<u64>,
    /// The end of the last record in the source, where its format tells; 0 where not.
    record_end: u64,
    told_inside: bool,
    sender: SyncSender<Event>,
    /// Room that comes back, and the way by which it comes.
    rooms: (SyncSender<Room>, Receiver<Room>),
}

impl Filling {
    /// Facts were told long enough ago.
    fn owes_facts(&self) -> bool {
        self.told.is_none_or(|at| at.elapsed() >= FACTS)
    }

    /// The facts go with the next batch, which goes before the next read.
    fn tell(&mut self, facts: CaptureFacts) {
        self.told = Some(Instant::now());
        self.batch.facts = Some(Box::new(facts));
    }

    /// Hands over what is there; false where nobody listens any more.
    fn hand_over(&mut self) -> bool {
        let inside = self.record_end > 0 && self.taken != self.record_end;
        if self.batch.room.headers.is_empty() && inside == self.told_inside && self.batch.facts.is_none() {
            return true;
        }
        self.told_inside = inside;
        let next = Batch {
            room: self.rooms.1.try_recv().unwrap_or_default(),
            back: Some(self.rooms.0.clone()),
            facts: None,
            ends_inside: false,
        };
        let mut batch = std::mem::replace(&mut self.batch, next);
        batch.ends_inside = inside;
        self.sender.send(Event::Frames(batch)).is_ok()
    }
}

/// Hands over before each read, for that may wait.
struct Tap {
    source: Source,
    filling: Arc<Mutex<Filling>>,
    stop: Arc<AtomicBool>,
}

/// True where a read will not wait; false where it is time to look around.
fn is_ready(source: &File) -> io::Result<bool> {
    let mut fds = [PollFd::from_borrowed_fd(source.as_fd(), PollFlags::IN)];
    match poll(&mut fds, Some(&LOOK)) {
        Ok(count) => Ok(count > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Read for Tap {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let gone = |filling: &Mutex<Filling>| !filling.lock().unwrap_or_else(PoisonError::into_inner).hand_over();
        if gone(&self.filling) {
            return Ok(0);
        }
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(0);
            }
            let count = match &mut self.source {
                Source::File(file) => is_ready(file)?.then(|| file.read(into)).transpose()?,
                // It ends when the program that captures is asked to.
                Source::Program(stream) => Some(stream.read(into)?),
            };
            if let Some(count) = count {
                let mut filling = self.filling.lock().unwrap_or_else(PoisonError::into_inner);
                filling.taken += count as u64;
                return Ok(count);
            }
        }
    }
}

/// Where a live run reads.
pub enum Source {
    /// A pipe or a file that is open.
    File(File),
    /// The stream of a program that captures.
    Program(Box<dyn Read + Send>),
}

/// Standard input. Not through std's buffer: what waited in there would not wake anybody.
///
/// # Errors
/// What the operating system says.
pub fn stdin() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// The reading thread.
pub struct Feed {
    stop: Arc<AtomicBool>,
    control: Option<Control>,
}

impl Feed {
    /// Starts to read. `secrets` takes the key logs that pcapng blocks hold, before the frames behind them come.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(
        source: Source,
        name: OsString,
        control: Option<Control>,
        secrets: impl FnMut(&DecryptionSecrets, FrameNumber) + Send + 'static,
        sender: SyncSender<Event>,
    ) -> io::Result<Self> {
        let filling = Arc::new(Mutex::new(Filling {
            batch: Batch::default(),
            taken: 0,
            told: None,
            dropped: None,
            record_end: 0,
            told_inside: false,
            sender: sender.clone(),
            rooms: sync_channel(BATCHES + 2),
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let tap = Tap {
            source,
            filling: Arc::clone(&filling),
            stop: Arc::clone(&stop),
        };
        let input = Input::Stream {
            name,
            octets: Box::new(tap),
        };
        std::thread::Builder::new().name("reader".to_owned()).spawn(move || {
            let told = Arc::clone(&filling);
            let reader = Reader::new([input])
                .with_secrets(secrets)
                .with_statistics(move |facts| statistics(facts, &told));
            read(reader, &filling, &sender);
        })?;
        Ok(Self { stop, control })
    }

    /// The reader ends with what it has; [`Event::Ended`] follows.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(control) = &self.control {
            control.stop();
        }
    }

    /// The program that captures, where there is one.
    pub const fn control(&self) -> Option<&Control> {
        self.control.as_ref()
    }
}

/// Counters came; with them no frame need come.
fn statistics(facts: &FileFacts, filling: &Mutex<Filling>) {
    let mut filling = filling.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = facts.dropped() != filling.dropped;
    // Not for every block: a stream may consist of them.
    if filling
        .told
        .is_none_or(|at| at.elapsed() >= if fresh { FRESH } else { FACTS })
    {
        filling.dropped = facts.dropped();
        filling.tell(CaptureFacts {
            files: vec![facts.clone()],
            ..CaptureFacts::default()
        });
    }
}

fn read(mut reader: Reader, filling: &Mutex<Filling>, sender: &SyncSender<Event>) {
    loop {
        let frame = match reader.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(error) => {
                let _ = sender.send(Event::Failed(error));
                continue;
            }
        };
        let mut filling = filling.lock().unwrap_or_else(PoisonError::into_inner);
        filling.batch.push(&frame);
        let length = frame.bytes.len() as u64;
        if let Some(file) = reader.facts().files.first() {
            filling.record_end = record_end(file.format, file.compression.is_some(), file.octets, length);
        }
        // A look at the time costs more than a frame does.
        let looks = filling.batch.room.headers.len() % 64 == 1;
        if filling.told.is_none() || looks && filling.owes_facts() {
            filling.tell(reader.facts().clone());
        }
        if filling.batch.room.octets.len() >= BATCH_OCTETS && !filling.hand_over() {
            return;
        }
    }
    let mut rest = filling.lock().unwrap_or_else(PoisonError::into_inner);
    rest.record_end = 0;
    if rest.hand_over() {
        drop(rest);
        let _ = sender.send(Event::Ended(Box::new(reader.into_facts())));
    }
}

/// Where the record that was just read ends: known of plain pcap, whose records have one length of header.
const fn record_end(format: Option<Format>, compressed: bool, begin: u64, length: u64) -> u64 {
    match format {
        Some(Format::Pcap { modified, .. }) if !compressed => begin + length + if modified { 24 } else { 16 },
        _ => 0,
    }
}
