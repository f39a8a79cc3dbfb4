//! The octets of one message → [`MessageFacts`]. Finds the header's end, hands the header to [`super::header`] at once and
//! streams the body through [`super::structure`].

use super::facts::{HEADER_OCTETS, HeaderDefect, MessageFacts};
use super::hash::BodyHash;
use super::header::{Entity, fields, is_field, note_defects, read_message_header};
use super::structure::{Dashes, Structure};

/// A line that shows no colon within this many octets is no field: body began.
const FIELD_NAME_OCTETS: usize = 1024;

/// Room made for a header at once.
const USUAL_HEADER_OCTETS: usize = 1024;

/// Reads one message: [`push`](Self::push) and [`gap`](Self::gap) in order, [`end`](Self::end) where the end of the
/// message was seen, [`finish`](Self::finish). Any cutting of the octets gives the same facts.
///
/// Keeps at most two times [`HEADER_OCTETS`] while a header is open and about 64 KiB of text where the run keeps texts.
pub struct Decoder {
    /// In a box from the start, for they are moved when the message ends.
    facts: Box<MessageFacts>,
    keep_text: bool,
    phase: Phase,
    hash: BodyHash,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Decoder")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

enum Phase {
    Header(HeaderLines),
    Body(Box<Structure>),
}

#[derive(Default)]
struct HeaderLines {
    /// Field and continuation lines, each ended by LF.
    block: Vec<u8>,
    line: Vec<u8>,
    /// A line that is no field waits for the next one: either a stray line, or the body began without an empty line.
    stray: Option<Vec<u8>>,
    too_long: bool,
    after_gap: AfterGap,
    incomplete: bool,
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum AfterGap {
    #[default]
    No,
    /// The rest of a line whose start is missing.
    RestOfLine,
    /// The first whole line: field, or body already.
    FirstLine,
}

/// What a header line means.
enum Line {
    /// It was kept, counted or passed over.
    Header,
    /// The empty line.
    Separator,
    /// The body began with this line; `true` where a stray line stands before it.
    Body(bool),
}

impl Decoder {
    /// A decoder; `keep_text` keeps up to 64 KiB of the first text/plain part, decoded.
    #[must_use]
    pub fn new(keep_text: bool) -> Self {
        Self {
            facts: Box::default(),
            keep_text,
            phase: Phase::Header(HeaderLines::default()),
            hash: BodyHash::default(),
        }
    }

    /// Takes the next octets of the message, dot-stuffing undone, in any cutting.
    pub fn push(&mut self, bytes: &[u8]) {
        self.take(bytes, Dashes::Possible);
    }

    /// The same for octets in which no line begins with "-", but perhaps the first: none of them needs to be looked for.
    pub fn push_without_dashes(&mut self, bytes: &[u8]) {
        self.take(bytes, Dashes::None);
    }

    fn take(&mut self, mut bytes: &[u8], dashes: Dashes) {
        while !bytes.is_empty() {
            match &mut self.phase {
                Phase::Body(_) => {
                    self.push_body(bytes, dashes);
                    return;
                }
                Phase::Header(lines) => {
                    let end = memchr::memchr(b'\n', bytes).map(|at| at + 1);
                    if let Some(line) = end.and_then(|end| bytes.get(..end))
                        && lines.keep_whole(line)
                    {
                        bytes = bytes.get(line.len()..).unwrap_or_default();
                        continue;
                    }
                    let mut taken = end.unwrap_or(bytes.len());
                    // A line without a colon is decided at the same octet however the stream is cut.
                    let undecided = lines.line.len() < FIELD_NAME_OCTETS;
                    if undecided {
                        taken = taken.min(FIELD_NAME_OCTETS - lines.line.len());
                    }
                    let space = HEADER_OCTETS.saturating_sub(lines.line.len());
                    let piece = bytes.get(..taken).unwrap_or_default();
                    if lines.after_gap != AfterGap::RestOfLine {
                        lines
                            .line
                            .extend_from_slice(piece.get(..taken.min(space)).unwrap_or_default());
                        lines.too_long |= taken > space;
                    }
                    let ended = piece.ends_with(b"\n");
                    let is_body =
                        undecided && !ended && lines.line.len() >= FIELD_NAME_OCTETS && !lines.may_be_header();
                    bytes = bytes.get(taken..).unwrap_or_default();
                    if ended || is_body {
                        self.end_line();
                    }
                }
            }
        }
    }

    /// Octets are missing here: how many, 0 where that is not known. What may lie in the hole is not claimed to lack.
    pub fn gap(&mut self, octets: u64) {
        self.facts.missing = self.facts.missing.saturating_add(octets);
        match &mut self.phase {
            Phase::Header(lines) => lines.gap(),
            Phase::Body(structure) => {
                structure.gap(&mut self.facts);
                self.hash.gap(octets);
            }
        }
    }

    /// The end of the message was seen: a header that no empty line ended is complete.
    pub fn end(&mut self) {
        if let Phase::Header(lines) = &mut self.phase {
            lines.ended = true;
        }
    }

    /// The facts. A header that did not end before is not complete, unless [`end`](Self::end) was called.
    #[must_use]
    pub fn finish(mut self) -> Box<MessageFacts> {
        if let Phase::Header(lines) = &self.phase {
            let ended = lines.ended;
            if !lines.line.is_empty() {
                self.end_line();
            }
            if let Phase::Header(lines) = &mut self.phase {
                lines.incomplete |= !ended;
                let stray = lines.stray.take();
                let nothing = lines.block.is_empty() && ended;
                if stray.is_some() || nothing {
                    self.defect(HeaderDefect::NoSeparator);
                }
                self.begin_body();
                self.push_body(&stray.unwrap_or_default(), Dashes::Possible);
            }
        }
        if let Phase::Body(structure) = self.phase {
            structure.finish(&mut self.facts);
        }
        self.facts.body_octets = self.hash.octets();
        self.facts.body_hash = self.hash.finish();
        self.facts
    }

