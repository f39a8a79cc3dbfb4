//! Files → frames in time order, numbered from 1 over all of them; and the facts about the files.
//!
//! One lane per file: a buffer, a walker, and the record at its front. Several lanes are merged by time; equal times keep
//! the order of the arguments. What is damaged is noted and passed over; an error costs its file, never the others.

use std::ffi::OsString;

use super::buffer::{Buffer, Filled, READ_SIZE};
use super::damage::{Cut, Damage, Error, Expected, Place};
use super::decompress::Fault;
use super::facts::{CaptureFacts, FileFacts, FrameRange, MAX_RANGES};
use super::format::{Beginning, ByteOrder, Compression, FirstOctets, Format, Likeness, beginning, member};
use super::octets::Input;
use super::pcap::PcapWalker;
use super::pcapng::PcapngWalker;
use super::walk::{Record, Resync, Step};
use crate::frame::{Frame, FrameNumber};
use crate::time::Timestamp;

/// Octets asked for in one read where several captures are merged.
const MERGE_READ_SIZE: usize = 128 * 1024;

/// How far a run is, in octets of the files on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Octets read.
    pub read: u64,
    /// Octets in all; `None` where an input's length is not known (a pipe).
    pub total: Option<u64>,
}

enum Walker {
    Pcap(Box<PcapWalker>),
    Pcapng(Box<PcapngWalker>),
}

impl Walker {
    fn step(&mut self, bytes: &[u8], at_end: bool) -> Step {
        match self {
            Self::Pcap(walker) => walker.step(bytes, at_end),
            Self::Pcapng(walker) => walker.step(bytes, at_end),
        }
    }

    fn resync(&self, bytes: &[u8], from: usize, at_end: bool) -> Resync {
        match self {
            Self::Pcap(walker) => walker.resync(bytes, from, bytes.len(), at_end),
            Self::Pcapng(walker) => walker.resync(bytes, from, bytes.len(), at_end),
        }
    }

    fn order(&self) -> ByteOrder {
        match self {
            Self::Pcap(_) => ByteOrder::Little,
            Self::Pcapng(walker) => walker.order(),
        }
    }

    fn interfaces(&self) -> usize {
        match self {
            Self::Pcap(walker) => walker.interface() + 1,
            Self::Pcapng(walker) => walker.interfaces_declared(),
        }
    }
}

struct Lane {
    file: usize,
    buffer: Buffer,
    walker: Walker,
    at_end: bool,
    /// The record at the front of the buffer.
    front: Option<Record>,
}

/// Reads captures.
pub struct Reader {
    waiting: Vec<Option<Input>>,
    opened: usize,
    lanes: Vec<Lane>,
    facts: CaptureFacts,
    frames: u64,
    /// The lane whose front was handed out by the last call.
    given: Option<usize>,
    closed: (u64, Option<u64>),
}

impl Reader {
    /// A reader over these inputs; nothing is opened yet.
    #[must_use]
    pub fn new(inputs: Vec<Input>) -> Self {
        let files = inputs.iter().map(|input| FileFacts::new(input.name())).collect();
        Self {
            waiting: inputs.into_iter().map(Some).collect(),
            opened: 0,
            lanes: Vec::new(),
            facts: CaptureFacts { files, ..CaptureFacts::default() },
            frames: 0,
            given: None,
            closed: (0, Some(0)),
        }
    }

    /// What is known about the files so far; complete once [`Reader::next`] has said `None`.
    #[must_use]
    pub const fn facts(&self) -> &CaptureFacts {
        &self.facts
    }

