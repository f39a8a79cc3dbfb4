//! Owns both streams of one connection: tells the protocol, feeds its decoder, and hands each direction over from
//! plaintext to TLS at its own octet (RFC 3207, 2595, 9051). The only file that knows every protocol folder.
//!
//! | per direction | octets go to | until |
//! |---|---|---|
//! | Undecided | a small buffer | their beginning tells the protocol |
//! | Plain | the plaintext decoder | STARTTLS is asked or accepted, or TLS record octets appear behind a gap |
//! | Held (client) | a small buffer | the server answers STARTTLS, or they are TLS record octets |
//! | Switching | a small buffer | their beginning tells TLS from injected plaintext or a decrypting mirror |
//! | Tls | the TLS decoder | plaintext follows the end of TLS |
//!
//! What the TLS decoder opens with known secrets goes to the plaintext decoder of the same session, which is told that it
//! is inside TLS; behind implicit TLS its beginning tells the protocol first.
//!
//! Must never guess in silence: a switch without an accepted STARTTLS is [`TlsStart::Inferred`].

use crate::protocol::detect::{First, first};
use crate::protocol::tls::{Inside, Keys, Likeness, TlsFacts, TlsStart, looks_like_record};
use crate::protocol::{Progress, Retention, Upgrade, imap, pop3, retrieval, smtp, tls};
use crate::span::{Direction, PerDirection, Span, Stamp};
use crate::tcp::{Chunk, ConnectionFacts, Ending, Gap, Stream};

/// Octets held back in one direction while it is not decided where they belong.
const HELD_OCTETS: usize = 16 * 1024;
/// Octets that tell what a stream is.
const BEGINNING: usize = 96;
/// Octets of injected plaintext that are kept.
const INJECTED_OCTETS: usize = 256;

/// A protocol that a port suggests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// SMTP or LMTP.
    Smtp,
    /// POP3.
    Pop3,
    /// IMAP.
    Imap,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Mode {
    #[default]
    Undecided,
    Plain,
    Held,
    Switching,
    Tls,
}

enum Plain {
    None,
    Smtp(Box<smtp::Decoder>),
    Pop3(Box<pop3::Decoder>),
    Imap(Box<imap::Decoder>),
}

/// Octets of each direction that are set aside; nearly always none.
#[derive(Debug, Default)]
struct Held(Option<Box<PerDirection<HeldPieces>>>);

/// Octets set aside with where each run came from.
#[derive(Debug, Default)]
struct HeldPieces {
    pieces: Vec<(u64, Stamp, Vec<u8>)>,
    octets: usize,
}

impl Held {
    fn keep(&mut self, chunk: Chunk<'_>) {
        let held = self.0.get_or_insert_default().get_mut(chunk.direction);
        held.octets += chunk.bytes.len();
        held.pieces.push((chunk.offset, chunk.stamp, chunk.bytes.to_vec()));
    }

    fn octets(&self, direction: Direction) -> usize {
        self.0.as_ref().map_or(0, |held| held.get(direction).octets)
    }

    fn pieces(&self, direction: Direction) -> &[(u64, Stamp, Vec<u8>)] {
        self.0.as_ref().map_or(&[], |held| &held.get(direction).pieces)
    }

    /// Where the first of what is held came from.
    fn first(&self, direction: Direction) -> Stamp {
        self.pieces(direction)
            .first()
            .map_or(Stamp::default(), |(_, stamp, _)| *stamp)
    }

    /// Takes out what is held of one direction.
    fn take(&mut self, direction: Direction) -> Vec<(u64, Stamp, Vec<u8>)> {
        let Some(held) = &mut self.0 else {
            return Vec::new();
        };
        let taken = std::mem::take(held.get_mut(direction));
        if held.get(direction.opposite()).octets == 0 {
            self.0 = None;
        }
        taken.pieces
    }

    /// The first octets, for telling what they are.
    fn beginning(&self, direction: Direction) -> Vec<u8> {
        self.pieces(direction)
            .iter()
            .flat_map(|(_, _, bytes)| bytes.iter().copied())
            .take(BEGINNING)
            .collect()
    }

    fn is_full(&self, direction: Direction) -> bool {
        self.octets(direction) > HELD_OCTETS
    }

