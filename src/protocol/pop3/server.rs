//! The server's octets → greeting, answers, capability lists, messages.

use crate::captured::Captured;
use crate::message;
use crate::protocol::retrieval::answer::{shorten, split_code, split_word};
use crate::protocol::retrieval::line::{Line, LineReader};
use crate::protocol::retrieval::record::{MESSAGES_READ, Record, add_keyword};
use crate::protocol::retrieval::{Answer, Greeting, Status};
use crate::protocol::{Seen, Upgrade};
use crate::secret::MASK;
use crate::span::{Direction, Span};
use crate::tcp::Chunk;

use super::body::DotReader;

/// The server's side.
#[derive(Default)]
pub struct Server {
    lines: LineReader,
    multi: Option<Box<MultiLine>>,
    /// The greeting was read or is missing.
    greeted: bool,
    /// Octets are missing: answers may belong to commands that were not seen, and the other way round.
    lost: bool,
    /// The rest of the current line is missing its beginning.
    partial: bool,
    behind_gap: bool,
}

/// A multi-line response that is going on, for the oldest waiting command.
struct MultiLine {
    kind: Kind,
    /// `None` where its status line is missing.
    answer: Option<Answer>,
    span: Span,
    /// Octets of it are missing: it is read line by line, watching out for what comes behind it.
    behind_gap: bool,
}

enum Kind {
    Capabilities(Vec<Captured>),
    List,
    Message {
        dots: DotReader,
        octets: u64,
        message: Option<Box<message::Decoder>>,
    },
}

/// +OK or -ERR, and the text behind.
fn status_of(line: &[u8]) -> Option<(Status, &[u8])> {
    let head = line.get(..3)?;
    if head.eq_ignore_ascii_case(b"+OK") {
        return line.get(3..).map(|text| (Status::Ok, text));
    }
    let head = line.get(..4)?;
    head.eq_ignore_ascii_case(b"-ERR")
        .then_some((Status::No, line.get(4..)?))
}

impl Server {
    /// The beginning is missing.
    pub fn lose_place(&mut self) {
        self.lines.clear();
        self.greeted = true;
        self.lost = true;
        self.partial = true;
    }

    /// Octets are missing.
    pub fn gap(&mut self, octets: u64, record: &mut Record) {
        self.lose_place();
        self.behind_gap = true;
        record.server_gap();
        if let Some(multi) = &mut self.multi {
            multi.behind_gap = true;
            if let Kind::Message {
                message: Some(message), ..
            } = &mut multi.kind
            {
                message.gap(octets);
            }
        }
    }

    pub fn weight(&self) -> usize {
        let multi = match self.multi.as_deref().map(|multi| &multi.kind) {
            Some(Kind::Message {
                message: Some(message), ..
            }) => message.weight(),
            Some(Kind::Capabilities(keywords)) => keywords.len() * 32,
            _ => 0,
        };
        self.lines.weight() + multi
    }

    /// Reads up to the end of a line, or a run of a message.
    pub fn read(&mut self, chunk: Chunk<'_>, record: &mut Record) -> (usize, Upgrade) {
        record.server_seen = true;
        if let Some(multi) = &mut self.multi
            && !multi.behind_gap
            && let Kind::Message { dots, octets, message } = &mut multi.kind
        {
            let (taken, ended) = dots.read(chunk.bytes, |run| {
                *octets = octets.saturating_add(run.len() as u64);
                if let Some(message) = message {
                    message.push(run);
                }
            });
            multi.span.end = chunk.offset.saturating_add(taken as u64);
            multi.span.last = chunk.stamp;
            if ended {
                self.end_multi(true, record);
            }
            return (taken, Upgrade::None);
        }
        let (taken, line) = self.lines.read(chunk);
        let upgrade = line.map_or(Upgrade::None, |line| self.line(&line, record));
        (taken, upgrade)
    }

    /// No more octets.
    pub fn end(&mut self, record: &mut Record) {
        if let Some(line) = self.lines.take(Direction::ToClient)
            && self.multi.is_none()
            && !self.partial
        {
            self.line(&line, record);
        }
        self.end_multi(false, record);
    }

    fn line(&mut self, line: &Line, record: &mut Record) -> Upgrade {
        let status = status_of(&line.bytes);
        if std::mem::take(&mut self.behind_gap) {
            record.dialogue.resynchronised = record.dialogue.resynchronised.saturating_add(1);
        }
        if std::mem::take(&mut self.partial) && status.is_none() && self.multi.is_none() {
            self.stray(line, record);
            return Upgrade::None;
        }
        if let Some(multi) = &self.multi {
            // Behind a gap, a status line while another command waits: the end of the response was in the gap.
            let over = multi.behind_gap && status.is_some() && record.waiting.len() > 1;
            if !over {
                self.multi_line(line, record);
                return Upgrade::None;
            }
            self.end_multi(false, record);
        }
        if let Some((status, text)) = status {
            return self.status(status, text, line.span, record);
        }
        if let Some(text) = line.bytes.strip_prefix(b"+") {
            if let Some(reader) = record.waiting.front_mut().and_then(|waiting| waiting.reader.as_mut()) {
                reader.challenge(text);
            }
        } else if self.greeted {
            self.stray(line, record);
        } else {
            let (word, text) = split_word(&line.bytes);
            self.greet(word, text, line.span, record);
        }
        Upgrade::None
    }

    fn greet(&mut self, kind: &[u8], text: &[u8], span: Span, record: &mut Record) {
        self.greeted = true;
        record.dialogue.greeting = Some(Greeting {
            kind: shorten(&kind.to_ascii_uppercase(), 32),
            text: shorten(text.trim_ascii(), 1024),
            timestamp: timestamp(text),
            span,
        });
    }

