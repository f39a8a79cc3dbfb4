//! The client's octets → commands and SASL responses. Masks before anything is kept.

use crate::captured::Captured;
use crate::protocol::Upgrade;
use crate::protocol::retrieval::Login;
use crate::protocol::retrieval::answer::{shorten, split_word};
use crate::protocol::retrieval::foreign::{OPENING_OCTETS, is_binary, is_opaque, looks_like};
use crate::protocol::retrieval::line::{Line, LineReader};
use crate::protocol::retrieval::login::LoginReader;
use crate::protocol::retrieval::record::Record;
use crate::secret::{MASK, Secret};
use crate::span::Direction;
use crate::tcp::Chunk;

use super::VERBS;

/// The client's side.
#[derive(Default)]
pub struct Client {
    lines: LineReader,
    /// The first octets, until they are enough to tell what is spoken.
    opening: Vec<u8>,
    opened: bool,
    /// Nothing more of the client is read: it speaks something else.
    ignored: bool,
    /// Whether a line may be a SASL response or the rest of a line whose beginning is missing.
    lost: bool,
    /// The rest of the current line is missing its beginning.
    partial: bool,
    behind_gap: bool,
    /// The name of the last USER.
    user: Option<Captured>,
    /// A login was tried: lines that are no commands may be left-over responses.
    login_tried: bool,
}

impl Client {
    /// The beginning is missing.
    pub fn lose_place(&mut self) {
        self.lines.clear();
        self.opened = true;
        self.lost = true;
        self.partial = true;
    }

    /// Octets are missing.
    pub fn gap(&mut self) {
        self.lose_place();
        self.behind_gap = true;
    }

    pub fn weight(&self) -> usize {
        self.lines.weight()
    }

    /// Reads up to the end of a line.
    pub fn read(&mut self, chunk: Chunk<'_>, record: &mut Record) -> (usize, Upgrade) {
        if self.ignored {
            return (chunk.bytes.len(), Upgrade::None);
        }
        let mut chunk = chunk;
        if !self.opened {
            let wanted = OPENING_OCTETS - self.opening.len();
            let window = chunk.bytes.get(..wanted.min(chunk.bytes.len())).unwrap_or_default();
            let end = memchr::memchr(b'\n', window).map_or(window.len(), |at| at + 1);
            chunk.bytes = chunk.bytes.get(..end).unwrap_or_default();
            self.opening.extend_from_slice(chunk.bytes);
        }
        let (taken, line) = self.lines.read(chunk);
        if !self.opened && (line.is_some() || self.opening.len() >= OPENING_OCTETS) {
            let span = line.as_ref().map(|line| line.span);
            self.decide_opening(span, chunk, record);
        }
        let upgrade = match line {
            Some(line) if !self.ignored => {
                let upgrade = self.line(line, record);
                self.ignored |= record.dialogue.foreign.is_some_and(|(name, _)| is_opaque(name));
                upgrade
            }
            _ => Upgrade::None,
        };
        (taken, upgrade)
    }

    fn decide_opening(&mut self, line: Option<crate::span::Span>, chunk: Chunk<'_>, record: &mut Record) {
        self.opened = true;
        let Some(name) = looks_like(&self.opening) else {
            return;
        };
        let end = chunk.offset.saturating_add(chunk.bytes.len() as u64);
        let span = line.unwrap_or(crate::span::Span {
            direction: Direction::ToServer,
            start: end.saturating_sub(self.opening.len() as u64),
            end,
            first: self.lines.first().unwrap_or(chunk.stamp),
            last: chunk.stamp,
        });
        record.dialogue.foreign = Some((name, span));
        if is_binary(name) {
            self.ignored = true;
            self.lines.clear();
        }
    }

    /// No more octets.
    pub fn end(&mut self, record: &mut Record) {
        if let Some(line) = self.lines.take(Direction::ToServer)
            && !self.ignored
        {
            if !self.opened {
                self.opened = true;
                if let Some(name) = looks_like(&self.opening) {
                    record.dialogue.foreign = Some((name, line.span));
                    if is_binary(name) {
                        return;
                    }
                }
            }
            self.line(line, record);
        }
    }