    /// Approximate heap octets held.
    fn weight(&self) -> usize {
        let pieces = |direction| self.octets(direction) + size_of_val(self.pieces(direction));
        let apart = self.0.as_ref().map_or(0, |_| size_of::<PerDirection<HeldPieces>>());
        apart + pieces(Direction::ToServer) + pieces(Direction::ToClient)
    }
}

/// Reads the two streams of one connection.
pub struct Conversation {
    expected: Expected,
    implicit_tls: bool,
    retention: Retention,
    modes: PerDirection<Mode>,
    held: Held,
    plain: Plain,
    plain_confirmed: bool,
    tls: Option<Box<tls::Decoder>>,
    /// The octets behind these points may be TLS although plaintext is expected: just behind a gap.
    behind_gap: PerDirection<bool>,
    joined_late: bool,
    /// Directions that are over.
    fins: PerDirection<bool>,
    keys: Option<Keys>,
    /// The plaintext decoder reads what is inside TLS.
    inside: bool,
}

// It lies in its connection, of which a busy mirror port has a hundred thousand.
const _: () = assert!(size_of::<Conversation>() <= 56);

/// What is left when a conversation is over.
#[derive(Debug, Default)]
pub struct Spoken {
    /// SMTP or LMTP.
    pub smtp: Option<Box<smtp::Dialogue>>,
    /// POP3.
    pub pop3: Option<Box<retrieval::Dialogue>>,
    /// IMAP.
    pub imap: Option<Box<retrieval::Dialogue>>,
    /// TLS.
    pub tls: Option<Box<TlsFacts>>,
    /// Content told the plaintext protocol, not only the port.
    pub confirmed: bool,
}

impl Conversation {
    /// A conversation with a server on a port that suggests `expected`; `implicit_tls` where TLS is expected from the
    /// first octet. `joined_late`: the capture did not show the beginning.
    #[must_use]
    pub fn new(expected: Expected, implicit_tls: bool, joined_late: bool, retention: Retention) -> Self {
        Self {
            expected,
            implicit_tls,
            retention,
            modes: PerDirection::default(),
            held: Held::default(),
            plain: Plain::None,
            plain_confirmed: false,
            tls: None,
            behind_gap: PerDirection {
                to_server: joined_late,
                to_client: joined_late,
            },
            joined_late,
            fins: PerDirection::default(),
            keys: None,
            inside: false,
        }
    }

    /// TLS opens with these secrets, where one fits. Before the first octet.
    #[must_use]
    pub fn with_keys(mut self, keys: Keys) -> Self {
        self.keys = Some(keys);
        self
    }

    /// TLS has begun in one direction or both.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Ends the conversation and hands out the facts.
    #[must_use]
    pub fn finish(mut self) -> Spoken {
        for direction in Direction::BOTH {
            self.release_undecided(direction);
            self.release_inside(direction);
        }
        let mut spoken = Spoken {
            confirmed: self.plain_confirmed,
            ..Spoken::default()
        };
        match self.plain {
            Plain::None => {}
            Plain::Smtp(decoder) => spoken.smtp = Some(decoder.finish()),
            Plain::Pop3(decoder) => spoken.pop3 = Some(Box::new(decoder.finish())),
            Plain::Imap(decoder) => spoken.imap = Some(Box::new(decoder.finish())),
        }
        spoken.tls = self.tls.map(|decoder| Box::new(decoder.finish()));
        spoken
    }

    #[inline]
    fn read(&mut self, chunk: Chunk<'_>) {
        if chunk.bytes.is_empty() {
            return;
        }
        match self.modes.get(chunk.direction) {
            Mode::Plain => self.read_plain(chunk),
            Mode::Tls => self.read_tls(chunk),
            Mode::Undecided | Mode::Held | Mode::Switching => self.read_unsettled(chunk),
        }
    }

    /// Apart from what nearly every segment needs.
    #[inline(never)]
    fn read_unsettled(&mut self, chunk: Chunk<'_>) {
        match self.modes.get(chunk.direction) {
            Mode::Undecided => self.read_undecided(chunk),
            Mode::Held => self.read_held(chunk),
            Mode::Switching => self.read_switching(chunk),
            Mode::Plain | Mode::Tls => {}
        }
    }