    fn status(&mut self, status: Status, text: &[u8], span: Span, record: &mut Record) -> Upgrade {
        if !self.greeted {
            let kind = if status == Status::Ok {
                b"+OK".as_slice()
            } else {
                b"-ERR"
            };
            self.greet(kind, text, span, record);
            return Upgrade::None;
        }
        if record.owed_answers > 0 {
            record.owed_answers -= 1;
            return Upgrade::None;
        }
        // Which of several commands is answered behind a gap cannot be told.
        if self.lost && record.waiting.len() > 1 {
            while !record.waiting.is_empty() {
                record.close(0, Seen::Hidden);
            }
        }
        let coded = split_code(text);
        let answer = Answer {
            status,
            code: coded.code,
            text: coded.text,
            span,
        };
        let Some(front) = record.waiting.front() else {
            if status == Status::No && !self.lost && record.dialogue.bye.is_none() {
                record.dialogue.bye = Some((shorten(text.trim_ascii(), 1024), span));
            }
            return Upgrade::None;
        };
        self.lost = front.command.verb.bytes() == MASK.as_bytes();
        let is_upgrade = front.command.verb.bytes() == b"STLS" && !record.inside_tls;
        if status == Status::Ok
            && let Some(kind) = multi_line_kind(record)
        {
            self.begin_multi(kind, Some(answer), span, record);
            return Upgrade::None;
        }
        record.close(0, Seen::Yes(answer));
        match (is_upgrade, status) {
            (false, _) => Upgrade::None,
            (true, Status::Ok) => {
                record.switched(span.last);
                Upgrade::Accepted
            }
            (true, _) => Upgrade::Refused,
        }
    }

    /// A line that is no status line, outside of any response: part of one whose beginning is missing.
    fn stray(&mut self, line: &Line, record: &mut Record) {
        let hidden = record.waiting.front().is_some_and(|waiting| waiting.hidden);
        if self.lost
            && hidden
            && let Some(kind) = multi_line_kind(record)
        {
            self.begin_multi(kind, None, line.span, record);
            if let Some(multi) = &mut self.multi {
                multi.behind_gap = true;
                if let Kind::Message {
                    message: Some(message), ..
                } = &mut multi.kind
                {
                    message.gap(0);
                }
            }
            self.multi_line(line, record);
        }
    }

    fn begin_multi(&mut self, mut kind: Kind, answer: Option<Answer>, span: Span, record: &mut Record) {
        if let Kind::Message { message, .. } = &mut kind
            && record.messages_read < MESSAGES_READ
        {
            record.messages_read += 1;
            *message = Some(Box::new(message::Decoder::new(record.retention.message_text)));
        }
        self.multi = Some(Box::new(MultiLine {
            kind,
            answer,
            span,
            behind_gap: false,
        }));
    }

    fn multi_line(&mut self, line: &Line, record: &mut Record) {
        let Some(multi) = &mut self.multi else {
            return;
        };
        multi.span = multi.span.through(line.span);
        if line.bytes == b"." {
            self.end_multi(true, record);
            return;
        }
        let text = line.bytes.strip_prefix(b".").unwrap_or(&line.bytes);
        match &mut multi.kind {
            Kind::Capabilities(keywords) => add_keyword(keywords, text),
            Kind::List => {}
            Kind::Message { octets, message, .. } => {
                *octets = octets.saturating_add(line.span.length());
                if let Some(message) = message {
                    message.push(text);
                    message.push(b"\r\n");
                }
            }
        }
    }

    fn end_multi(&mut self, complete: bool, record: &mut Record) {
        let Some(multi) = self.multi.take() else {
            return;
        };
        let multi = *multi;
        match multi.kind {
            Kind::Capabilities(keywords) => record.capabilities(keywords, multi.span),
            Kind::List => {}
            Kind::Message { octets, message, .. } => {
                record.add_data(0, octets);
                if let Some(waiting) = record.waiting.front_mut() {
                    waiting.command.messages = 1;
                    waiting.command.message = message.map(|mut message| {
                        if complete {
                            message.end();
                        }
                        message.finish()
                    });
                }
            }
        }
        let answer = multi.answer.map_or(Seen::Hidden, |answer| {
            Seen::Yes(Answer {
                span: answer.span.through(multi.span),
                ..answer
            })
        });
        record.close(0, answer);
    }
}

/// What a positive answer to the oldest waiting command opens.
fn multi_line_kind(record: &Record) -> Option<Kind> {
    let waiting = record.waiting.front()?;
    let bare = split_word(waiting.command.line.bytes()).1.is_empty();
    match waiting.command.verb.bytes() {
        b"CAPA" => Some(Kind::Capabilities(Vec::new())),
        b"RETR" | b"TOP" => Some(Kind::Message {
            dots: DotReader::new(),
            octets: 0,
            message: None,
        }),
        b"LIST" | b"UIDL" | b"AUTH" | b"LANG" if bare && waiting.reader.is_none() => Some(Kind::List),
        _ => None,
    }
}

/// The APOP timestamp of a greeting: `<…@…>` (RFC 1939, section 7).
fn timestamp(text: &[u8]) -> Option<Captured> {
    let start = memchr::memchr(b'<', text)?;
    let rest = text.get(start..)?;
    let end = memchr::memchr(b'>', rest)?;
    let found = rest.get(..=end)?;
    found.contains(&b'@').then(|| shorten(found, 1024))
}
