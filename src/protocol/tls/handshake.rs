//! Puts handshake messages together: the clear handshake octets of one direction, however records and segments cut
//! them → complete messages (RFC 8446, section 5.1). Reads no message; keeps no more than [`HANDSHAKE_OCTETS`].

use crate::protocol::tls::facts::Version;
use crate::span::{Direction, Span, Stamp};

/// Octets of clear handshake messages kept and read per direction; later messages are skipped and counted as
/// unreadable.
pub const HANDSHAKE_OCTETS: u32 = 256 * 1024;

/// Octets for which there is room at once where a message is cut; its header may claim any length.
const ROOM: usize = 4096;

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// Its octets, handshake header included.
    pub(super) span: Span,
    /// Version of the record that brought its first octet.
    pub(super) record_version: Version,
    /// Length of the body in octets.
    pub(super) length: u32,
    /// Records that brought octets of it.
    pub(super) records: u32,
}

/// A complete message.
pub(super) struct Message<'a> {
    /// HandshakeType.
    pub(super) kind: u8,
    octets: Octets<'a>,
    /// Where it was seen.
    pub(super) origin: Origin,
}

enum Octets<'a> {
    /// The body, where it lay whole in a piece.
    InPlace(&'a [u8]),
    /// Header and body, put together.
    Collected(Vec<u8>),
}

impl Message<'_> {
    /// Without the four octets of header.
    pub(super) fn body(&self) -> &[u8] {
        match &self.octets {
            Octets::InPlace(body) => body,
            Octets::Collected(whole) => whole.get(4..).unwrap_or_default(),
        }
    }
}

/// Octets of one clear handshake record, with what is needed to say where they were.
pub(super) struct Piece<'a> {
    /// The octets.
    pub(super) bytes: &'a [u8],
    /// Offset of the first in the direction's stream.
    pub(super) offset: u64,
    /// The frame that brought them.
    pub(super) stamp: Stamp,
    /// The direction.
    pub(super) direction: Direction,
    /// Version of the record.
    pub(super) record_version: Version,
}

/// What came of a piece.
pub(super) enum Outcome<'a> {
    /// A message is complete; there may be more in the piece.
    Message(Message<'a>),
    /// All octets are used up.
    Used,
}

/// The handshake octets of one direction.
#[derive(Default)]
pub(super) struct Assembler {
    /// A message that is not complete.
    partial: Option<Box<Partial>>,
    /// Octets still to pass over of a message that is not kept.
    skipping: u32,
    /// Octets of messages kept so far.
    spent: u32,
    /// Messages not kept or not readable.
    unreadable: u32,
    /// Ordinal of the current handshake record, round and round.
    record: u32,
    /// Decrypted octets are read: messages that are never sent in clear may come.
    pub(super) decrypted: bool,
    /// Octets are missing: a message may begin only at the start of a record, and only where it looks like one.
    adrift: bool,
    /// The rest of the current record is of no use.
    ignoring_record: bool,
}

const _: () = assert!(size_of::<Assembler>() <= 32);

/// A message that is not complete: it exists only as long as a handshake waits for its next octets.
struct Partial {
    /// Header and body so far.
    buffer: Vec<u8>,
    /// Where it began.
    started: Started,
}

#[derive(Clone, Copy)]
struct Started {
    offset: u64,
    stamp: Stamp,
    record_version: Version,
    records: u32,
    last_record: u32,
}

impl Assembler {
    /// A clear handshake record begins.
    pub(super) fn begin_record(&mut self) {
        self.record = self.record.wrapping_add(1);
        self.ignoring_record = false;
    }

    /// Messages that were too large to keep or lost to a gap.
    pub(super) const fn unreadable(&self) -> u32 {
        self.unreadable
    }

    /// Octets of memory in use.
    pub(super) fn weight(&self) -> usize {
        let partial = self.partial.as_ref();
        partial.map_or(0, |partial| size_of::<Partial>() + partial.buffer.capacity())
    }

    /// Octets are missing before the next ones, of which `inside` says how many are known to be handshake octets of the
    /// current record; `None` where even the record layer lost its place.
    pub(super) fn gap(&mut self, inside: Option<u64>) {
        let missing = inside.and_then(|count| u32::try_from(count).ok());
        match missing {
            Some(missing) if self.skipping >= missing && self.skipping > 0 => self.skipping -= missing,
            Some(missing) if self.left().is_some_and(|left| left >= missing) => {
                self.skipping = self.left().unwrap_or(0) - missing;
                self.drop_message();
            }
            _ => {
                if self.partial.is_some() {
                    self.drop_message();
                }
                self.skipping = 0;
                self.adrift = true;
                self.ignoring_record = true;
            }
        }
    }

    /// Something came that cannot stand inside a message: forget the one that is not complete.
    pub(super) fn interrupt(&mut self) {
        if self.partial.is_some() {
            self.drop_message();
        }
        self.skipping = 0;
    }

    /// Body octets still missing, where the header is complete.
    fn left(&self) -> Option<u32> {
        self.partial.as_ref()?.left()
    }

    fn drop_message(&mut self) {
        self.unreadable = self.unreadable.saturating_add(1);
        self.partial = None;
    }