    fn read_undecided(&mut self, chunk: Chunk<'_>) {
        let direction = chunk.direction;
        // Nearly always the first segment tells, and nothing needs to be set aside.
        if self.held.octets(direction) == 0 {
            let found = first(direction, chunk.bytes.get(..BEGINNING).unwrap_or(chunk.bytes));
            if found != First::NeedMore {
                self.decide(direction, found, chunk.stamp);
                self.read(chunk);
                return;
            }
        }
        self.held.keep(chunk);
        let found = match first(direction, &self.held.beginning(direction)) {
            First::NeedMore if self.held.is_full(direction) => First::Unclear,
            found => found,
        };
        if found != First::NeedMore {
            self.decide(direction, found, self.held.first(direction));
        }
    }

    /// Ends the Undecided mode of one direction, which began at `at`; its held octets are read again in the new mode.
    fn decide(&mut self, direction: Direction, found: First, at: Stamp) {
        if found == First::Tls {
            self.begin_tls(direction, self.start_without_consent(), at);
        } else {
            let told = match found {
                First::Smtp => Some(Expected::Smtp),
                First::Pop3 => Some(Expected::Pop3),
                First::Imap => Some(Expected::Imap),
                _ => None,
            };
            // QUIT, AUTH or NOOP alone fit several protocols, so a port's word stands until content contradicts it.
            self.begin_plain(told);
            *self.modes.get_mut(direction) = Mode::Plain;
        }
        self.read_again(direction);
    }

    const fn start_without_consent(&self) -> TlsStart {
        if self.joined_late && !self.implicit_tls {
            TlsStart::Inferred
        } else {
            TlsStart::Implicit
        }
    }

    fn begin_plain(&mut self, told: Option<Expected>) {
        self.plain_confirmed |= told.is_some();
        if !matches!(self.plain, Plain::None) {
            return;
        }
        let retention = self.retention;
        self.plain = match told.unwrap_or(self.expected) {
            Expected::Smtp => Plain::Smtp(Box::new(smtp::Decoder::new(retention))),
            Expected::Pop3 => Plain::Pop3(Box::new(pop3::Decoder::new(retention))),
            Expected::Imap => Plain::Imap(Box::new(imap::Decoder::new(retention))),
        };
        if self.joined_late {
            match &mut self.plain {
                Plain::None => {}
                Plain::Smtp(decoder) => decoder.joined_late(),
                Plain::Pop3(decoder) => decoder.joined_late(),
                Plain::Imap(decoder) => decoder.joined_late(),
            }
        }
    }

    fn begin_tls(&mut self, direction: Direction, start: TlsStart, at: Stamp) {
        if self.tls.is_none() {
            let decoder = tls::Decoder::new(start, at);
            self.tls = Some(Box::new(match self.keys.take() {
                Some(keys) => decoder.with_keys(keys),
                None => decoder,
            }));
            if start != TlsStart::Implicit {
                self.note_switch(at);
            }
        }
        *self.modes.get_mut(direction) = Mode::Tls;
        if start != TlsStart::Implicit {
            for one in Direction::BOTH {
                if matches!(self.modes.get(one), Mode::Plain | Mode::Held) {
                    *self.modes.get_mut(one) = Mode::Switching;
                    self.reconsider(one);
                }
            }
        }
    }

    /// POP3 and IMAP note an accepted STLS or STARTTLS themselves.
    fn note_switch(&mut self, at: Stamp) {
        if let Plain::Smtp(decoder) = &mut self.plain {
            decoder.switched_to_tls(at);
        }
    }

    #[inline]
    fn read_again(&mut self, direction: Direction) {
        if self.held.0.is_some() {
            self.read_held_again(direction);
        }
    }

    fn read_held_again(&mut self, direction: Direction) {
        let held = self.held.take(direction);
        for (offset, stamp, ref bytes) in held {
            self.read(Chunk {
                direction,
                offset,
                bytes,
                stamp,
            });
        }
    }

    /// Octets held in a direction may be decided by what the other direction just told.
    fn reconsider(&mut self, direction: Direction) {
        if *self.modes.get(direction) == Mode::Switching && self.held.octets(direction) > 0 {
            self.settle_switching(direction);
        }
    }

