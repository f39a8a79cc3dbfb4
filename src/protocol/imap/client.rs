//! The client's octets → commands, SASL responses, DONE. Masks before anything is kept.

use crate::captured::Captured;
use crate::protocol::Upgrade;
use crate::protocol::retrieval::Login;
use crate::protocol::retrieval::answer::{shorten, split_word};
use crate::protocol::retrieval::foreign::{OPENING_OCTETS, is_binary, is_opaque, looks_like};
use crate::protocol::retrieval::login::LoginReader;
use crate::protocol::retrieval::record::Record;
use crate::secret::{MASK, Secret};
use crate::span::{Direction, Span, Stamp};
use crate::tcp::Chunk;

use super::unit::{Found, Literal, Unit, UnitReader};

/// Octets kept of a tag.
const TAG_OCTETS: usize = 64;
/// Octets kept of a user name.
const IDENTITY_OCTETS: usize = 256;

/// Commands we know (RFC 9051, 3501 and the extensions that clients use). Arguments of others are never shown.
const VERBS: [&[u8]; 51] = [
    b"CAPABILITY",
    b"NOOP",
    b"LOGOUT",
    b"STARTTLS",
    b"AUTHENTICATE",
    b"LOGIN",
    b"ENABLE",
    b"SELECT",
    b"EXAMINE",
    b"CREATE",
    b"DELETE",
    b"RENAME",
    b"SUBSCRIBE",
    b"UNSUBSCRIBE",
    b"LIST",
    b"LSUB",
    b"XLIST",
    b"RLIST",
    b"NAMESPACE",
    b"STATUS",
    b"APPEND",
    b"IDLE",
    b"CLOSE",
    b"UNSELECT",
    b"EXPUNGE",
    b"SEARCH",
    b"FETCH",
    b"STORE",
    b"COPY",
    b"MOVE",
    b"CHECK",
    b"ID",
    b"COMPRESS",
    b"GETQUOTA",
    b"GETQUOTAROOT",
    b"SETQUOTA",
    b"GETACL",
    b"SETACL",
    b"DELETEACL",
    b"LISTRIGHTS",
    b"MYRIGHTS",
    b"SORT",
    b"THREAD",
    b"GETMETADATA",
    b"SETMETADATA",
    b"NOTIFY",
    b"UNAUTHENTICATE",
    b"ESEARCH",
    b"REPLACE",
    b"GETANNOTATION",
    b"UID",
];

/// The client's side.
pub struct Client {
    units: UnitReader,
    opening: Vec<u8>,
    opened: bool,
    opening_began: Option<Stamp>,
    ignored: bool,
    lost: bool,
    partial: bool,
    behind_gap: bool,
    login_tried: bool,
    /// The tag of an IDLE that was not ended.
    idle: Option<Captured>,
}

impl Client {
    pub fn new() -> Self {
        Self {
            units: UnitReader::new(true),
            opening: Vec::new(),
            opened: false,
            opening_began: None,
            ignored: false,
            lost: false,
            partial: false,
            behind_gap: false,
            login_tried: false,
            idle: None,
        }
    }

    /// Octets are missing, or the beginning is.
    pub fn lose_place(&mut self) {
        self.units.clear();
        self.opened = true;
        self.lost = true;
        self.partial = true;
    }

    pub fn gap(&mut self, octets: u64) {
        if !self.units.gap(octets) {
            self.lose_place();
            self.behind_gap = true;
        }
    }

    pub fn weight(&self) -> usize {
        self.units.weight()
    }

    /// Reads up to the next thing found.
    pub fn read(&mut self, chunk: Chunk<'_>, record: &mut Record) -> (usize, Upgrade) {
        if self.ignored {
            return (chunk.bytes.len(), Upgrade::None);
        }
        let mut chunk = chunk;
        if !self.opened {
            self.opening_began.get_or_insert(chunk.stamp);
            let wanted = (OPENING_OCTETS - self.opening.len()).min(chunk.bytes.len());
            let window = chunk.bytes.get(..wanted).unwrap_or_default();
            let end = memchr::memchr(b'\n', window).map_or(window.len(), |at| at + 1);
            chunk.bytes = chunk.bytes.get(..end).unwrap_or_default();
            self.opening.extend_from_slice(chunk.bytes);
        }
        // A response or DONE has no literals: only a tag and a word do.
        let (taken, found) = self
            .units
            .read(chunk, |text| !split_word(split_word(text).1).0.is_empty());
        if !self.opened && (chunk.bytes.ends_with(b"\n") || self.opening.len() >= OPENING_OCTETS) {
            self.decide_opening(chunk, record);
        }
        let upgrade = match found {
            Found::Unit(unit) if !self.ignored => {
                let upgrade = self.unit(unit, record);
                self.ignored |= record.dialogue.foreign.is_some_and(|(name, _)| is_opaque(name));
                upgrade
            }
            _ => Upgrade::None,
        };
        (taken, upgrade)
    }