    fn line(&mut self, line: Line, record: &mut Record) -> Upgrade {
        let bytes = line.bytes.as_slice();
        let (word, arguments) = split_word(bytes);
        let verb = word.to_ascii_uppercase();
        let known = VERBS.contains(&verb.as_slice());
        if let Some(waiting) = record.waiting.back_mut()
            && let Some(reader) = &mut waiting.reader
            && ((reader.is_asked() && !self.lost) || !known)
        {
            reader.respond(bytes.trim_ascii());
            waiting.command.span = waiting.command.span.through(line.span);
            return Upgrade::None;
        }
        let partial = std::mem::take(&mut self.partial);
        if std::mem::take(&mut self.behind_gap) {
            record.dialogue.resynchronised = record.dialogue.resynchronised.saturating_add(1);
        }
        if partial || (self.lost && !known) {
            // Half a line that begins like a command may still be the end of a password.
            let sound = known && arguments.iter().all(|octet| octet.is_ascii_digit() || *octet == b' ');
            self.lost = !sound;
            if !sound {
                record.open(None, MASK.as_bytes(), MASK.as_bytes(), line.span, None);
                return Upgrade::None;
            }
        }
        self.lost = false;
        self.command(&verb, known, arguments, &line, record)
    }

    fn command(&mut self, verb: &[u8], known: bool, arguments: &[u8], line: &Line, record: &mut Record) -> Upgrade {
        let keep = record.retention.secrets;
        let masked = |parts: &[&[u8]]| [&parts.join(&b' '), b" ".as_slice(), MASK.as_bytes()].concat();
        match verb {
            b"PASS" => {
                self.login_tried = true;
                let login = Login {
                    mechanism: Captured::from("USER/PASS"),
                    identity: self.user.clone(),
                    secret: Some(Secret::new(password(&line.bytes), keep)),
                    response: None,
                    cancelled: false,
                    oauth_error: None,
                };
                record.open(None, verb, &masked(&[b"PASS".as_slice()]), line.span, Some(login));
            }
            b"APOP" => {
                self.login_tried = true;
                let (name, digest) = split_word(arguments);
                let login = Login {
                    mechanism: Captured::from("APOP"),
                    identity: (!name.is_empty()).then(|| shorten(name, 256)),
                    secret: None,
                    response: Some(Secret::new(digest, keep)),
                    cancelled: false,
                    oauth_error: None,
                };
                record.open(None, verb, &masked(&[b"APOP".as_slice(), name]), line.span, Some(login));
            }
            b"AUTH" if !arguments.is_empty() => self.auth(arguments, line, record),
            _ if !known => self.unknown(verb, line, record),
            _ => {
                if verb == b"USER" {
                    self.user = Some(shorten(arguments.trim_ascii_end(), 256));
                }
                record.open(None, verb, &line.bytes, line.span, None);
                if verb == b"STLS" && !record.inside_tls {
                    return Upgrade::Asked;
                }
            }
        }
        Upgrade::None
    }

    fn auth(&mut self, arguments: &[u8], line: &Line, record: &mut Record) {
        self.login_tried = true;
        let (mechanism, initial) = split_word(arguments);
        let mut reader = LoginReader::new(mechanism, record.retention.secrets);
        let mut shown = [b"AUTH ".as_slice(), mechanism].concat();
        if !initial.is_empty() {
            reader.initial(initial.trim_ascii_end());
            shown.extend_from_slice(b" ");
            shown.extend_from_slice(MASK.as_bytes());
        }
        record.open(None, b"AUTH", &shown, line.span, None);
        if let Some(waiting) = record.waiting.back_mut() {
            waiting.reader = Some(reader);
        }
    }

    /// A word we do not know: "PASSsecret", an IMAP login, a response nobody asked for. Its arguments are never shown.
    fn unknown(&mut self, verb: &[u8], line: &Line, record: &mut Record) {
        let plain = verb.len() <= 16 && verb.iter().all(u8::is_ascii_alphanumeric);
        let credential = [b"PASS".as_slice(), b"APOP", b"AUTH"]
            .iter()
            .any(|word| verb.starts_with(word));
        if self.login_tried || credential || !plain {
            record.open(None, MASK.as_bytes(), MASK.as_bytes(), line.span, None);
            return;
        }
        let (_, arguments) = split_word(&line.bytes);
        let shown = match arguments {
            b"" => verb.to_vec(),
            _ => [verb, b" ", MASK.as_bytes()].concat(),
        };
        record.open(None, verb, &shown, line.span, None);
    }
}

/// Everything behind "PASS " is the password, blanks included (RFC 1939, section 7).
fn password(line: &[u8]) -> &[u8] {
    line.trim_ascii_start().get(5..).unwrap_or_default()
}
