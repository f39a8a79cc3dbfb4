//! Walks mail data (RFC 5321, sections 4.1.1.4 and 4.5.2; RFC 3030): octets of a body in place → its end, its line facts,
//! and the message's octets with dot-stuffing undone. One search finds all that matters; copies nothing, keeps nothing.

use memchr::{memchr2, memmem};

use crate::message;
use crate::protocol::line::span_of;
use crate::protocol::smtp::usual_lines::UsualLines;
use crate::protocol::smtp::{DataFacts, LineFacts};
use crate::span::{Span, Stamp};
use crate::tcp::Chunk;

/// Where in a line the walk stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Place {
    /// Behind CRLF, or at the first octet.
    #[default]
    LineStart,
    /// In a line.
    Inside,
    /// A dot at the start of a line, not yet handed on.
    Dot,
    /// A dot and CR at the start of a line, not yet handed on.
    DotReturn,
    /// Behind LF without CR.
    AfterLineFeed,
    /// Behind LF without CR, and a dot.
    LineFeedDot,
}

/// How mail data is delimited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// DATA: dots are stuffed, CRLF . CRLF ends it.
    Dotted,
    /// BDAT: counted octets.
    Counted,
}

/// Mail data that is being read.
#[derive(Debug)]
pub struct MailData {
    form: Form,
    place: Place,
    /// The octets before the next one; 0 where they are not known.
    before: [u8; 2],
    /// The octet before the next one is missing in a gap.
    behind_gap: bool,
    /// The frame of a CR that may yet be followed by LF.
    last_stamp: Option<Stamp>,
    line_length: u64,
    /// A line of what was not yet handed on begins with "-", at another place than the start.
    dashes: bool,
    carriage_returns: u64,
    paired: u64,
    facts: LineFacts,
    message: message::Decoder,
    size: u64,
    missing: u64,
    span: Option<Span>,
    /// Number of the command that it belongs to.
    pub command: Option<u64>,
    /// BDAT chunks so far.
    pub chunks: u32,
    /// The end was seen.
    pub ended: Option<Stamp>,
}

impl MailData {
    /// Mail data that begins with the next octet.
    pub fn new(form: Form, keep_text: bool) -> Self {
        Self {
            form,
            place: Place::default(),
            before: [0; 2],
            behind_gap: false,
            last_stamp: None,
            line_length: 0,
            dashes: false,
            carriage_returns: 0,
            paired: 0,
            facts: LineFacts::default(),
            message: message::Decoder::new(keep_text),
            size: 0,
            missing: 0,
            span: None,
            command: None,
            chunks: 0,
            ended: None,
        }
    }

    /// Octets are missing; the walk goes on as at the start of a line, for the last dot often travels alone.
    pub fn gap(&mut self, octets: u64) {
        self.missing = self.missing.saturating_add(octets);
        self.message.gap(octets);
        if self.before[1] == b'\r' {
            self.paired += 1;
        }
        self.place = match self.form {
            Form::Dotted => Place::LineStart,
            Form::Counted => Place::Inside,
        };
        self.before = [0; 2];
        self.behind_gap = true;
        self.line_length = 0;
    }

    /// True where octets of it are missing.
    pub const fn has_gap(&self) -> bool {
        self.missing > 0
    }

    /// True once an octet of it was seen.
    pub const fn has_begun(&self) -> bool {
        self.span.is_some()
    }

    /// True where the next octet begins a line.
    pub fn at_line_start(&self) -> bool {
        self.place == Place::LineStart
    }

    /// A whole line of a body whose end may lie in a gap: it goes to the message, but tells nothing about line ends.
    pub fn line(&mut self, line: &[u8], span: Span) {
        let line = line.strip_prefix(b".").unwrap_or(line);
        self.cover(span);
        self.hand_on(line);
        self.hand_on(b"\r\n");
    }

    /// Marks the end at a line that was read outside, and what it covers.
    pub fn end_at(&mut self, span: Span) {
        self.cover(span);
        self.ended = Some(span.last);
    }

    /// Reads octets up to the end of data; returns how many.
    pub fn read(&mut self, chunk: &Chunk<'_>) -> usize {
        if self.before[1] == b'\r'
            && chunk.bytes.first().is_some_and(|octet| *octet != b'\n')
            && let Some(stamp) = self.last_stamp
        {
            // The CR that ended the chunk before stands alone.
            self.odd(stamp);
        }
        let end = self.walk(chunk.bytes, chunk.stamp);
        let read = chunk.bytes.get(..end).unwrap_or_default();
        self.count(read, chunk.stamp);
        if !read.is_empty() {
            self.cover(span_of(chunk, read.len()));
        }
        end
    }