    fn read_plain(&mut self, chunk: Chunk<'_>) {
        if std::mem::take(self.behind_gap.get_mut(chunk.direction)) && looks_like_record(chunk.bytes) == Likeness::Yes {
            self.begin_tls(chunk.direction, TlsStart::Inferred, chunk.stamp);
            self.read_tls(chunk);
            return;
        }
        let progress = match &mut self.plain {
            Plain::None => return,
            Plain::Smtp(decoder) => decoder.push(chunk),
            Plain::Pop3(decoder) => decoder.push(chunk),
            Plain::Imap(decoder) => decoder.push(chunk),
        };
        if progress.upgrade != Upgrade::None {
            self.read_upgrade(chunk, progress);
        }
    }

    /// The plaintext decoder stopped, for it read something of a hand-over to TLS.
    #[inline(never)]
    fn read_upgrade(&mut self, chunk: Chunk<'_>, progress: Progress) {
        match progress.upgrade {
            Upgrade::None => return,
            Upgrade::Asked => *self.modes.get_mut(Direction::ToServer) = Mode::Held,
            Upgrade::Accepted => self.accepted(),
            Upgrade::Refused => {
                *self.modes.get_mut(Direction::ToServer) = Mode::Plain;
                self.read_again(Direction::ToServer);
            }
        }
        self.read(chunk.skip(progress.octets));
    }

    /// The server agreed to TLS: what the client sent before that and is no TLS was smuggled behind STARTTLS.
    fn accepted(&mut self) {
        *self.modes.get_mut(Direction::ToClient) = Mode::Switching;
        *self.modes.get_mut(Direction::ToServer) = Mode::Switching;
        if self.held.octets(Direction::ToServer) == 0 {
            return;
        }
        if looks_like_record(&self.held.beginning(Direction::ToServer)) == Likeness::No {
            self.note_injected(Direction::ToServer);
        } else {
            self.settle_switching(Direction::ToServer);
        }
    }

    fn note_injected(&mut self, direction: Direction) {
        let held = self.held.take(direction);
        let (Some(first), Some(last)) = (held.first(), held.last()) else {
            return;
        };
        let span = Span {
            direction,
            start: first.0,
            end: last.0 + last.2.len() as u64,
            first: first.1,
            last: last.1,
        };
        let bytes: Vec<u8> = held
            .iter()
            .flat_map(|(_, _, bytes)| bytes.iter().copied())
            .take(INJECTED_OCTETS)
            .collect();
        match &mut self.plain {
            Plain::None => {}
            Plain::Smtp(decoder) => decoder.inject(span, &bytes),
            Plain::Pop3(decoder) => decoder.record_injected(span, &bytes),
            Plain::Imap(decoder) => decoder.record_injected(span, &bytes),
        }
    }

    /// The client asked for TLS and has not been answered in this capture; octets of TLS mean that it was.
    fn read_held(&mut self, chunk: Chunk<'_>) {
        let direction = chunk.direction;
        self.held.keep(chunk);
        if looks_like_record(&self.held.beginning(direction)) == Likeness::Yes {
            self.begin_tls(direction, TlsStart::Inferred, self.held.first(direction));
            self.read_again(direction);
        } else if self.held.is_full(direction) {
            *self.modes.get_mut(direction) = Mode::Plain;
            self.read_again(direction);
        }
    }

    fn read_switching(&mut self, chunk: Chunk<'_>) {
        let direction = chunk.direction;
        // Nearly always the first segment tells, and nothing needs to be set aside.
        if self.held.octets(direction) == 0 && looks_like_record(chunk.bytes) == Likeness::Yes {
            self.switch(direction, chunk.stamp);
            self.read(chunk);
            return;
        }
        self.held.keep(chunk);
        self.settle_switching(direction);
    }

    /// Tells what follows an accepted STARTTLS: TLS; plaintext that goes on in both directions (a decrypting mirror); or
    /// plaintext of the server alone (response injection).
    fn settle_switching(&mut self, direction: Direction) {
        match looks_like_record(&self.held.beginning(direction)) {
            Likeness::NeedMore if !self.held.is_full(direction) => {}
            Likeness::Yes => {
                self.switch(direction, self.held.first(direction));
                self.read_again(direction);
            }
            _ if self.tls.is_none() && direction == Direction::ToServer => {
                self.set_decrypting_mirror();
                for one in Direction::BOTH {
                    *self.modes.get_mut(one) = Mode::Plain;
                }
                for one in Direction::BOTH {
                    self.read_again(one);
                }
            }
            _ if self.tls.is_some() && matches!(self.plain, Plain::None) => {
                *self.modes.get_mut(direction) = Mode::Tls;
                self.read_again(direction);
            }
            _ if self.tls.is_some() => {
                // Plaintext in a direction whose opposite already speaks TLS: still the old dialogue (a late 220, an
                // error reply to binary octets).
                *self.modes.get_mut(direction) = Mode::Plain;
                self.read_again(direction);
                if *self.modes.get(direction) == Mode::Plain {
                    *self.modes.get_mut(direction) = Mode::Switching;
                }
            }
            // The server spoke after its consent and before the client: judged when the client's side is known.
            _ => {}
        }
    }

