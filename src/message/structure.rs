//! The octets of a message body → its MIME parts (RFC 2045, RFC 2046). Looks only at lines that begin with "--", and only
//! while a boundary is open or a text may hold a PGP message: all else is passed on in whole runs. Nesting is a list of
//! open parts, never recursion. After a gap it goes on in the innermost open part.

use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::Finder;

use crate::captured::Captured;

use super::facts::{HEADER_OCTETS, HeaderDefect, MIME_DEPTH, MIME_PARTS, MessageFacts, Part, Protection};
use super::header::{Entity, fields, is_field};
use super::leaf::{Leaf, protect};

/// Longest boundary that is followed, in octets; RFC 2046 allows 70. A multipart with a longer one is one part.
pub const BOUNDARY_OCTETS: usize = 256;
/// Octets of a line beginning with "--" that are looked at.
const DELIMITER_OCTETS: usize = BOUNDARY_OCTETS + 64;

/// What begins a delimiter; made once, for it costs more than the search in one segment.
static DELIMITER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n--"));

/// A part whose end was not seen yet.
struct Open {
    part: Option<usize>,
    /// Boundary of a multipart, until its close delimiter.
    boundary: Option<Box<[u8]>>,
    start: u64,
    depth: usize,
    /// multipart/digest: parts without a type are messages (RFC 2046, section 5.1.5).
    digest: bool,
    /// A message within the message.
    message: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the start of a line, or inside of one that may be a delimiter: its octets wait in `line`.
    LineStart,
    /// Behind a line's start.
    InLine,
    /// In the header of a part.
    PartHeader,
}

/// Whether lines in some octets may begin with "-"; where the octets begin a line, that one is not meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dashes {
    None,
    Possible,
}

/// Reads one message's body.
pub struct Structure {
    open: Vec<Open>,
    leaf: Option<Leaf>,
    state: State,
    line: Vec<u8>,
    /// Length of the current header line, kept or not.
    line_length: u64,
    header: Vec<u8>,
    /// Offset of what was not passed on yet.
    position: u64,
    /// The last two octets passed on.
    last: [u8; 2],
    /// Messages within the message that are open.
    messages: u32,
    /// Lines matter: a boundary is open, or a text is read.
    scanning: bool,
    keep_text: bool,
}

impl Structure {
    /// A body under this header.
    pub fn new(entity: Entity, keep_text: bool, facts: &mut MessageFacts) -> Self {
        let mut structure = Self {
            open: Vec::new(),
            leaf: None,
            state: State::LineStart,
            line: Vec::new(),
            line_length: 0,
            header: Vec::new(),
            position: 0,
            last: [0; 2],
            messages: 0,
            scanning: false,
            keep_text,
        };
        structure.begin_part(entity, facts);
        structure
    }

