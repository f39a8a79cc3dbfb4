//! One capture file → its packets in file order, over damage, gaps in compressed data and glued headers.
//!
//! | state | on | next |
//! |---|---|---|
//! | walking | packet | handed out |
//! | walking | damage | seeking, from the octet behind |
//! | walking | octets end inside a record | if a record can be found inside it: damage; else the file is cut |
//! | walking | gap in compressed data | seeking, from the first octet behind the gap |
//! | seeking | believable record | walking; the damage is noted with both offsets |
//! | seeking | end | done; the damage is noted |

use std::ffi::OsString;
use std::io;

use super::ahead::Start;
use super::buffer::{Buffer, Filled};
use super::damage::{Cut, Damage, Error, Expected, Place};
use super::decompress::Fault;
use super::facts::FileFacts;
use super::format::{Beginning, Compression, FirstOctets, Format, Likeness, Member, QUOTED_OCTETS, beginning, member};
use super::octets::Input;
use super::pcap::PcapWalker;
use super::pcapng::{BlockKind, PcapngWalker};
use super::row::Row;
use super::walk::{Record, Resync, Step};
use crate::frame::{Frame, FrameNumber};
use crate::time::Timestamp;

#[derive(Clone)]
pub(super) enum Walker {
    Pcap(PcapWalker),
    Pcapng(PcapngWalker),
}

impl Walker {
    fn step(&mut self, bytes: &[u8], at_end: bool) -> Step {
        match self {
            Self::Pcap(walker) => walker.step(bytes, at_end),
            Self::Pcapng(walker) => walker.step(bytes, at_end),
        }
    }

    pub(super) fn resync(&self, bytes: &[u8], from: usize, at_end: bool) -> Resync {
        match self {
            Self::Pcap(walker) => walker.resync(bytes, from, usize::MAX, at_end),
            Self::Pcapng(walker) => walker.resync(bytes, from, usize::MAX, at_end),
        }
    }

    /// The packet at the first octet, where all of it is there, nothing about it is odd, and it has no options. Where it is
    /// none, nothing is remembered.
    #[inline]
    pub(super) fn usual(&mut self, bytes: &[u8]) -> Option<Record> {
        match self {
            Self::Pcap(walker) => walker.usual(bytes),
            Self::Pcapng(walker) => walker.usual(bytes),
        }
    }

    const fn wanted(&self) -> Expected {
        match self {
            Self::Pcap(_) => Expected::PcapRecord,
            Self::Pcapng(_) => Expected::PcapngBlock,
        }
    }
}

/// What comes behind the octets in the buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    More,
    Gap,
    End,
}

#[derive(Clone, Copy)]
struct Seeking {
    offset: u64,
    expected: Expected,
    found: FirstOctets,
    from: usize,
}

pub(super) struct OpenFile {
    index: usize,
    name: OsString,
    compression: Option<Compression>,
    buffer: Buffer,
    walker: Option<Walker>,
    pending: Option<Record>,
    /// Octets at the beginning of the buffer that were handed out: they are passed over at the next step.
    lent: usize,
    seeking: Option<Seeking>,
    behind: Behind,
    on_statistics: Option<Box<OnStatistics>>,
}

/// Takes the facts of a file whenever a block of statistics was read.
pub(super) type OnStatistics = dyn FnMut(&FileFacts) + Send;

impl OpenFile {
    pub(super) fn open(input: Input, index: usize, read_size: usize, facts: &mut FileFacts) -> Result<Self, Error> {
        let name = input.name();
        let (buffer, compression) = Buffer::open(input, read_size).map_err(|source| Error::Open {
            file: name.clone(),
            source,
        })?;
        let mut file = Self {
            index,
            name,
            compression,
            buffer,
            walker: None,
            pending: None,
            lent: 0,
            seeking: None,
            behind: Behind::More,
            on_statistics: None,
        };
        facts.compression = compression;
        file.recognise(facts)?;
        Ok(file)
    }

    /// Tells `take` of each block of statistics.
    pub(super) fn tell_statistics(&mut self, take: Option<Box<OnStatistics>>) {
        self.on_statistics = take;
    }

    /// Octets read of the file as it lies on the disk, and its length where known.
    pub(super) fn position(&self) -> (u64, Option<u64>) {
        self.buffer.position()
    }