    /// Approximate octets of memory held.
    #[must_use]
    pub fn weight(&self) -> usize {
        let phase = match &self.phase {
            Phase::Header(lines) => lines.block.capacity() + lines.line.capacity(),
            Phase::Body(structure) => structure.weight(),
        };
        size_of::<Self>() + size_of::<MessageFacts>() + self.facts.parts.len() * size_of::<super::Part>() + phase
    }

    fn push_body(&mut self, bytes: &[u8], dashes: Dashes) {
        if let Phase::Body(structure) = &mut self.phase {
            self.hash.push(bytes);
            structure.push(bytes, dashes, &mut self.facts);
        }
    }

    fn defect(&mut self, defect: HeaderDefect) {
        if !self.facts.defects.contains(&defect) {
            self.facts.defects.push(defect);
        }
    }

    fn end_line(&mut self) {
        let Phase::Header(lines) = &mut self.phase else {
            return;
        };
        let had_stray = lines.stray.is_some();
        match lines.end_line() {
            Line::Header => {
                // A field behind it: the stray line was no body.
                let strayed = had_stray && lines.stray.is_none();
                if strayed {
                    self.defect(HeaderDefect::NotAField);
                }
            }
            Line::Separator => {
                if had_stray {
                    self.defect(HeaderDefect::NotAField);
                }
                self.begin_body();
            }
            Line::Body(behind_stray) => {
                let mut start = if behind_stray { lines.stray.take() } else { None }.unwrap_or_default();
                start.extend_from_slice(&lines.line);
                if !lines.incomplete {
                    self.defect(HeaderDefect::NoSeparator);
                }
                self.begin_body();
                self.push_body(&start, Dashes::Possible);
            }
        }
    }

    fn begin_body(&mut self) {
        let Phase::Header(lines) = &mut self.phase else {
            return;
        };
        let lines = std::mem::take(lines);
        let fields = fields(&lines.block);
        read_message_header(&fields, &mut self.facts);
        self.facts.header_complete = !lines.incomplete;
        note_defects(&fields, !lines.incomplete && !lines.too_long, &mut self.facts);
        if !lines.block.is_ascii() {
            self.facts.defects.push(HeaderDefect::RawEightBit);
        }
        if lines.too_long {
            self.facts.defects.push(HeaderDefect::TooLong);
        }
        let entity = Entity::read(&fields);
        self.phase = Phase::Body(Box::new(Structure::new(entity, self.keep_text, &mut self.facts)));
    }
}

impl HeaderLines {
    /// Keeps a whole line of the header, if none has begun and nothing is odd; else does nothing.
    fn keep_whole(&mut self, line: &[u8]) -> bool {
        let calm = self.line.is_empty() && self.stray.is_none() && self.after_gap == AfterGap::No;
        // Without a colon, a longer line would have been taken for body before its end.
        let usual = calm && line.len() <= FIELD_NAME_OCTETS && self.is_header(line);
        if usual {
            keep_line(line, &mut self.block, &mut self.too_long);
        }
        usual
    }

    /// The line in hand is a field or a continuation of one.
    fn may_be_header(&self) -> bool {
        self.is_header(&self.line)
    }

    fn is_header(&self, line: &[u8]) -> bool {
        match line.first() {
            Some(b' ' | b'\t') => self.stray.is_none() && !self.block.is_empty(),
            _ => is_field(line),
        }
    }

    fn end_line(&mut self) -> Line {
        match self.after_gap {
            AfterGap::RestOfLine => {
                self.after_gap = AfterGap::FirstLine;
                self.line.clear();
                return Line::Header;
            }
            AfterGap::FirstLine => {
                // A continuation of a field whose name is missing says nothing.
                if self.line.first().is_some_and(|octet| matches!(octet, b' ' | b'\t')) {
                    self.line.clear();
                    return Line::Header;
                }
                self.after_gap = AfterGap::No;
            }
            AfterGap::No => {}
        }
        if matches!(self.line.as_slice(), b"\n" | b"\r\n") {
            return Line::Separator;
        }
        if self.may_be_header() {
            self.stray = None;
            self.keep();
            return Line::Header;
        }
        let mailbox_file = self.line.starts_with(b"From ") || self.line.starts_with(b">From ");
        let first = self.block.is_empty() && !mailbox_file;
        if self.stray.is_some() || first || self.incomplete {
            return Line::Body(self.stray.is_some());
        }
        self.stray = Some(std::mem::take(&mut self.line));
        Line::Header
    }

    fn keep(&mut self) {
        keep_line(&self.line, &mut self.block, &mut self.too_long);
        self.line.clear();
    }

    fn gap(&mut self) {
        self.incomplete = true;
        self.stray = None;
        if self.after_gap == AfterGap::No && self.may_be_header() {
            self.keep();
        }
        self.line.clear();
        self.after_gap = AfterGap::RestOfLine;
    }
}

/// Adds a line to the block, as far as there is room.
fn keep_line(line: &[u8], block: &mut Vec<u8>, too_long: &mut bool) {
    let space = HEADER_OCTETS.saturating_sub(block.len());
    *too_long |= line.len() > space;
    let kept = line.get(..line.len().min(space)).unwrap_or_default();
    if kept.is_empty() {
        return;
    }
    if block.is_empty() {
        block.reserve(USUAL_HEADER_OCTETS);
    }
    block.extend_from_slice(kept);
    if !kept.ends_with(b"\n") {
        block.push(b'\n');
    }
}