    /// How far the run is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let add = |one: Option<u64>, other: Option<u64>| Some(one?.saturating_add(other?));
        let (read, total) = self.lanes.iter().map(|lane| lane.buffer.position()).fold(
            self.closed,
            |(read, total), (lane_read, lane_total)| (read.saturating_add(lane_read), add(total, lane_total)),
        );
        Progress { read, total }
    }

    /// The next frame in time order; `None` when all files are read.
    ///
    /// # Errors
    /// A file that cannot be opened, read or recognised. Call again: the other files go on.
    #[allow(clippy::should_implement_trait, reason = "it lends")]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Error> {
        while self.opened < self.waiting.len() {
            let file = self.opened;
            self.opened += 1;
            if let Some(input) = self.waiting.get_mut(file).and_then(Option::take) {
                self.open(file, input)?;
            }
        }
        if let Some(given) = self.given.take() {
            self.pass(given)?;
        }
        let Some(lane) = self.earliest() else { return Ok(None) };
        self.give(lane)
    }

    fn open(&mut self, file: usize, input: Input) -> Result<(), Error> {
        let name = input.name();
        let size = if self.waiting.len() > 1 { MERGE_READ_SIZE } else { READ_SIZE };
        let (mut buffer, compression) =
            Buffer::open(input, size).map_err(|source| Error::Open { file: name.clone(), source })?;
        if let Some(facts) = self.facts.files.get_mut(file) {
            facts.compression = compression;
        }
        let format = begin(&mut buffer, &name, compression)?;
        let Some(facts) = self.facts.files.get_mut(file) else { return Ok(()) };
        facts.format = Some(format);
        let walker = match format {
            Format::Pcap { .. } => {
                let Some(walker) = PcapWalker::from_header(buffer.bytes(), 0) else {
                    return Err(not_a_capture(&buffer, name, compression));
                };
                facts.absorb_pcap_header(&walker);
                buffer.consume(walker.header_length());
                Walker::Pcap(Box::new(walker))
            }
            Format::Pcapng { order } => Walker::Pcapng(Box::new(PcapngWalker::new(order, 0))),
        };
        let mut lane = Lane { file, buffer, walker, at_end: false, front: None };
        let advanced = lane.advance(facts);
        self.lanes.push(lane);
        self.settle(self.lanes.len() - 1, advanced)
    }

    /// Consumes the front of a lane that was given out and finds the next.
    fn pass(&mut self, position: usize) -> Result<(), Error> {
        let Some(lane) = self.lanes.get_mut(position) else { return Ok(()) };
        if let Some(record) = lane.front.take() {
            lane.buffer.consume(record.length);
        }
        let Some(facts) = self.facts.files.get_mut(lane.file) else { return Ok(()) };
        let advanced = lane.advance(facts);
        self.settle(position, advanced)
    }

    /// Closes a lane that has no front any more.
    fn settle(&mut self, position: usize, advanced: Result<(), Error>) -> Result<(), Error> {
        if self.lanes.get(position).is_some_and(|lane| lane.front.is_none()) {
            let lane = self.lanes.remove(position);
            let (read, total) = lane.buffer.position();
            self.closed.0 = self.closed.0.saturating_add(read);
            self.closed.1 = self.closed.1.and_then(|sum| Some(sum.saturating_add(total?)));
            if let Some(facts) = self.facts.files.get_mut(lane.file) {
                facts.octets = lane.buffer.offset();
                facts.complete = advanced.is_ok();
            }
        }
        advanced
    }

    fn earliest(&self) -> Option<usize> {
        let time = |lane: &Lane| lane.front.as_ref().map_or(Timestamp::MAX, |record| record.time);
        if self.lanes.len() < 2 {
            return (!self.lanes.is_empty()).then_some(0);
        }
        let fronts = self.lanes.iter().enumerate().map(|(position, lane)| (time(lane), lane.file, position));
        fronts.min().map(|(_, _, position)| position)
    }

    fn give(&mut self, position: usize) -> Result<Option<Frame<'_>>, Error> {
        let Some(lane) = self.lanes.get(position) else { return Ok(None) };
        let Some(record) = &lane.front else { return Ok(None) };
        self.frames += 1;
        let number = FrameNumber(self.frames);
        let bytes = lane.buffer.bytes();
        if let Some(facts) = self.facts.files.get_mut(lane.file) {
            let options = bytes.get(record.options.clone()).unwrap_or_default();
            facts.absorb_frame(record, number, options, lane.walker.order());
        }
        let changed = self.facts.ranges.kept().last().is_none_or(|range| range.file != lane.file);
        if changed {
            let file = lane.file;
            self.facts.ranges.add(MAX_RANGES, || FrameRange { first: number, file });
        }
        self.given = Some(position);
        Ok(Some(Frame {
            number,
            time: record.time,
            link_type: record.link_type,
            bytes: bytes.get(record.packet.clone()).unwrap_or_default(),
            original_length: record.original_length,
        }))
    }
}

