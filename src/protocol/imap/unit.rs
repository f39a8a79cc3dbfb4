//! Octets of one direction in any cutting → units: a line with the literals in it (RFC 9051, section 4.3; RFC 7888), the
//! first of two layers. Literals are counters: their octets are passed on, kept only where a login may stand in them.

use crate::span::{Direction, Span, Stamp};
use crate::tcp::Chunk;

/// Octets of text kept of a unit, its literals not counted.
pub const TEXT_OCTETS: usize = 8192;
/// Octets kept of a literal.
const LITERAL_OCTETS: usize = 1024;
/// Literals kept of a unit.
const LITERALS: usize = 8;
/// Octets at a line's end that are looked at for a literal's announcement and for what is announced.
const TAIL_OCTETS: usize = 64;

/// A literal of a client.
pub struct Literal {
    /// Its place in the text: just behind its announcement.
    pub at: usize,
    /// Its octets, the first [`LITERAL_OCTETS`].
    pub bytes: Vec<u8>,
}

/// A command or response with everything that belongs to it.
pub struct Unit {
    /// The text of its lines, announcements of literals included, the first [`TEXT_OCTETS`].
    pub text: Vec<u8>,
    /// Literals kept.
    pub literals: Vec<Literal>,
    /// Where it was seen.
    pub span: Span,
}

/// What a reader came upon.
pub enum Found<'a> {
    /// Nothing that is complete.
    Nothing,
    /// A literal of so many octets follows.
    Announced(u64),
    /// Octets of the literal.
    Literal(&'a [u8]),
    /// The last octets of the literal.
    LiteralEnd(&'a [u8]),
    /// The unit ended.
    Unit(Unit),
}

/// Puts units together.
#[derive(Default)]
pub struct UnitReader {
    text: Vec<u8>,
    tail: Vec<u8>,
    /// The end of the line that announced the literal in hand.
    announcer: Vec<u8>,
    /// The literal waits for the server's leave (RFC 9051, section 4.3).
    awaits_leave: bool,
    literals: Vec<Literal>,
    remaining: u64,
    keep_literals: bool,
    began: Option<(u64, Stamp)>,
    ended: Option<(u64, Stamp)>,
}

impl UnitReader {
    /// A reader; `keep_literals` where logins may stand in them.
    pub fn new(keep_literals: bool) -> Self {
        Self {
            keep_literals,
            ..Self::default()
        }
    }

    /// Takes octets up to the next thing found. `literals`: whether this text may announce a literal.
    pub fn read<'a>(&mut self, chunk: Chunk<'a>, literals: impl FnOnce(&[u8]) -> bool) -> (usize, Found<'a>) {
        if self.remaining > 0 {
            return self.literal(chunk);
        }
        let end = memchr::memchr(b'\n', chunk.bytes).map(|at| at + 1);
        let taken = end.unwrap_or(chunk.bytes.len());
        let piece = chunk.bytes.get(..taken).unwrap_or_default();
        self.note(chunk, taken);
        let space = TEXT_OCTETS.saturating_sub(self.text.len()).min(taken);
        self.text.extend_from_slice(piece.get(..space).unwrap_or_default());
        let skip = piece.len().saturating_sub(TAIL_OCTETS);
        self.tail.extend_from_slice(piece.get(skip..).unwrap_or_default());
        let over = self.tail.len().saturating_sub(TAIL_OCTETS);
        self.tail.drain(..over);
        if end.is_none() {
            return (taken, Found::Nothing);
        }
        let announced = announcement(&self.tail).filter(|_| literals(&self.text));
        self.announcer = std::mem::take(&mut self.tail);
        match announced {
            Some((octets, synchronising)) => {
                self.trim();
                self.awaits_leave = synchronising && octets > 0;
                self.begin_literal(octets);
                (taken, Found::Announced(octets))
            }
            None => (taken, self.take(chunk.direction).map_or(Found::Nothing, Found::Unit)),
        }
    }

    fn begin_literal(&mut self, octets: u64) {
        self.remaining = octets;
        if self.keep_literals && self.literals.len() < LITERALS {
            self.literals.push(Literal {
                at: self.text.len(),
                bytes: Vec::new(),
            });
        }
    }

    fn literal<'a>(&mut self, chunk: Chunk<'a>) -> (usize, Found<'a>) {
        let taken = usize::try_from(self.remaining)
            .unwrap_or(usize::MAX)
            .min(chunk.bytes.len());
        let piece = chunk.bytes.get(..taken).unwrap_or_default();
        self.note(chunk, taken);
        self.awaits_leave = false;
        self.remaining -= taken as u64;
        if self.keep_literals
            && let Some(literal) = self.literals.last_mut()
            && literal.at == self.text.len()
        {
            let space = LITERAL_OCTETS.saturating_sub(literal.bytes.len()).min(taken);
            literal.bytes.extend_from_slice(piece.get(..space).unwrap_or_default());
        }
        let found = if self.remaining == 0 {
            Found::LiteralEnd(piece)
        } else {
            Found::Literal(piece)
        };
        (taken, found)
    }

    fn note(&mut self, chunk: Chunk<'_>, taken: usize) {
        if taken > 0 {
            self.began.get_or_insert((chunk.offset, chunk.stamp));
            self.ended = Some((chunk.offset.saturating_add(taken as u64), chunk.stamp));
        }
    }

    fn trim(&mut self) {
        while matches!(self.text.last(), Some(b'\r' | b'\n')) {
            self.text.pop();
        }
    }

    /// What is there of the unit in hand.
    pub fn take(&mut self, direction: Direction) -> Option<Unit> {
        let (start, first) = self.began.take()?;
        let (end, last) = self.ended.take()?;
        self.trim();
        let unit = Unit {
            text: std::mem::take(&mut self.text),
            literals: std::mem::take(&mut self.literals),
            span: Span {
                direction,
                start,
                end,
                first,
                last,
            },
        };
        self.clear();
        Some(unit)
    }

    /// Forgets the unit in hand.
    pub fn clear(&mut self) {
        *self = Self::new(self.keep_literals);
    }

    /// The text in hand.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// A literal is announced and not complete.
    pub const fn in_literal(&self) -> bool {
        self.remaining > 0
    }

    /// The literal that was announced may not be sent yet.
    pub const fn awaits_leave(&self) -> bool {
        self.awaits_leave
    }

    /// The end of the line that announced the literal, up to the announcement.
    pub fn announced_item(&self) -> &[u8] {
        let end = memchr::memrchr(b'{', &self.announcer).unwrap_or(self.announcer.len());
        self.announcer.get(..end).unwrap_or_default()
    }

    /// Octets are missing. True where all of them lie in the literal, so that the place is not lost.
    pub fn gap(&mut self, octets: u64) -> bool {
        if octets > self.remaining || self.remaining == 0 {
            return false;
        }
        self.remaining -= octets;
        self.awaits_leave = false;
        true
    }

    /// Octets of memory held.
    pub fn weight(&self) -> usize {
        self.text.capacity()
            + self
                .literals
                .iter()
                .map(|literal| literal.bytes.capacity())
                .sum::<usize>()
    }
}

/// The size in "{n}", "{n+}", "~{n}" at the end of a line, and whether it waits for leave (RFC 7888).
fn announcement(tail: &[u8]) -> Option<(u64, bool)> {
    let line = tail.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let inside = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', inside)?;
    let digits = inside.get(open + 1..)?;
    let (digits, synchronising) = digits
        .strip_suffix(b"+")
        .map_or((digits, true), |digits| (digits, false));
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let octets = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((octets, synchronising))
}