    fn decide_opening(&mut self, chunk: Chunk<'_>, record: &mut Record) {
        self.opened = true;
        let Some(name) = looks_like(&self.opening) else {
            return;
        };
        let end = chunk.offset.saturating_add(chunk.bytes.len() as u64);
        let span = Span {
            direction: Direction::ToServer,
            start: end.saturating_sub(self.opening.len() as u64),
            end,
            first: self.opening_began.unwrap_or(chunk.stamp),
            last: chunk.stamp,
        };
        record.dialogue.foreign = Some((name, span));
        if is_binary(name) {
            self.ignored = true;
            self.units.clear();
        }
    }

    /// No more octets.
    pub fn end(&mut self, record: &mut Record) {
        if let Some(unit) = self.units.take(Direction::ToServer)
            && !self.ignored
        {
            if !self.opened {
                self.opened = true;
                if let Some(name) = looks_like(&self.opening) {
                    record.dialogue.foreign = Some((name, unit.span));
                    self.ignored = is_binary(name);
                }
            }
            if !self.ignored {
                self.unit(unit, record);
            }
        }
    }

    /// The server refused this tag although its command waits for leave to send a literal: the command ends here.
    pub fn refused(&mut self, tag: &[u8], record: &mut Record) {
        let in_hand = self.units.awaits_leave() && split_word(self.units.text()).0 == tag;
        if in_hand && let Some(unit) = self.units.take(Direction::ToServer) {
            self.unit(unit, record);
        }
    }

    /// The command with this tag was answered: an IDLE is over.
    pub fn answered(&mut self, tag: &[u8], record: &mut Record) {
        if self.idle.as_ref().is_some_and(|idle| idle.bytes() == tag) {
            self.end_idle(record);
        }
    }

    fn end_idle(&mut self, record: &mut Record) {
        self.idle = None;
        record.dialogue.idling = None;
    }

    fn unit(&mut self, unit: Unit, record: &mut Record) -> Upgrade {
        let (tag, rest) = split_word(&unit.text);
        let (word, mut arguments) = split_word(rest);
        let mut verb = word.to_ascii_uppercase();
        let known = VERBS.contains(&verb.as_slice());
        let waiting = record.waiting.iter_mut().rev().find(|waiting| waiting.reader.is_some());
        if let Some(waiting) = waiting
            && let Some(reader) = &mut waiting.reader
            && ((reader.is_asked() && !self.lost) || !known)
        {
            reader.respond(unit.text.trim_ascii());
            waiting.command.span = waiting.command.span.through(unit.span);
            return Upgrade::None;
        }
        let done = tag.eq_ignore_ascii_case(b"DONE") && verb.is_empty();
        if done && (self.idle.is_some() || self.lost) {
            self.end_idle(record);
            return Upgrade::None;
        }
        let partial = std::mem::take(&mut self.partial);
        if std::mem::take(&mut self.behind_gap) {
            record.dialogue.resynchronised = record.dialogue.resynchronised.saturating_add(1);
        }
        // Half a line whose second word is a command by chance does not happen, but its first word may be a secret.
        if (partial || self.lost) && !known {
            self.lost = true;
            record.open(None, MASK.as_bytes(), MASK.as_bytes(), unit.span, None);
            return Upgrade::None;
        }
        self.lost = false;
        if verb == b"UID" {
            let (second, behind) = split_word(arguments);
            verb = [b"UID ".as_slice(), &second.to_ascii_uppercase()].concat();
            arguments = behind;
        }
        let tag_is_credential = [b"PASS".as_slice(), b"AUTH", b"APOP"]
            .iter()
            .any(|word| tag.len() >= 4 && tag.to_ascii_uppercase().starts_with(word));
        if !known && (verb.is_empty() || tag_is_credential || self.login_tried) {
            record.open(None, MASK.as_bytes(), MASK.as_bytes(), unit.span, None);
            return Upgrade::None;
        }
        self.end_idle(record);
        self.command(tag, &verb, known, arguments, &unit, record)
    }