/// Tells the format, or why there is none.
fn begin(buffer: &mut Buffer, name: &OsString, compression: Option<Compression>) -> Result<Format, Error> {
    loop {
        let needed = match beginning(buffer.bytes()) {
            Beginning::Capture(format) => return Ok(format),
            Beginning::No => return Err(not_a_capture(buffer, name.clone(), compression)),
            Beginning::Perhaps(needed) => needed,
        };
        let offset = buffer.offset();
        let filled = buffer.fill(needed).map_err(|source| Error::Read { file: name.clone(), offset, source })?;
        match filled {
            Filled::Enough => {}
            Filled::Gap(Some(fault)) if buffer.bytes().is_empty() => {
                return Err(Error::NotDecompressed {
                    file: name.clone(),
                    offset: fault.offset,
                    expected: fault.expected,
                    found: fault.found,
                });
            }
            Filled::Gap(_) | Filled::End => return Err(not_a_capture(buffer, name.clone(), compression)),
        }
    }
}

fn not_a_capture(buffer: &Buffer, file: OsString, within: Option<Compression>) -> Error {
    use super::format::Member;
    if let (Some(outer), Some(Member::Compressed(inner))) = (within, member(buffer.bytes())) {
        return Error::CompressedTwice { file, outer, inner };
    }
    let bytes = buffer.bytes();
    Error::NotACapture {
        file,
        found: FirstOctets::of(bytes),
        likeness: Likeness::of(bytes.get(..4096).unwrap_or(bytes)),
        within,
    }
}