    fn cover(&mut self, span: Span) {
        self.span = Some(self.span.map_or(span, |before| before.through(span)));
    }

    fn hand_on(&mut self, octets: &[u8]) {
        if !octets.is_empty() {
            self.size = self.size.saturating_add(octets.len() as u64);
            if std::mem::take(&mut self.dashes) {
                self.message.push(octets);
            } else {
                self.message.push_without_dashes(octets);
            }
        }
    }

    fn odd(&mut self, stamp: Stamp) {
        self.facts.first_odd.get_or_insert(stamp);
    }

    fn ambiguous(&mut self, stamp: Stamp) {
        self.facts.ambiguous_ends += 1;
        self.odd(stamp);
    }

    /// Goes from line to line; returns where it stopped: behind the end of data, or behind the last octet.
    fn walk(&mut self, bytes: &[u8], stamp: Stamp) -> usize {
        let mut position = 0;
        // The first octet that is not handed on yet.
        let mut from = 0;
        while let Some(&octet) = bytes.get(position) {
            match self.place {
                Place::LineStart if octet == b'.' && self.form == Form::Dotted => {
                    self.hand_on(bytes.get(from..position).unwrap_or_default());
                    self.place = Place::Dot;
                    position += 1;
                    from = position;
                }
                Place::LineStart => self.place = Place::Inside,
                Place::Dot => {
                    self.behind_dot(octet, stamp);
                    if self.place == Place::DotReturn {
                        self.carriage_returns += 1;
                        position += 1;
                        from = position;
                    }
                }
                Place::DotReturn if octet == b'\n' => {
                    self.paired += 1;
                    self.ended = Some(stamp);
                    return position + 1;
                }
                Place::DotReturn => {
                    self.ambiguous(stamp);
                    self.hand_on(b"\r");
                    self.line_length = 2;
                    self.place = Place::Inside;
                }
                Place::AfterLineFeed if octet == b'.' && self.form == Form::Dotted => {
                    self.place = Place::LineFeedDot;
                    self.line_length = 1;
                    position += 1;
                }
                Place::AfterLineFeed => self.place = Place::Inside,
                Place::LineFeedDot => {
                    if matches!(octet, b'\r' | b'\n') {
                        self.ambiguous(stamp);
                    }
                    self.place = Place::Inside;
                }
                Place::Inside => position = self.rest_of_line(bytes, position, stamp),
            }
        }
        self.hand_on(bytes.get(from..position).unwrap_or_default());
        position
    }

    fn behind_dot(&mut self, octet: u8, stamp: Stamp) {
        if octet == b'\r' {
            self.place = Place::DotReturn;
            return;
        }
        self.line_length = 1;
        self.place = Place::Inside;
        match octet {
            b'.' => self.facts.stuffed_dots += 1,
            b'\n' => self.ambiguous(stamp),
            _ => {}
        }
    }

    /// Goes over line ends as long as nothing special follows them; returns where it stopped: at the start of a line that
    /// wants a look, or behind the last octet. Nearly all octets of a mail pass here, so one search serves for everything.
    fn rest_of_line(&mut self, bytes: &[u8], position: usize, stamp: Stamp) -> usize {
        // Not worth a try where lines end in LF alone, nor in front of the LF whose CR ended the chunk before.
        let worth = bytes.get(position) != Some(&b'\n') && self.facts.bare_line_feeds <= self.paired;
        let (line, next) = if worth {
            self.usual_lines(bytes, position)
        } else {
            (position, position)
        };
        if next == bytes.len() {
            self.line_length += (next - line) as u64;
            return next;
        }
        let stop = self.any_lines(bytes, position, (line, next), stamp);
        self.facts.eight_bit |= !bytes.get(next..stop).unwrap_or_default().is_ascii();
        stop
    }

    /// The same for lines of any kind: the current one begins at `line`, and its octets up to `next` need no second look.
    fn any_lines(
        &mut self,
        bytes: &[u8],
        position: usize,
        (mut line, mut next): (usize, usize),
        stamp: Stamp,
    ) -> usize {
        while let Some(at) = bytes.get(next..).and_then(|rest| memchr2(b'\r', b'\n', rest)) {
            let special = next + at;
            next = special + 1;
            let mut line_feed = special;
            if bytes.get(special) == Some(&b'\r') {
                self.carriage_returns += 1;
                if bytes.get(next) != Some(&b'\n') {
                    continue;
                }
                line_feed = next;
                next += 1;
            }
            self.facts.lines += 1;
            self.facts.longest = self.facts.longest.max(self.line_length + (next - line) as u64);
            self.line_length = 0;
            line = next;
            self.place = self.behind_line_feed(bytes, line_feed, stamp);
            let first = bytes.get(line);
            self.dashes |= first == Some(&b'-');
            let plain = match first {
                Some(octet) => self.place == Place::LineStart && (*octet != b'.' || self.form == Form::Counted),
                None => false,
            };
            if !plain || special == position {
                return line;
            }
            self.place = Place::Inside;
        }
        self.line_length += (bytes.len() - line) as u64;
        bytes.len()
    }

