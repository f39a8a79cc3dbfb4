//! The server's octets → greeting, answers by tag, capabilities, warnings, fetched messages.

use crate::captured::Captured;
use crate::message;
use crate::protocol::retrieval::answer::{CodedText, shorten, split_code, split_word};
use crate::protocol::retrieval::record::{MESSAGES_READ, Record, add_keyword};
use crate::protocol::retrieval::{Answer, Greeting, Status};
use crate::protocol::{Seen, Upgrade};
use crate::span::{Direction, Span};
use crate::tcp::Chunk;

use super::client::Client;
use super::unit::{Found, Unit, UnitReader};

/// Octets kept of a text.
const TEXT_OCTETS: usize = 1024;

/// The server's side.
#[derive(Default)]
pub struct Server {
    units: UnitReader,
    greeted: bool,
    /// Octets are missing: an unknown tag is no surprise.
    lost: bool,
    partial: bool,
    behind_gap: bool,
    /// COMPRESS was agreed on: what follows is not readable.
    pub compressed: bool,
    fetch: Fetch,
}

/// The message literal of the response in hand.
#[derive(Default)]
struct Fetch {
    /// The literal is a message, or a part of one.
    is_data: bool,
    /// This response was counted as a message.
    counted: bool,
    /// The section ends before the message does.
    partial: bool,
    message: Option<Box<message::Decoder>>,
}

impl Server {
    /// The beginning is missing.
    pub fn lose_place(&mut self) {
        self.units.clear();
        self.greeted = true;
        self.lost = true;
        self.partial = true;
    }

    /// Octets are missing.
    pub fn gap(&mut self, octets: u64, record: &mut Record) {
        if let Some(message) = &mut self.fetch.message {
            message.gap(octets);
        }
        if self.units.gap(octets) {
            if !self.units.in_literal() {
                self.end_message(false, record);
            }
            return;
        }
        self.end_message(false, record);
        self.lose_place();
        self.behind_gap = true;
        self.fetch = Fetch::default();
        record.server_gap();
    }

    pub fn weight(&self) -> usize {
        self.units.weight() + self.fetch.message.as_ref().map_or(0, |message| message.weight())
    }

    /// Reads up to the next thing found.
    pub fn read(&mut self, chunk: Chunk<'_>, client: &mut Client, record: &mut Record) -> (usize, Upgrade) {
        record.server_seen = true;
        let (taken, found) = self.units.read(chunk, may_have_literals);
        let upgrade = match found {
            Found::Nothing => Upgrade::None,
            Found::Announced(octets) => {
                self.announced(octets, record);
                Upgrade::None
            }
            Found::Literal(bytes) => {
                self.literal(bytes, record);
                Upgrade::None
            }
            Found::LiteralEnd(bytes) => {
                self.literal(bytes, record);
                self.end_message(true, record);
                Upgrade::None
            }
            Found::Unit(unit) => {
                self.fetch = Fetch::default();
                self.unit(&unit, client, record)
            }
        };
        (taken, upgrade)
    }

    /// No more octets.
    pub fn end(&mut self, client: &mut Client, record: &mut Record) {
        let in_literal = self.units.in_literal();
        self.end_message(false, record);
        if let Some(unit) = self.units.take(Direction::ToClient)
            && !self.partial
            && !in_literal
        {
            self.unit(&unit, client, record);
        }
    }

    fn announced(&mut self, octets: u64, record: &mut Record) {
        let section = section_of(self.units.text(), self.units.announced_item());
        self.fetch.is_data = section != Section::Other;
        if !self.fetch.is_data {
            return;
        }
        let first = !std::mem::replace(&mut self.fetch.counted, true);
        let Some(place) = fetching(record) else {
            return;
        };
        let Some(waiting) = record.waiting.get_mut(place) else {
            return;
        };
        if first {
            waiting.command.messages = waiting.command.messages.saturating_add(1);
        }
        let readable = matches!(section, Section::Message | Section::Beginning | Section::Header);
        let wanted = readable && waiting.command.message.is_none() && octets > 0;
        if wanted && record.messages_read < MESSAGES_READ {
            record.messages_read += 1;
            self.fetch.partial = section == Section::Beginning;
            self.fetch.message = Some(Box::new(message::Decoder::new(record.retention.message_text)));
        }
    }