impl Lane {
    /// Finds the next packet; `front` is empty afterwards where the file has no more.
    fn advance(&mut self, facts: &mut FileFacts) -> Result<(), Error> {
        loop {
            match self.walker.step(self.buffer.bytes(), self.at_end) {
                Step::Packet(record) => {
                    if let Some(expected) = record.oddity.fault {
                        let resumed = self.buffer.offset().saturating_add(record.length as u64);
                        self.note(facts, expected, Some(resumed));
                    }
                    self.front = Some(record);
                    return Ok(());
                }
                Step::Block { length, kind, body, fault } => {
                    if let Walker::Pcapng(walker) = &self.walker {
                        let body = self.buffer.bytes().get(body).unwrap_or_default();
                        facts.absorb_block(walker, kind, body);
                    }
                    if let Some(expected) = fault {
                        let resumed = self.buffer.offset().saturating_add(length as u64);
                        self.note(facts, expected, Some(resumed));
                    }
                    self.buffer.consume(length.max(1));
                }
                Step::Unusable { length, expected } => {
                    let resumed = self.buffer.offset().saturating_add(length as u64);
                    self.note(facts, expected, Some(resumed));
                    self.buffer.consume(length.max(1));
                }
                Step::Header(format) => self.glued(facts, format),
                Step::NeedMore(total) => {
                    if !self.more(facts, total)? {
                        return Ok(());
                    }
                }
                Step::Damaged(expected) => {
                    if !self.search(facts, expected)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn glued(&mut self, facts: &mut FileFacts, format: Format) {
        let interfaces = self.walker.interfaces();
        facts.glued_headers += 1;
        match format {
            Format::Pcap { .. } => match PcapWalker::from_header(self.buffer.bytes(), interfaces) {
                Some(walker) => {
                    facts.absorb_pcap_header(&walker);
                    self.buffer.consume(walker.header_length());
                    self.walker = Walker::Pcap(Box::new(walker));
                }
                None => self.buffer.consume(1),
            },
            Format::Pcapng { order } => self.walker = Walker::Pcapng(Box::new(PcapngWalker::new(order, interfaces))),
        }
    }

    /// More octets at the front; false where the file has ended and nothing is left to walk.
    fn more(&mut self, facts: &mut FileFacts, total: usize) -> Result<bool, Error> {
        if self.at_end {
            // The walker was already told that nothing follows: the rest is a record that was cut.
            let present = self.buffer.bytes().len() as u64;
            if present > 0 {
                facts.cut = Some(Cut { offset: self.buffer.offset(), present, needed: total as u64 });
                self.buffer.consume(usize::MAX);
            }
            return Ok(false);
        }
        match self.fill(facts, total)? {
            Filled::Enough => Ok(true),
            Filled::End => {
                self.at_end = true;
                Ok(!self.buffer.bytes().is_empty())
            }
            Filled::Gap(fault) => {
                self.lose(facts, fault);
                Ok(true)
            }
        }
    }

    /// Octets are missing in a compressed file: what is left of the record before the hole cannot be completed.
    fn lose(&mut self, facts: &mut FileFacts, fault: Option<Fault>) {
        self.buffer.consume(usize::MAX);
        let file = self.file;
        if let Some(fault) = fault {
            facts.damage(Damage {
                file,
                place: Place::CompressedFile,
                offset: fault.offset,
                expected: fault.expected,
                found: fault.found,
                resumed_at: fault.resumed_at,
            });
        }
    }

    fn fill(&mut self, facts: &FileFacts, total: usize) -> Result<Filled, Error> {
        let offset = self.buffer.offset();
        self.buffer.fill(total).map_err(|source| Error::Read { file: facts.name.clone(), offset, source })
    }

    fn note(&self, facts: &mut FileFacts, expected: Expected, resumed_at: Option<u64>) {
        facts.damage(Damage {
            file: self.file,
            place: Place::Capture,
            offset: self.buffer.offset(),
            expected,
            found: FirstOctets::of(self.buffer.bytes()),
            resumed_at,
        });
    }

    /// Looks for the next believable record behind damage; false where there is none.
    fn search(&mut self, facts: &mut FileFacts, expected: Expected) -> Result<bool, Error> {
        let offset = self.buffer.offset();
        let found = FirstOctets::of(self.buffer.bytes());
        let mut from = 1;
        let resumed_at = loop {
            match self.walker.resync(self.buffer.bytes(), from, self.at_end) {
                Resync::At(at) => {
                    self.buffer.consume(at);
                    break Some(self.buffer.offset());
                }
                Resync::Nothing if self.at_end => {
                    self.buffer.consume(usize::MAX);
                    break None;
                }
                Resync::Nothing => {
                    // Nothing in what is here: the last octets may begin a record, so keep a header's worth.
                    let here = self.buffer.bytes().len();
                    self.buffer.consume(here.saturating_sub(32));
                    from = 0;
                    self.fill_for_search(facts, 64)?;
                }
                Resync::NeedMore { checked, total } => {
                    self.buffer.consume(checked);
                    from = usize::from(checked == 0 && from > 0);
                    self.fill_for_search(facts, total.saturating_sub(checked))?;
                }
            }
        };
        facts.damage(Damage { file: self.file, place: Place::Capture, offset, expected, found, resumed_at });
        Ok(resumed_at.is_some())
    }

    fn fill_for_search(&mut self, facts: &mut FileFacts, total: usize) -> Result<(), Error> {
        match self.fill(facts, total)? {
            Filled::Enough => {}
            Filled::End => self.at_end = true,
            Filled::Gap(fault) => self.lose(facts, fault),
        }
        Ok(())
    }
}