    /// Takes octets of the body in any cutting.
    pub fn push(&mut self, mut bytes: &[u8], dashes: Dashes, facts: &mut MessageFacts) {
        while !bytes.is_empty() {
            let taken = match self.state {
                State::PartHeader => self.header_line(bytes, facts),
                _ if !self.scanning => {
                    self.pass(bytes, facts);
                    bytes.len()
                }
                State::LineStart => self.line_start(bytes, facts),
                State::InLine if dashes == Dashes::None => {
                    self.pass(bytes, facts);
                    if bytes.ends_with(b"\n") {
                        self.state = State::LineStart;
                    }
                    bytes.len()
                }
                State::InLine => self.in_line(bytes, facts),
            };
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    /// Octets are missing here.
    pub fn gap(&mut self, facts: &mut MessageFacts) {
        if self.state == State::PartHeader {
            self.keep_header_line();
            self.end_header(facts);
        }
        self.pass_line(facts);
        self.state = State::InLine;
        self.last = [0; 2];
    }

    /// The body ended.
    pub fn finish(mut self, facts: &mut MessageFacts) {
        if self.state == State::PartHeader {
            self.end_header_line(facts);
        }
        if self.state == State::PartHeader {
            self.end_header(facts);
        }
        if self.state == State::LineStart && !self.line.is_empty() {
            self.end_line(facts);
        }
        self.pass_line(facts);
        self.close_down_to(0, self.position, facts);
    }

    /// Approximate octets of memory held.
    pub fn weight(&self) -> usize {
        let open = self.open.len() * (size_of::<Open>() + 70);
        size_of::<Self>()
            + open
            + self.line.capacity()
            + self.header.capacity()
            + self.leaf.as_ref().map_or(0, Leaf::weight)
    }

    fn pass(&mut self, bytes: &[u8], facts: &mut MessageFacts) {
        self.position = self.position.saturating_add(bytes.len() as u64);
        match bytes {
            [.., before, last] => self.last = [*before, *last],
            [only] => self.last = [self.last[1], *only],
            [] => {}
        }
        if let Some(leaf) = &mut self.leaf {
            leaf.push(bytes, facts);
        }
    }

    fn pass_line(&mut self, facts: &mut MessageFacts) {
        let mut line = std::mem::take(&mut self.line);
        self.pass(&line, facts);
        line.clear();
        self.line = line;
    }

    fn line_start(&mut self, bytes: &[u8], facts: &mut MessageFacts) -> usize {
        let mut taken = 0;
        while self.line.len() < 2 {
            match bytes.get(taken) {
                Some(b'-') => {
                    self.line.push(b'-');
                    taken += 1;
                }
                Some(_) => {
                    self.pass_line(facts);
                    self.state = State::InLine;
                    return taken;
                }
                None => return taken,
            }
        }
        let rest = bytes.get(taken..).unwrap_or_default();
        let window = rest
            .get(..rest.len().min(DELIMITER_OCTETS - self.line.len()))
            .unwrap_or_default();
        match memchr(b'\n', window) {
            Some(end) => {
                self.line.extend_from_slice(window.get(..=end).unwrap_or_default());
                self.end_line(facts);
                taken + end + 1
            }
            None => {
                self.line.extend_from_slice(window);
                if self.line.len() >= DELIMITER_OCTETS {
                    self.pass_line(facts);
                    self.state = State::InLine;
                }
                taken + window.len()
            }
        }
    }

    fn in_line(&mut self, bytes: &[u8], facts: &mut MessageFacts) -> usize {
        let taken = match DELIMITER.find(bytes) {
            Some(at) => {
                self.state = State::LineStart;
                at + 1
            }
            None if bytes.ends_with(b"\n") => {
                self.state = State::LineStart;
                bytes.len()
            }
            None if bytes.ends_with(b"\n-") => {
                self.state = State::LineStart;
                bytes.len() - 1
            }
            None => bytes.len(),
        };
        self.pass(bytes.get(..taken).unwrap_or_default(), facts);
        taken
    }

    /// A whole line that begins with "--" waits in `line`.
    fn end_line(&mut self, facts: &mut MessageFacts) {
        if let Some((index, close)) = self.find_delimiter(&self.line) {
            let length = self.line.len() as u64;
            self.line.clear();
            self.delimiter(index, close, length, facts);
            return;
        }
        let in_text = self.leaf.as_ref().is_some_and(|leaf| leaf.is_text);
        if in_text && self.line.trim_ascii_end() == b"-----BEGIN PGP MESSAGE-----" {
            protect(facts, Protection::PgpInline);
        }
        self.pass_line(facts);
        self.state = State::LineStart;
    }

    /// The innermost open multipart that this line delimits, and whether it closes it.
    fn find_delimiter(&self, line: &[u8]) -> Option<(usize, bool)> {
        let text = line.strip_prefix(b"--")?.trim_ascii_end();
        for (index, open) in self.open.iter().enumerate().rev() {
            let Some(boundary) = open.boundary.as_deref() else {
                continue;
            };
            match text.strip_prefix(boundary) {
                Some(b"") => return Some((index, false)),
                Some(b"--") => return Some((index, true)),
                _ => {}
            }
        }
        None
    }

    fn delimiter(&mut self, index: usize, close: bool, length: u64, facts: &mut MessageFacts) {
        // The line end in front of a delimiter belongs to it (RFC 2046, section 5.1.1).
        let line_end = match self.last {
            [b'\r', b'\n'] => 2,
            [_, b'\n'] => 1,
            _ => 0,
        };
        self.close_down_to(index + 1, self.position.saturating_sub(line_end), facts);
        self.position = self.position.saturating_add(length);
        self.last = [0; 2];
        if close {
            if let Some(open) = self.open.get_mut(index) {
                open.boundary = None;
            }
            self.state = State::LineStart;
        } else {
            self.begin_header();
        }
        self.note_scanning();
    }

    fn begin_header(&mut self) {
        self.state = State::PartHeader;
        self.header.clear();
        self.line.clear();
        self.line_length = 0;
    }

    fn close_down_to(&mut self, count: usize, end: u64, facts: &mut MessageFacts) {
        while self.open.len() > count {
            let Some(closed) = self.open.pop() else {
                break;
            };
            let octets = end.saturating_sub(closed.start);
            if let Some(leaf) = self.leaf.take() {
                leaf.finish(octets, facts);
            }
            if let Some(part) = closed.part.and_then(|index| facts.parts.get_mut(index)) {
                part.encoded_octets = octets;
            }
            self.messages -= u32::from(closed.message);
        }
    }

    fn header_line(&mut self, bytes: &[u8], facts: &mut MessageFacts) -> usize {
        let end = memchr(b'\n', bytes).map(|at| at + 1);
        let taken = end.unwrap_or(bytes.len());
        let space = HEADER_OCTETS.saturating_sub(self.line.len());
        self.line
            .extend_from_slice(bytes.get(..taken.min(space)).unwrap_or_default());
        self.line_length = self.line_length.saturating_add(taken as u64);
        if end.is_some() {
            self.end_header_line(facts);
        }
        taken
    }

    fn end_header_line(&mut self, facts: &mut MessageFacts) {
        if let Some((index, close)) = self.find_delimiter(&self.line) {
            let length = self.line_length;
            self.end_header(facts);
            self.line.clear();
            self.delimiter(index, close, length, facts);
            return;
        }
        self.position = self.position.saturating_add(self.line_length);
        if matches!(self.line.as_slice(), b"\n" | b"\r\n") {
            self.end_header(facts);
            return;
        }
        if !self.keep_header_line() && !facts.defects.contains(&HeaderDefect::TooLong) {
            facts.defects.push(HeaderDefect::TooLong);
        }
    }

    /// Moves the line to the header, if it belongs there; false where the header is too long.
    fn keep_header_line(&mut self) -> bool {
        let belongs = is_field(&self.line) || self.line.first().is_some_and(|octet| matches!(octet, b' ' | b'\t'));
        let fits = self.header.len() + self.line.len() < HEADER_OCTETS;
        if belongs && fits {
            self.header.extend_from_slice(&self.line);
            if !self.line.ends_with(b"\n") {
                self.header.push(b'\n');
            }
        }
        self.line.clear();
        self.line_length = 0;
        fits
    }

    fn end_header(&mut self, facts: &mut MessageFacts) {
        let header = std::mem::take(&mut self.header);
        let entity = Entity::read(&fields(&header));
        self.line.clear();
        self.state = State::LineStart;
        self.begin_part(entity, facts);
    }

    fn begin_part(&mut self, mut entity: Entity, facts: &mut MessageFacts) {
        let parent = self.open.last();
        let depth = parent.map_or(0, |open| open.depth + 1);
        if !entity.content_type.contains(&b'/') {
            let in_digest = parent.is_some_and(|open| open.digest);
            entity.content_type = if in_digest {
                b"message/rfc822".to_vec()
            } else {
                b"text/plain".to_vec()
            };
        }
        let own = self.messages == 0;
        if own {
            note_entity(&entity, facts);
        }
        let part = list_part(&entity, depth, facts);
        let encoded = matches!(entity.transfer_encoding.as_slice(), b"base64" | b"quoted-printable");
        let message = !encoded && matches!(entity.content_type.as_slice(), b"message/rfc822" | b"message/global");
        let boundary = entity
            .boundary
            .take_if(|boundary| entity.content_type.starts_with(b"multipart/") && boundary.len() <= BOUNDARY_OCTETS);
        let container = message || boundary.is_some();
        let followed = container && depth < MIME_DEPTH;
        facts.too_deep |= container && !followed;
        self.last = [0; 2];
        self.open.push(Open {
            part,
            boundary: boundary.filter(|_| followed).map(Vec::into_boxed_slice),
            start: self.position,
            depth,
            digest: entity.content_type == b"multipart/digest",
            message: message && followed,
        });
        if !followed {
            self.leaf = Some(Leaf::new(&entity, part, own, self.keep_text));
        } else if message {
            self.messages += 1;
            self.begin_header();
        }
        self.note_scanning();
    }

    fn note_scanning(&mut self) {
        self.scanning =
            self.open.iter().any(|open| open.boundary.is_some()) || self.leaf.as_ref().is_some_and(|leaf| leaf.is_text);
    }
}

fn list_part(entity: &Entity, depth: usize, facts: &mut MessageFacts) -> Option<usize> {
    if facts.parts.len() >= MIME_PARTS {
        facts.parts_not_kept = facts.parts_not_kept.saturating_add(1);
        return None;
    }
    let transfer_encoding = entity.transfer_encoding.as_slice();
    if facts.parts.is_empty() {
        // Most messages have one part, or one with two in it.
        facts.parts.reserve_exact(if entity.boundary.is_some() { 3 } else { 1 });
    }
    facts.parts.push(Part {
        depth: u16::try_from(depth).unwrap_or(u16::MAX),
        content_type: Captured::new(&entity.content_type),
        file_name: entity.file_name.as_deref().map(Captured::from),
        attachment: entity.attachment || entity.file_name.is_some(),
        transfer_encoding: (!transfer_encoding.is_empty()).then(|| Captured::new(transfer_encoding)),
        encoded_octets: 0,
        encrypted_zip: None,
    });
    Some(facts.parts.len() - 1)
}

/// What a part's header says of the whole message.
fn note_entity(entity: &Entity, facts: &mut MessageFacts) {
    let protocol = entity.protocol.as_slice();
    let protection = match entity.content_type.as_slice() {
        b"application/pkcs7-mime" | b"application/x-pkcs7-mime" => match entity.smime_type.as_slice() {
            b"enveloped-data" | b"authenveloped-data" => Some(Protection::SmimeEncrypted),
            b"signed-data" => Some(Protection::SmimeSignedOpaque),
            _ => None,
        },
        b"multipart/signed" if protocol.ends_with(b"pkcs7-signature") => Some(Protection::SmimeSigned),
        b"multipart/signed" if protocol == b"application/pgp-signature" => Some(Protection::PgpSigned),
        b"multipart/encrypted" if protocol == b"application/pgp-encrypted" => Some(Protection::PgpEncrypted),
        _ => None,
    };
    if let Some(protection) = protection {
        protect(facts, protection);
    }
    if entity.content_type == b"multipart/report" && facts.report_type.is_none() {
        facts.report_type = entity
            .report_type
            .as_ref()
            .map(|kind| Captured::new(kind.get(..kind.len().min(64)).unwrap_or_default()));
    }
}