    fn literal(&mut self, bytes: &[u8], record: &mut Record) {
        if !self.fetch.is_data {
            return;
        }
        let octets = bytes.len() as u64;
        match fetching(record) {
            Some(place) => record.add_data(place, octets),
            None => record.dialogue.data_octets = record.dialogue.data_octets.saturating_add(octets),
        }
        if let Some(message) = &mut self.fetch.message {
            message.push(bytes);
        }
    }

    fn end_message(&mut self, complete: bool, record: &mut Record) {
        let Some(mut message) = self.fetch.message.take() else {
            return;
        };
        if complete && !self.fetch.partial {
            message.end();
        } else {
            message.gap(0);
        }
        if let Some(waiting) = fetching(record).and_then(|place| record.waiting.get_mut(place)) {
            waiting.command.message = Some(message.finish());
        }
    }

    fn unit(&mut self, unit: &Unit, client: &mut Client, record: &mut Record) -> Upgrade {
        let (tag, rest) = split_word(&unit.text);
        self.partial = false;
        if std::mem::take(&mut self.behind_gap) {
            record.dialogue.resynchronised = record.dialogue.resynchronised.saturating_add(1);
        }
        match tag {
            b"*" => self.untagged(rest, unit.span, record),
            b"+" => {
                let waiting = record
                    .waiting
                    .iter_mut()
                    .rev()
                    .find_map(|waiting| waiting.reader.as_mut());
                if let Some(reader) = waiting {
                    reader.challenge(rest);
                }
            }
            _ => return self.tagged(tag, rest, unit.span, client, record),
        }
        Upgrade::None
    }

    fn untagged(&mut self, text: &[u8], span: Span, record: &mut Record) {
        let (word, rest) = split_word(text);
        let kind = word.to_ascii_uppercase();
        let is_status = matches!(kind.as_slice(), b"OK" | b"NO" | b"BAD" | b"BYE" | b"PREAUTH");
        if !std::mem::replace(&mut self.greeted, true) {
            record.dialogue.greeting = Some(Greeting {
                kind: shorten(&kind, 32),
                text: shorten(rest.trim_ascii(), TEXT_OCTETS),
                timestamp: None,
                span,
            });
        }
        if is_status {
            note_capabilities(&split_code(rest), span, record);
        }
        let shown = || shorten(rest.trim_ascii(), TEXT_OCTETS);
        match kind.as_slice() {
            b"CAPABILITY" => record.capabilities(keywords(rest), span),
            b"BYE" if record.dialogue.bye.is_none() => record.dialogue.bye = Some((shown(), span)),
            b"NO" | b"BAD" => record.warn(shown(), span),
            _ => {}
        }
    }

    fn tagged(&mut self, tag: &[u8], rest: &[u8], span: Span, client: &mut Client, record: &mut Record) -> Upgrade {
        let (word, text) = split_word(rest);
        let status = match word.to_ascii_uppercase().as_slice() {
            b"OK" => Status::Ok,
            b"NO" => Status::No,
            b"BAD" => Status::Bad,
            _ => {
                if !self.greeted {
                    self.untagged(&[tag, b" ", rest].concat(), span, record);
                }
                return Upgrade::None;
            }
        };
        self.greeted = true;
        if status != Status::Ok {
            client.refused(tag, record);
        }
        client.answered(tag, record);
        let coded = split_code(text);
        note_capabilities(&coded, span, record);
        let place = record.waiting.iter().position(|waiting| {
            waiting
                .command
                .tag
                .as_ref()
                .is_some_and(|known| known.bytes() == shortened(tag))
        });
        let Some(place) = place else {
            return self.unknown_tag(status, text, span, record);
        };
        let waiting = record
            .waiting
            .get(place)
            .map(|waiting| waiting.command.verb.clone())
            .unwrap_or_default();
        record.close(
            place,
            Seen::Yes(Answer {
                status,
                code: coded.code,
                text: coded.text,
                span,
            }),
        );
        match (waiting.bytes(), status) {
            (b"STARTTLS", Status::Ok) if !record.inside_tls => {
                record.switched(span.last);
                Upgrade::Accepted
            }
            (b"STARTTLS", _) if !record.inside_tls => Upgrade::Refused,
            (b"COMPRESS", Status::Ok) => {
                self.compressed = true;
                Upgrade::None
            }
            _ => Upgrade::None,
        }
    }