    /// TLS follows an accepted STARTTLS in a direction, from `at` on.
    fn switch(&mut self, direction: Direction, at: Stamp) {
        if self.tls.is_some() {
            *self.modes.get_mut(direction) = Mode::Tls;
        } else {
            self.begin_tls(direction, TlsStart::Upgraded, at);
        }
        let other = direction.opposite();
        if *self.modes.get(other) == Mode::Switching && self.held.octets(other) > 0 {
            if looks_like_record(&self.held.beginning(other)) == Likeness::No {
                self.note_injected(other);
            } else {
                self.reconsider(other);
            }
        }
    }

    fn set_decrypting_mirror(&mut self) {
        match &mut self.plain {
            Plain::None => {}
            Plain::Smtp(decoder) => decoder.set_decrypting_mirror(),
            Plain::Pop3(decoder) => decoder.set_decrypting_mirror(),
            Plain::Imap(decoder) => decoder.set_decrypting_mirror(),
        }
    }

    fn read_tls(&mut self, chunk: Chunk<'_>) {
        let Some(decoder) = &mut self.tls else { return };
        let read = decoder.push(chunk);
        if decoder.opens_some(chunk.direction) {
            self.read_inside();
        }
        if read < chunk.bytes.len() {
            self.begin_plain(None);
            // What follows the end of TLS is in clear again.
            self.set_inside(false);
            *self.modes.get_mut(chunk.direction) = Mode::Plain;
            self.read_plain(chunk.skip(read));
        }
    }

    /// Reads what the TLS decoder opened.
    fn read_inside(&mut self) {
        while let Some(inside) = self.tls.as_mut().and_then(|decoder| decoder.poll_inside()) {
            match inside {
                Inside::Text(text) => {
                    for chunk in text.chunks() {
                        self.read_inside_chunk(chunk);
                    }
                }
                Inside::Gap(gap) => {
                    self.release_inside(gap.direction);
                    self.gap_in_plaintext(&gap);
                }
            }
        }
    }

    fn read_inside_chunk(&mut self, chunk: Chunk<'_>) {
        if self.inside {
            self.push_inside(chunk);
            return;
        }
        let direction = chunk.direction;
        if !matches!(self.plain, Plain::None) {
            self.set_inside(true);
            self.push_inside(chunk);
            return;
        }
        self.held.keep(chunk);
        match first(direction, &self.held.beginning(direction)) {
            First::NeedMore if !self.held.is_full(direction) => {}
            First::Smtp => self.decide_inside(Some(Expected::Smtp)),
            First::Pop3 => self.decide_inside(Some(Expected::Pop3)),
            First::Imap => self.decide_inside(Some(Expected::Imap)),
            _ => self.decide_inside(None),
        }
    }

    /// The protocol inside implicit TLS is told, by content or by port.
    fn decide_inside(&mut self, told: Option<Expected>) {
        self.begin_plain(told);
        self.set_inside(true);
        for direction in Direction::BOTH {
            let held = self.held.take(direction);
            for (offset, stamp, ref bytes) in held {
                self.push_inside(Chunk {
                    direction,
                    offset,
                    bytes,
                    stamp,
                });
            }
        }
    }

    /// Whether the plaintext decoder reads what is inside TLS.
    const fn set_inside(&mut self, inside: bool) {
        self.inside = inside;
        match &mut self.plain {
            Plain::None => {}
            Plain::Smtp(decoder) => decoder.set_inside_tls(inside),
            Plain::Pop3(decoder) => decoder.set_inside_tls(inside),
            Plain::Imap(decoder) => decoder.set_inside_tls(inside),
        }
    }