    /// Reads octets from the front of the piece up to the end of one message.
    pub(super) fn read<'a>(&mut self, piece: &mut Piece<'a>) -> Outcome<'a> {
        loop {
            if self.ignoring_record || piece.bytes.is_empty() {
                piece.skip(piece.bytes.len());
                return Outcome::Used;
            }
            if self.skipping > 0 {
                let count = piece.bytes.len().min(self.skipping as usize);
                self.skipping = self.skipping.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
                piece.skip(count);
                continue;
            }
            if let Some(message) = self.read_in_place(piece) {
                return Outcome::Message(message);
            }
            if let Some(message) = self.collect(piece) {
                return Outcome::Message(message);
            }
        }
    }

    /// A message that lies whole in the piece is not copied.
    fn read_in_place<'a>(&mut self, piece: &mut Piece<'a>) -> Option<Message<'a>> {
        if self.partial.is_some() || self.adrift {
            return None;
        }
        let (kind, length) = header(piece.bytes)?;
        let end = usize::try_from(length).ok()?.checked_add(4)?;
        let body = piece.bytes.get(4..end)?;
        if !self.affords(length) {
            return None;
        }
        self.spent = self.spent.saturating_add(length);
        let started = self.start(piece);
        let origin = started.origin(piece, end, length);
        piece.skip(end);
        Some(Message {
            kind,
            octets: Octets::InPlace(body),
            origin,
        })
    }

    /// Copies octets until the header, then until the body is complete.
    fn collect<'a>(&mut self, piece: &mut Piece<'a>) -> Option<Message<'a>> {
        let mut partial = match self.partial.take() {
            Some(partial) => partial,
            None => Box::new(Partial {
                buffer: Vec::with_capacity(room(piece.bytes)),
                started: self.start(piece),
            }),
        };
        let started = &mut partial.started;
        if started.last_record != self.record {
            started.last_record = self.record;
            started.records = started.records.saturating_add(1);
        }
        let had_header = partial.left().is_some();
        let origin = partial.take_from(piece)?;
        let Some((kind, length)) = header(&partial.buffer) else {
            self.partial = Some(partial);
            return None;
        };
        if !had_header && !self.accept(kind, length) {
            return None;
        }
        if partial.left() != Some(0) {
            self.partial = Some(partial);
            return None;
        }
        self.spent = self.spent.saturating_add(length);
        Some(Message {
            kind,
            octets: Octets::Collected(partial.buffer),
            origin: Origin { length, ..origin },
        })
    }

    /// The header is complete: keep the message, pass over it, or find that it is none.
    fn accept(&mut self, kind: u8, length: u32) -> bool {
        if self.adrift {
            let may_begin = plausible(kind, length) || (self.decrypted && plausible_inside(kind, length));
            if !may_begin {
                self.ignoring_record = true;
                return false;
            }
            self.adrift = false;
        }
        if self.affords(length) {
            return true;
        }
        self.drop_message();
        self.skipping = length;
        false
    }

    fn affords(&self, length: u32) -> bool {
        self.spent.saturating_add(length) <= HANDSHAKE_OCTETS
    }

    fn start(&self, piece: &Piece<'_>) -> Started {
        Started {
            offset: piece.offset,
            stamp: piece.stamp,
            record_version: piece.record_version,
            records: 1,
            last_record: self.record,
        }
    }
}

impl Partial {
    /// Body octets still missing, where the header is complete.
    fn left(&self) -> Option<u32> {
        let (_, length) = header(&self.buffer)?;
        let have = u32::try_from(self.buffer.len()).ok()?.checked_sub(4)?;
        length.checked_sub(have)
    }

    /// Copies what is missing of the header, else of the body, as far as the piece has it; gives where the message is so far.
    fn take_from(&mut self, piece: &mut Piece<'_>) -> Option<Origin> {
        let wanted = match self.left() {
            Some(left) => left as usize,
            None => 4_usize.saturating_sub(self.buffer.len()),
        };
        let count = wanted.min(piece.bytes.len());
        self.buffer.extend_from_slice(piece.bytes.get(..count)?);
        let origin = self.started.origin(piece, count, 0);
        piece.skip(count);
        Some(origin)
    }
}

impl Started {
    /// The origin of a message that ends `count` octets into the piece.
    fn origin(&self, piece: &Piece<'_>, count: usize, length: u32) -> Origin {
        Origin {
            span: Span {
                direction: piece.direction,
                start: self.offset,
                end: piece.offset.saturating_add(count as u64),
                first: self.stamp,
                last: piece.stamp,
            },
            record_version: self.record_version,
            length,
            records: self.records,
        }
    }
}

impl Piece<'_> {
    /// Steps over octets.
    fn skip(&mut self, count: usize) {
        self.bytes = self.bytes.get(count..).unwrap_or_default();
        self.offset = self.offset.saturating_add(count as u64);
    }
}

/// Type and length of a message from its first four octets.
fn header(bytes: &[u8]) -> Option<(u8, u32)> {
    match bytes {
        &[kind, high, middle, low, ..] => Some((kind, u32::from_be_bytes([0, high, middle, low]))),
        _ => None,
    }
}

/// Room for a message that begins so, up to [`ROOM`].
fn room(bytes: &[u8]) -> usize {
    header(bytes).map_or(4, |(_, length)| ROOM.min(4 + length as usize))
}

/// After missing octets: types that exist, lengths that they can have.
fn plausible(kind: u8, length: u32) -> bool {
    match kind {
        0 | 14 => length == 0,
        1 | 2 => (38..=16_384).contains(&length),
        4 | 11..=13 | 15 | 16 | 22 => (1..=65_535).contains(&length),
        _ => false,
    }
}

/// The same for messages that are sent only under protection.
fn plausible_inside(kind: u8, length: u32) -> bool {
    match kind {
        5 => length == 0,
        8 => (2..=16_384).contains(&length),
        20 => (12..=64).contains(&length),
        24 => length == 1,
        _ => false,
    }
}