    /// An answer to a command without a readable tag: the oldest such one, or octets that were no command at all.
    fn unknown_tag(&self, status: Status, text: &[u8], span: Span, record: &mut Record) -> Upgrade {
        let untagged = record.waiting.iter().position(|waiting| waiting.command.tag.is_none());
        if let Some(place) = untagged {
            let coded = split_code(text);
            let answer = Answer {
                status,
                code: coded.code,
                text: coded.text,
                span,
            };
            record.close(place, Seen::Yes(answer));
        } else if status != Status::Ok && !self.lost {
            record.warn(shorten(text.trim_ascii(), TEXT_OCTETS), span);
        }
        Upgrade::None
    }
}

fn shortened(tag: &[u8]) -> &[u8] {
    tag.get(..tag.len().min(64)).unwrap_or_default()
}

fn note_capabilities(coded: &CodedText<'_>, span: Span, record: &mut Record) {
    if coded.code.as_ref().is_some_and(|code| code.bytes() == b"CAPABILITY") {
        record.capabilities(keywords(coded.arguments), span);
    }
}

fn keywords(text: &[u8]) -> Vec<Captured> {
    let mut list = Vec::new();
    for keyword in text.split(u8::is_ascii_whitespace) {
        add_keyword(&mut list, keyword);
    }
    list
}

/// Status texts are free text: "{5}" at their end announces nothing.
fn may_have_literals(text: &[u8]) -> bool {
    let (tag, rest) = split_word(text);
    let (word, _) = split_word(rest);
    let is_status = [b"OK".as_slice(), b"NO", b"BAD", b"BYE", b"PREAUTH"]
        .iter()
        .any(|status| word.eq_ignore_ascii_case(status));
    tag == b"*" && !is_status
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// The whole message.
    Message,
    /// A run of it from its first octet: BODY[]<0>.
    Beginning,
    /// Its header.
    Header,
    /// Some other piece of a message.
    Piece,
    /// No message data.
    Other,
}

/// What the literal announced at the end of this FETCH response is.
fn section_of(text: &[u8], item: &[u8]) -> Section {
    let (_, rest) = split_word(text);
    let (_, rest) = split_word(rest);
    let (word, _) = split_word(rest);
    if !word.eq_ignore_ascii_case(b"FETCH") {
        return Section::Other;
    }
    // The item's name stands before the announcement.
    let name = item.strip_suffix(b"~").unwrap_or(item);
    let upper = name.trim_ascii_end().to_ascii_uppercase();
    let ends = |suffix: &[u8]| upper.ends_with(suffix);
    if ends(b"BODY[]") || (ends(b"RFC822") && !ends(b".RFC822")) || ends(b"BINARY[]") {
        Section::Message
    } else if ends(b"BODY[]<0>") {
        Section::Beginning
    } else if ends(b"BODY[HEADER]") || ends(b"RFC822.HEADER") {
        Section::Header
    } else if ends(b"]") || ends(b"RFC822.TEXT") || ends(b">") {
        Section::Piece
    } else {
        Section::Other
    }
}

/// The oldest FETCH that waits: responses come in the order of the commands wherever that matters.
fn fetching(record: &Record) -> Option<usize> {
    record
        .waiting
        .iter()
        .position(|waiting| matches!(waiting.command.verb.bytes(), b"FETCH" | b"UID FETCH"))
}