    fn command(
        &mut self,
        tag: &[u8],
        verb: &[u8],
        known: bool,
        arguments: &[u8],
        unit: &Unit,
        record: &mut Record,
    ) -> Upgrade {
        let kept_tag = Some(shorten(tag, TAG_OCTETS));
        let show = |parts: &[&[u8]]| parts.join(&b' ');
        match verb {
            b"LOGIN" => {
                self.login_tried = true;
                let (login, shown) = read_login(arguments, unit, record);
                let line = match &shown {
                    Some(user) => show(&[tag, verb, user, MASK.as_bytes()]),
                    None => show(&[tag, verb, MASK.as_bytes()]),
                };
                record.open(kept_tag, verb, &line, unit.span, Some(login));
            }
            b"AUTHENTICATE" => {
                self.login_tried = true;
                let (mechanism, initial) = split_word(arguments);
                let mut reader = LoginReader::new(mechanism, record.retention.secrets);
                let line = if initial.is_empty() {
                    show(&[tag, verb, mechanism])
                } else {
                    reader.initial(initial.trim_ascii_end());
                    show(&[tag, verb, mechanism, MASK.as_bytes()])
                };
                record.open(kept_tag, verb, &line, unit.span, None);
                if let Some(waiting) = record.waiting.back_mut() {
                    waiting.reader = Some(reader);
                }
            }
            _ if !known => {
                let line = if arguments.is_empty() {
                    show(&[tag, verb])
                } else {
                    show(&[tag, verb, MASK.as_bytes()])
                };
                record.open(kept_tag, verb, &line, unit.span, None);
            }
            _ => {
                record.open(kept_tag, verb, &unit.text, unit.span, None);
                if verb == b"IDLE" {
                    self.idle = Some(shorten(tag, TAG_OCTETS));
                    record.dialogue.idling = Some(unit.span.last);
                }
                if verb == b"STARTTLS" && !record.inside_tls {
                    return Upgrade::Asked;
                }
            }
        }
        Upgrade::None
    }
}

/// LOGIN's arguments: the user as it may be shown, and the login. What is not clearly the user is the password.
fn read_login(arguments: &[u8], unit: &Unit, record: &Record) -> (Login, Option<Vec<u8>>) {
    let offset = unit.text.len() - arguments.len();
    let (user, behind) = astring(arguments, offset, &unit.literals);
    let rest = behind.and_then(|behind| arguments.get(behind..)).unwrap_or_default();
    let rest = rest.trim_ascii_start();
    let rest_at = unit.text.len() - rest.len();
    let password = match astring(rest, rest_at, &unit.literals) {
        (Some(password), Some(end)) if end == rest.len() => password,
        _ => rest.to_vec(),
    };
    // One argument alone may as well be the password. More behind it means that it was no user either.
    let complete = rest_at < unit.text.len();
    let identity = user.filter(|_| complete);
    let login = Login {
        mechanism: Captured::from("LOGIN"),
        identity: identity.as_deref().map(|user| shorten(user, IDENTITY_OCTETS)),
        secret: Some(Secret::new(&password, record.retention.secrets)),
        response: None,
        cancelled: false,
        oauth_error: None,
    };
    (login, identity)
}

/// An atom, quoted string or literal at the beginning, and where it ends.
fn astring(text: &[u8], offset: usize, literals: &[Literal]) -> (Option<Vec<u8>>, Option<usize>) {
    if text.first() == Some(&b'"') {
        let mut value = Vec::new();
        let mut escaped = false;
        for (index, octet) in text.iter().enumerate().skip(1) {
            match octet {
                b'\\' if !escaped => escaped = true,
                b'"' if !escaped => return (Some(value), Some(index + 1)),
                _ => {
                    escaped = false;
                    value.push(*octet);
                }
            }
        }
        return (None, None);
    }
    let end = text.iter().position(u8::is_ascii_whitespace);
    if matches!(text.first(), Some(b'{' | b'~')) {
        // The text goes on directly behind the announcement.
        let close = memchr::memchr(b'}', text).map(|at| at + 1);
        let found = close.and_then(|close| literals.iter().find(|literal| literal.at == offset + close));
        return match found {
            Some(literal) => (Some(literal.bytes.clone()), close),
            None => (None, None),
        };
    }
    let end = end.unwrap_or(text.len());
    let atom = text.get(..end).unwrap_or_default();
    ((!atom.is_empty()).then(|| atom.to_vec()), Some(end))
}