    /// Goes to the next packet and keeps it; its time, `None` at the end.
    #[inline]
    pub(super) fn advance(&mut self, facts: &mut FileFacts) -> Result<Option<Timestamp>, Error> {
        self.buffer.consume(std::mem::take(&mut self.lent));
        // Nearly every record: whole in the buffer, nothing odd about it, and built where it stays.
        if let (Some(walker), None) = (&mut self.walker, &self.seeking)
            && let Some(record) = walker.usual(self.buffer.bytes())
        {
            facts.octets = self.buffer.offset();
            facts.complete = false;
            self.lent = record.length;
            return Ok(Some(self.pending.insert(record).time));
        }
        self.pending = None;
        let result = self.find(facts);
        facts.octets = self.buffer.offset();
        self.pending = result?;
        self.lent = self.pending.as_ref().map_or(0, |record| record.length);
        facts.complete = self.pending.is_none();
        Ok(self.pending.as_ref().map(|record| record.time))
    }

    /// The usual records that lie in the buffer behind what was handed out last, at most `most`; the first has the number
    /// behind `last`.
    pub(super) fn row<'a>(
        &'a mut self,
        most: u64,
        last: &'a mut FrameNumber,
        facts: &'a mut FileFacts,
    ) -> Option<Row<'a>> {
        self.pending = None;
        self.buffer.consume(std::mem::take(&mut self.lent));
        let (Some(walker), None) = (&mut self.walker, &self.seeking) else {
            return None;
        };
        Some(Row::new(&self.buffer, walker, most, last, &mut self.lent, facts))
    }

    /// The offset of the record behind the packet that was handed out last.
    pub(super) fn stands_at(&self) -> u64 {
        self.buffer.offset().saturating_add(self.lent as u64)
    }

    /// What is needed to walk the rest a second time; `None` where it is compressed, or no regular file.
    pub(super) fn start(&self) -> Option<Start> {
        let (file, length) = self.buffer.plain_file()?;
        Some(Start {
            file,
            length,
            offset: self.stands_at(),
            walker: self.walker.clone()?,
        })
    }

    /// Goes on at an offset, where a record begins.
    pub(super) fn go_to(&mut self, offset: u64, facts: &mut FileFacts) -> io::Result<()> {
        self.pending = None;
        self.lent = 0;
        self.buffer.go_to(offset)?;
        facts.octets = offset;
        Ok(())
    }

    /// Hands out the packet that was kept.
    #[inline]
    pub(super) fn deliver(&self, number: FrameNumber, facts: &mut FileFacts) -> Option<Frame<'_>> {
        let record = self.pending.as_ref()?;
        let bytes = self.buffer.bytes();
        let options = bytes.get(record.options.clone()).unwrap_or_default();
        if let Some(Walker::Pcapng(walker)) = &self.walker {
            facts.absorb_frame(record, number, options, walker.order());
        } else {
            facts.absorb_frame(record, number, &[], super::format::ByteOrder::Little);
        }
        Some(Frame {
            number,
            time: record.time,
            link_type: record.link_type,
            bytes: bytes.get(record.packet.clone()).unwrap_or_default(),
            original_length: record.original_length,
        })
    }

    fn recognise(&mut self, facts: &mut FileFacts) -> Result<(), Error> {
        loop {
            match beginning(self.buffer.bytes()) {
                Beginning::Capture(format) => {
                    facts.format = Some(format);
                    self.begin(format, facts);
                    return Ok(());
                }
                Beginning::No => return Err(self.not_a_capture()),
                Beginning::Perhaps(total) => match self.fill(total)? {
                    Filled::Enough => {}
                    Filled::Gap(fault) => return Err(self.not_decompressed(fault)),
                    Filled::End if self.buffer.bytes().len() < 4 => return Err(self.not_a_capture()),
                    Filled::End => {
                        self.cut(total, facts);
                        return Ok(());
                    }
                },
            }
        }
    }

    fn not_a_capture(&mut self) -> Error {
        // More octets make a better guess at what it is; what cannot be had is not waited for.
        let _ = self.buffer.fill(QUOTED_OCTETS);
        let bytes = self.buffer.bytes();
        if let (Some(outer), Some(Member::Compressed(inner))) = (self.compression, member(bytes)) {
            return Error::CompressedTwice {
                file: self.name.clone(),
                outer,
                inner,
            };
        }
        Error::NotACapture {
            file: self.name.clone(),
            found: FirstOctets::of(bytes),
            likeness: Likeness::of(bytes),
            within: self.compression,
        }
    }

    fn not_decompressed(&self, fault: Option<Fault>) -> Error {
        let (offset, expected, found) = fault
            .map_or((0, self.wanted(), FirstOctets::of(self.buffer.bytes())), |fault| {
                (fault.offset, fault.expected, fault.found)
            });
        Error::NotDecompressed {
            file: self.name.clone(),
            offset,
            expected,
            found,
        }
    }

    /// Takes a capture header that stands at the first octet.
    fn begin(&mut self, format: Format, facts: &mut FileFacts) {
        let interface = usize::try_from(facts.interfaces.total()).unwrap_or(usize::MAX);
        match format {
            Format::Pcap { .. } => {
                if let Some(walker) = PcapWalker::from_header(self.buffer.bytes(), interface) {
                    self.buffer.consume(walker.header_length());
                    facts.absorb_pcap_header(&walker);
                    self.walker = Some(Walker::Pcap(walker));
                }
            }
            Format::Pcapng { order } => self.walker = Some(Walker::Pcapng(PcapngWalker::new(order, interface))),
        }
    }

    fn find(&mut self, facts: &mut FileFacts) -> Result<Option<Record>, Error> {
        loop {
            let at_end = self.behind != Behind::More;
            let bytes = self.buffer.bytes();
            if bytes.is_empty() && at_end && !self.pass_edge(facts)? {
                return Ok(None);
            }
            if let Some(seeking) = self.seeking {
                self.seek(seeking, facts)?;
                continue;
            }
            let Some(walker) = self.walker.as_mut() else {
                return Ok(None);
            };
            match walker.step(self.buffer.bytes(), at_end) {
                Step::Packet(record) => {
                    if let Some(expected) = record.oddity.fault {
                        self.note(expected, record.length, facts);
                    }
                    return Ok(Some(record));
                }
                Step::NeedMore(total) if at_end => self.tail(total, facts)?,
                Step::NeedMore(total) => self.fill_noting(total, facts)?,
                other => self.between_packets(other, facts)?,
            }
        }
    }

    fn between_packets(&mut self, step: Step, facts: &mut FileFacts) -> Result<(), Error> {
        match step {
            Step::Packet(_) | Step::NeedMore(_) => {}
            Step::Block {
                length,
                kind,
                body,
                fault,
            } => {
                if let Some(expected) = fault {
                    self.note(expected, length, facts);
                }
                if let Some(Walker::Pcapng(walker)) = &self.walker {
                    let body = self.buffer.bytes().get(body).unwrap_or_default();
                    facts.absorb_block(walker, kind, body);
                    if let (BlockKind::InterfaceStatistics, Some(take)) = (kind, &mut self.on_statistics) {
                        take(facts);
                    }
                }
                self.buffer.consume(length);
            }
            Step::Unusable { length, expected } => {
                self.note(expected, length, facts);
                self.buffer.consume(length);
            }
            Step::Header(format) => {
                facts.glued_headers = facts.glued_headers.saturating_add(1);
                self.begin(format, facts);
            }
            Step::Damaged(expected) => self.start_seeking(expected, 1, facts)?,
        }
        Ok(())
    }

    /// Goes over the end of the octets: behind a gap reading goes on. False where nothing comes any more.
    fn pass_edge(&mut self, facts: &mut FileFacts) -> Result<bool, Error> {
        Ok(match self.behind {
            Behind::More => true,
            Behind::Gap => {
                self.behind = Behind::More;
                if self.seeking.is_none() {
                    self.start_seeking(self.wanted(), 0, facts)?;
                }
                true
            }
            Behind::End => {
                if let Some(seeking) = self
                    .seeking
                    .take()
                    .filter(|seeking| seeking.offset < self.buffer.offset())
                {
                    self.note_sought(seeking, None, facts);
                }
                false
            }
        })
    }

    fn start_seeking(&mut self, expected: Expected, from: usize, facts: &mut FileFacts) -> Result<(), Error> {
        if self.behind == Behind::More {
            // What is quoted must not depend on how much of it happened to be read.
            self.fill_noting(QUOTED_OCTETS, facts)?;
        }
        self.seeking = Some(Seeking {
            offset: self.buffer.offset(),
            expected,
            found: FirstOctets::of(self.buffer.bytes()),
            from,
        });
        Ok(())
    }

    fn seek(&mut self, seeking: Seeking, facts: &mut FileFacts) -> Result<(), Error> {
        let at_end = self.behind != Behind::More;
        let Some(walker) = &self.walker else {
            self.seeking = None;
            return Ok(());
        };
        let bytes = self.buffer.bytes();
        match walker.resync(bytes, seeking.from, at_end) {
            Resync::At(at) => {
                let resumed = self.buffer.offset().saturating_add(at as u64);
                self.seeking = None;
                if resumed > seeking.offset {
                    self.note_sought(seeking, Some(resumed), facts);
                }
                self.buffer.consume(at);
                if let Some(Walker::Pcapng(walker)) = &mut self.walker {
                    walker.resume(self.buffer.bytes());
                }
            }
            Resync::NeedMore { checked, total } => {
                self.seeking = Some(Seeking { from: 0, ..seeking });
                self.buffer.consume(checked);
                self.fill_noting(total.saturating_sub(checked), facts)?;
            }
            Resync::Nothing => {
                self.seeking = Some(Seeking { from: 0, ..seeking });
                self.buffer.consume(bytes.len());
            }
        }
        Ok(())
    }

    /// The octets end inside a record: is the file cut, or does the record claim too much?
    fn tail(&mut self, needed: usize, facts: &mut FileFacts) -> Result<(), Error> {
        let bytes = self.buffer.bytes();
        let inside = self.walker.as_ref().map(|walker| walker.resync(bytes, 1, true));
        if let Some(Resync::At(_)) = inside {
            self.start_seeking(self.wanted(), 1, facts)?;
            return Ok(());
        }
        if self.behind == Behind::End {
            self.cut(needed, facts);
        } else {
            self.start_seeking(self.wanted(), 0, facts)?;
        }
        self.buffer.consume(self.buffer.bytes().len());
        Ok(())
    }

    fn cut(&self, needed: usize, facts: &mut FileFacts) {
        facts.cut = Some(Cut {
            offset: self.buffer.offset(),
            present: self.buffer.bytes().len() as u64,
            needed: needed as u64,
        });
    }

    fn wanted(&self) -> Expected {
        self.walker.as_ref().map_or(Expected::PcapRecord, Walker::wanted)
    }

    fn fill(&mut self, total: usize) -> Result<Filled, Error> {
        self.buffer.fill(total).map_err(|source: io::Error| Error::Read {
            file: self.name.clone(),
            offset: self.buffer.position().0,
            source,
        })
    }

    fn fill_noting(&mut self, total: usize, facts: &mut FileFacts) -> Result<(), Error> {
        match self.fill(total)? {
            Filled::Enough => {}
            Filled::End => self.behind = Behind::End,
            Filled::Gap(fault) => {
                self.behind = Behind::Gap;
                if let Some(fault) = fault {
                    facts.damage(Damage {
                        file: self.index,
                        place: Place::CompressedFile,
                        offset: fault.offset,
                        expected: fault.expected,
                        found: fault.found,
                        resumed_at: fault.resumed_at,
                    });
                }
            }
        }
        Ok(())
    }

    /// Notes a contradiction in a record that costs nothing behind it.
    fn note(&self, expected: Expected, length: usize, facts: &mut FileFacts) {
        let offset = self.buffer.offset();
        facts.damage(Damage {
            file: self.index,
            place: Place::Capture,
            offset,
            expected,
            found: FirstOctets::of(self.buffer.bytes().get(..length).unwrap_or_default()),
            resumed_at: Some(offset.saturating_add(length as u64)),
        });
    }

    fn note_sought(&self, seeking: Seeking, resumed_at: Option<u64>, facts: &mut FileFacts) {
        facts.damage(Damage {
            file: self.index,
            place: Place::Capture,
            offset: seeking.offset,
            expected: seeking.expected,
            found: seeking.found,
            resumed_at,
        });
    }
}