    /// Goes over usual lines; returns where the next line begins, and how far its octets need no second look.
    /// [`Self::any_lines`] would do the same: this is its short way.
    fn usual_lines(&mut self, bytes: &[u8], position: usize) -> (usize, usize) {
        let lines = bytes.get(position..).unwrap_or_default();
        let usual = UsualLines::of(lines, self.form == Form::Dotted, self.line_length);
        if usual.count > 0 {
            self.line_length = 0;
        }
        self.dashes |= usual.dashes;
        self.carriage_returns += usual.count;
        self.paired += usual.count;
        self.facts.lines += usual.count;
        self.facts.longest = self.facts.longest.max(usual.longest);
        self.facts.eight_bit |= usual.eight_bit;
        let line = bytes.len() - usual.behind;
        (line, line + usual.text)
    }

    /// Where the walk stands behind an LF.
    fn behind_line_feed(&mut self, bytes: &[u8], line_feed: usize, stamp: Stamp) -> Place {
        let before = match line_feed.checked_sub(1).and_then(|index| bytes.get(index)) {
            Some(octet) => Some(*octet),
            None if self.behind_gap => None,
            None => Some(self.before[1]),
        };
        match before {
            Some(b'\r') => {
                self.paired += 1;
                Place::LineStart
            }
            // What stood before the LF is missing: most likely CR.
            None => Place::LineStart,
            Some(_) => {
                self.facts.bare_line_feeds += 1;
                self.odd(stamp);
                Place::AfterLineFeed
            }
        }
    }

    /// Counts what the walk leaves: lone CRs, and dots between them.
    fn count(&mut self, read: &[u8], stamp: Stamp) {
        let Some(&last) = read.last() else {
            return;
        };
        let known = self.facts.bare_carriage_returns;
        let open = u64::from(last == b'\r');
        let bare = self.carriage_returns.saturating_sub(self.paired).saturating_sub(open);
        if bare > known {
            self.odd(stamp);
        }
        self.facts.bare_carriage_returns = bare;
        if self.form == Form::Dotted {
            self.dots_between_returns(read, stamp, bare > known);
        }
        self.before = match read {
            [.., first, second] => [*first, *second],
            _ => [self.before[1], last],
        };
        self.behind_gap = false;
        self.last_stamp = Some(stamp);
    }

    /// Counts "CR . CR" and "CR . LF".
    fn dots_between_returns(&mut self, read: &[u8], stamp: Stamp, lone: bool) {
        let ends = |octet: Option<&u8>| matches!(octet, Some(b'\r' | b'\n'));
        let mut found = usize::from(self.before == *b"\r." && ends(read.first()));
        found += usize::from(self.before[1] == b'\r' && read.first() == Some(&b'.') && ends(read.get(1)));
        if lone {
            found += memmem::find_iter(read, b"\r.")
                .filter(|position| ends(read.get(position + 2)))
                .count();
        }
        for _ in 0..found {
            self.ambiguous(stamp);
        }
    }

    /// The facts; `None` where no octet was seen, none is missing and it did not end. `command` stands for the place of
    /// an empty message.
    pub fn finish_at(mut self, command: Span) -> Option<DataFacts> {
        if self.span.is_none() && self.missing == 0 && self.ended.is_none() {
            return None;
        }
        match self.place {
            Place::Dot if self.ended.is_none() => self.hand_on(b"."),
            Place::DotReturn if self.ended.is_none() => self.hand_on(b".\r"),
            _ => {}
        }
        if self.line_length > 0 {
            self.facts.lines += 1;
            self.facts.longest = self.facts.longest.max(self.line_length);
        }
        // In a gap more header fields may have stood.
        if self.ended.is_some() && self.missing == 0 {
            self.message.end();
        }
        Some(DataFacts {
            span: self.span.unwrap_or(command),
            size: self.size,
            missing: self.missing,
            ended: self.ended,
            chunks: self.chunks,
            line_facts: self.facts,
            message: Some(self.message.finish()),
        })
    }
}