    /// STARTTLS inside TLS is no hand-over.
    fn push_inside(&mut self, chunk: Chunk<'_>) {
        let mut rest = chunk;
        while !rest.bytes.is_empty() {
            let progress = match &mut self.plain {
                Plain::None => return,
                Plain::Smtp(decoder) => decoder.push(rest),
                Plain::Pop3(decoder) => decoder.push(rest),
                Plain::Imap(decoder) => decoder.push(rest),
            };
            if progress.octets == 0 {
                return;
            }
            rest = rest.skip(progress.octets);
        }
    }

    /// A beginning inside implicit TLS that nothing more follows.
    fn release_inside(&mut self, direction: Direction) {
        if !self.inside && *self.modes.get(direction) == Mode::Tls && self.held.octets(direction) > 0 {
            self.decide_inside(None);
        }
    }

    fn gap_in_plaintext(&mut self, gap: &Gap) {
        match &mut self.plain {
            Plain::None => {}
            Plain::Smtp(decoder) => decoder.gap(gap),
            Plain::Pop3(decoder) => decoder.gap(gap),
            Plain::Imap(decoder) => decoder.gap(gap),
        }
    }

    /// At the end: octets that never told what they are belong to the protocol of the port, or to TLS under way.
    fn release_undecided(&mut self, direction: Direction) {
        match self.modes.get(direction) {
            Mode::Undecided if self.held.octets(direction) > 0 => {
                self.decide(direction, First::Unclear, self.held.first(direction));
            }
            Mode::Held => {
                *self.modes.get_mut(direction) = Mode::Plain;
                self.read_again(direction);
            }
            Mode::Switching if self.held.octets(direction) > 0 => {
                if self.tls.is_none() && direction == Direction::ToClient {
                    *self.modes.get_mut(direction) = Mode::Plain;
                    self.read_again(direction);
                } else {
                    self.note_injected(direction);
                }
            }
            _ => {}
        }
    }
}

impl Stream for Conversation {
    fn data(&mut self, chunk: Chunk<'_>) {
        self.read(chunk);
    }

    fn gap(&mut self, gap: &Gap) {
        let direction = gap.direction;
        *self.behind_gap.get_mut(direction) = true;
        match self.modes.get(direction) {
            Mode::Tls => {
                if let Some(decoder) = &mut self.tls {
                    decoder.gap(gap);
                }
                self.read_inside();
                return;
            }
            Mode::Undecided => self.release_undecided(direction),
            Mode::Held | Mode::Switching | Mode::Plain => {}
        }
        self.gap_in_plaintext(gap);
    }

    fn fin(&mut self, direction: Direction, at: Stamp) {
        *self.fins.get_mut(direction) = true;
        match &mut self.plain {
            Plain::None => {}
            Plain::Smtp(decoder) => decoder.fin(direction, at),
            Plain::Pop3(decoder) => decoder.fin(direction, at),
            Plain::Imap(decoder) => decoder.fin(direction, at),
        }
        if let Some(decoder) = &mut self.tls {
            decoder.fin(direction, at);
        }
    }

    fn weight(&self) -> usize {
        let plain = match &self.plain {
            Plain::None => 0,
            Plain::Smtp(decoder) => size_of::<smtp::Decoder>() + decoder.weight(),
            Plain::Pop3(decoder) => size_of::<pop3::Decoder>() + decoder.weight(),
            Plain::Imap(decoder) => size_of::<imap::Decoder>() + decoder.weight(),
        };
        plain + self.held.weight() + self.tls.as_ref().map_or(0, |decoder| decoder.weight())
    }

    /// A direction whose end the capture does not show may hold replies that nobody can see.
    fn end(&mut self, ending: Ending, facts: &ConnectionFacts) {
        for direction in Direction::BOTH {
            let ran_out = matches!(ending, Ending::CaptureEnd | Ending::Stopped) && !*self.fins.get(direction);
            if !ran_out && !facts.directions.get(direction).acknowledged_unseen {
                continue;
            }
            match &mut self.plain {
                Plain::None => {}
                Plain::Smtp(decoder) => decoder.unseen(direction),
                Plain::Pop3(decoder) => decoder.unseen(direction),
                Plain::Imap(decoder) => decoder.unseen(direction),
            }
        }
    }
}
