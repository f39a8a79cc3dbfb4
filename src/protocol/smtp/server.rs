//! The server's side (RFC 5321, section 4.2): lines → replies, each paired with the command that it answers.
//! What a reply means for the client's octets is told to the client's side; nothing of the client is read here.

use std::borrow::Cow;

use memchr::memmem;

use crate::captured::Captured;
use crate::frame::FrameNumber;
use crate::protocol::line::{Line, Lines, span_of};
use crate::protocol::smtp::ledger::Open;
use crate::protocol::smtp::reply_lines::ReplyLines;
use crate::protocol::smtp::whole_reply;
use crate::protocol::smtp::{Decoder, Detail, Reply, ReplyDefects, UNSOLICITED_REPLIES, Verb};
use crate::protocol::{Progress, Seen, Upgrade};
use crate::secret::MASK;
use crate::span::{Span, Stamp};
use crate::tcp::Chunk;

/// Octets kept of a reply line's text.
pub const REPLY_LINE_KEPT: usize = 1024;
/// Lines kept of a reply; lines behind them are counted with the cut lines.
pub const REPLY_LINES: usize = 256;
/// Room made for the lines of a reply that has more than one: what an EHLO reply usually takes.
const USUAL_LINES: usize = 10;
/// Longest sound reply line in octets, line end included (RFC 5321, section 4.5.3.1.5).
pub(super) const LONGEST_LINE: u64 = 512;
/// Replies that wait to be paired behind a gap.
const FLOATING: usize = 4096;

/// Whether the first reply is the greeting.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Greeting {
    #[default]
    Due,
    /// It may lie in a gap.
    Doubtful,
    Past,
}

/// A reply whose last line was not yet seen.
#[derive(Debug)]
struct Building {
    /// All but its lines and its span.
    reply: Reply,
    span: Span,
    lines: Vec<Captured>,
    /// The client sent its next command meanwhile.
    client_went_on: bool,
}

impl Building {
    fn begin(span: Span) -> Self {
        Self {
            reply: empty_reply(span),
            span,
            lines: Vec::new(),
            client_went_on: false,
        }
    }

    fn finish(mut self) -> Reply {
        self.reply.lines = ReplyLines::take(&mut self.lines);
        self.reply.span = self.span.into();
        self.reply
    }
}

/// State of the server's side.
#[derive(Debug, Default)]
pub struct Server {
    lines: Lines,
    building: Option<Box<Building>>,
    greeting: Greeting,
    /// In the middle of a line behind a gap.
    lost: bool,
    /// The place was lost in a gap, not at the start of the capture.
    behind_gap: bool,
    /// A gap of either side: replies may not follow the commands that wait.
    doubt: bool,
    spoke: bool,
    /// Recipients accepted in this transaction (LMTP answers each of them).
    accepted: u32,
    over: bool,
    /// The capture does not show what it says, or not its end.
    pub(super) unseen: bool,
    /// What both sides say now was decrypted by the owner.
    pub(super) inside_tls: bool,
}

/// A reply line taken apart.
pub(super) struct ReplyLine<'a> {
    pub(super) code: u16,
    pub(super) more: bool,
    odd_separator: bool,
    pub(super) text: &'a [u8],
}

impl<'a> ReplyLine<'a> {
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        let (digits, rest) = line.split_at_checked(3)?;
        let mut code = 0;
        for digit in digits {
            code = code * 10 + u16::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        }
        let (more, odd_separator, text) = match rest.split_first() {
            None => (false, false, rest),
            Some((b' ', text)) => (false, false, text),
            Some((b'-', text)) => (true, false, text),
            Some((octet, _)) if octet.is_ascii_digit() => return None,
            Some((_, text)) => (false, true, text),
        };
        Some(Self {
            code,
            more,
            odd_separator,
            text,
        })
    }

    pub(super) const fn is_sound(&self) -> bool {
        self.code >= 200 && self.code < 600 && !self.odd_separator
    }
}

/// The enhanced status code at the start of a reply text (RFC 3463, RFC 2034).
pub(super) fn enhanced(text: &[u8]) -> Option<(u8, u16, u16)> {
    if !matches!(text, [b'2' | b'4' | b'5', b'.', ..]) {
        return None;
    }
    let word = text.split(|octet| *octet == b' ').next()?;
    let mut numbers = word.split(|octet| *octet == b'.');
    let mut number = |most: usize| {
        let digits = numbers.next()?;
        let sound = !digits.is_empty() && digits.len() <= most && digits.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(digits).ok().filter(|_| sound)?.parse::<u16>().ok()
    };
    let code = (u8::try_from(number(1)?).ok()?, number(3)?, number(3)?);
    numbers.next().is_none().then_some(code)
}

impl Server {
    /// See [`Decoder::joined_late`].
    pub const fn join_late(&mut self) {
        self.doubt = true;
        self.greeting = Greeting::Past;
    }

    /// The first octets may be the end of a line.
    pub const fn lose(&mut self) {
        self.lost = true;
    }

    /// It sent at least one octet.
    pub const fn has_spoken(&self) -> bool {
        self.spoke
    }

    /// The greeting is not yet complete.
    pub fn greeting_is_due(&self) -> bool {
        self.greeting == Greeting::Due
    }

    /// Approximate heap octets held.
    pub fn weight(&self) -> usize {
        let building = self.building.as_ref().map_or(0, |building| building.lines.len() * 80);
        self.lines.weight() + building
    }
}

impl Decoder {
    /// Reads the server's octets.
    pub(super) fn read_server(&mut self, chunk: Chunk<'_>) -> Progress {
        self.server.spoke |= !chunk.bytes.is_empty();
        self.client.is_answered();
        if let Some(reply) = self.whole_reply(&chunk) {
            let upgrade = self.pair(reply);
            return Progress {
                octets: chunk.bytes.len(),
                upgrade,
            };
        }
        let mut rest = chunk;
        let mut octets = 0;
        while !rest.bytes.is_empty() {
            let (count, line) = self.server.lines.take(&rest);
            octets += count;
            rest = rest.skip(count);
            if let Some(line) = line {
                let upgrade = self.reply_line(&line, false);
                if upgrade != Upgrade::None {
                    return Progress { octets, upgrade };
                }
            }
        }
        Progress {
            octets,
            upgrade: Upgrade::None,
        }
    }

    /// The chunk is one sound reply, and nothing before it or about the client changes how it is read.
    fn whole_reply(&mut self, chunk: &Chunk<'_>) -> Option<Reply> {
        let server = &self.server;
        if server.lost || server.building.is_some() || server.lines.has_begun() || self.client.remembers_words() {
            return None;
        }
        let whole = whole_reply::read(chunk.bytes)?;
        let unsure = server.doubt || self.client.is_suspect() || self.ledger.waiting() == 0;
        // What may repeat a credential is looked through word by word.
        if matches!(whole.code, 500..=502) || (whole.code >= 503 && unsure) {
            return None;
        }
        if server.greeting == Greeting::Due && whole.lines.len() > 1 {
            self.notes.unusual_mut().greeting_began = Some(chunk.stamp);
        }
        Some(Reply {
            code: whole.code,
            enhanced: whole.enhanced,
            lines: whole.lines,
            ..empty_reply(span_of(chunk, chunk.bytes.len()))
        })
    }

    /// The client sends: it has seen the replies that it waited for.
    pub(super) fn client_went_on(&mut self, frame: Option<FrameNumber>) {
        self.decide_where_hidden();
        if !self.ledger.floating().is_empty() {
            let count = self.ledger.waiting();
            self.pair_backwards(count);
        }
        // What came in the command's own frame did not wait for anything.
        let said_hello = |open: Open<'_>| {
            matches!(open.exchange.verb, Verb::Ehlo | Verb::Helo | Verb::Lhlo)
                && frame.is_some_and(|frame| frame != open.exchange.command.last().frame)
        };
        if let Some(building) = &mut self.server.building
            && !self.server.lines.has_begun()
            && self.ledger.waiting() == 1
            && self.ledger.oldest().is_some_and(said_hello)
        {
            building.client_went_on = true;
        }
    }

    /// Octets of the server are missing.
    pub(super) fn server_gap(&mut self) {
        self.decide_start();
        if let Some(line) = self.server.lines.rest()
            && !self.server.lost
            && line.bytes.len() > 3
            && ReplyLine::read(&line.bytes).is_some()
        {
            self.reply_line(&line, true);
        }
        if let Some(building) = &mut self.server.building {
            building.reply.incomplete = true;
        }
        self.server.lost = true;
        self.server.behind_gap = true;
        self.server.doubt = true;
        self.ledger.note_gap();
        if self.server.greeting == Greeting::Due && self.server.building.is_none() {
            self.server.greeting = Greeting::Doubtful;
        }
    }

    /// Octets of the client are missing: commands may have been in them.
    pub(super) const fn replies_are_doubtful(&mut self) {
        self.server.doubt = true;
    }

    /// No more replies: what was begun is all there is of it.
    pub(super) fn end_of_replies(&mut self, closed: bool) {
        if !std::mem::replace(&mut self.server.over, true) {
            self.end_of_last_reply(closed);
        }
    }

    fn end_of_last_reply(&mut self, closed: bool) {
        if let Some(line) = self.server.lines.rest()
            && !self.server.lost
            && line.bytes.len() >= 3
        {
            self.reply_line(&line, true);
        }
        if let Some(mut building) = self.server.building.take() {
            building.reply.defects.missing_last_line |= closed;
            building.reply.incomplete |= !closed;
            self.pair(building.finish());
        }
    }

    fn reply_line(&mut self, line: &Line<'_>, incomplete: bool) -> Upgrade {
        let read = ReplyLine::read(&line.bytes);
        if self.server.lost {
            if !read.as_ref().is_some_and(ReplyLine::is_sound) {
                return Upgrade::None;
            }
            self.server.lost = false;
            if std::mem::take(&mut self.server.behind_gap) {
                self.notes.count_resynchronised();
            }
        }
        if let Some(building) = &mut self.server.building {
            let other_code = read.as_ref().is_some_and(|read| read.code != building.reply.code);
            if building.client_went_on || (building.reply.incomplete && other_code) {
                building.reply.defects.missing_last_line |= building.client_went_on;
                if let Some(building) = self.server.building.take() {
                    self.pair(building.finish());
                }
            }
        }
        self.add_line(line, read, incomplete)
    }

    /// Adds a line to the reply that is being built, or begins one; pairs it where it is the last.
    fn add_line(&mut self, line: &Line<'_>, read: Option<ReplyLine<'_>>, incomplete: bool) -> Upgrade {
        let begun = self.server.building.is_some();
        // A server may repeat a credential that lies in a gap; what answers an unseen line about AUTH may be nothing else.
        let answers_unseen = self.ledger.waiting() == 0;
        let suspect = self.client.is_suspect();
        let unsure = self.server.doubt || suspect || answers_unseen;
        // Most replies are one line, and are never put by.
        let mut fresh = (!begun).then(|| Building::begin(line.span));
        let Some(building) = self.server.building.as_deref_mut().or(fresh.as_mut()) else {
            return Upgrade::None;
        };
        let Building { reply, span, lines, .. } = building;
        let (more, text) = match &read {
            Some(read) => {
                reply.defects.mixed_codes |= begun && reply.code != 0 && reply.code != read.code;
                reply.defects.not_a_reply |= read.odd_separator;
                reply.code = read.code;
                (read.more, read.text)
            }
            None => {
                reply.defects.not_a_reply = true;
                (begun, &*line.bytes)
            }
        };
        *span = span.through(line.span);
        reply.incomplete |= incomplete || line.cut;
        reply.defects.bare_line_feed |= line.bare_line_feed;
        reply.defects.long_line |= line.length > LONGEST_LINE;
        reply.enhanced = reply.enhanced.or_else(|| enhanced(text));
        let text = match reply.code {
            500..=502 if answers_unseen && suspect => MASK.as_bytes().into(),
            0 | 500..=502 => without_tokens(text).into(),
            _ if read.is_none() => without_tokens(text).into(),
            503.. if unsure => without_tokens(text).into(),
            _ => Cow::Borrowed(text),
        };
        let text = self.client.scrub(&text);
        if line.cut || text.len() > REPLY_LINE_KEPT || lines.len() >= REPLY_LINES {
            self.notes.count_cut_line();
        }
        if lines.len() < REPLY_LINES {
            if lines.is_empty() {
                lines.reserve_exact(if more { USUAL_LINES } else { 1 });
            }
            lines.push(Captured::new(text.get(..REPLY_LINE_KEPT).unwrap_or(&text)));
        }
        if more {
            self.server.building = fresh.map(Box::new).or(self.server.building.take());
        } else if let Some(building) = fresh.or_else(|| self.server.building.take().map(|building| *building)) {
            return self.pair(building.finish());
        }
        if self.server.greeting == Greeting::Due && !begun {
            self.notes.unusual_mut().greeting_began = Some(line.span.first);
        }
        Upgrade::None
    }

    fn pair(&mut self, reply: Reply) -> Upgrade {
        if reply.code == 0 {
            return self.belongs_to_none(reply);
        }
        let may_greet = matches!(reply.code, 220 | 400..=599);
        match self.server.greeting {
            Greeting::Due if may_greet && !self.began_in_the_middle(reply.code) => return self.greet(reply),
            Greeting::Due => self.join_late(),
            Greeting::Doubtful => {
                self.server.greeting = Greeting::Past;
                if self.ledger.next() == 0 && may_greet {
                    return self.greet(reply);
                }
            }
            Greeting::Past => {}
        }
        if reply.class() != 1 && reply.class() != 3 && self.ledger.takes_for_given_up() {
            return Upgrade::None;
        }
        if self.server.doubt {
            self.pair_in_doubt(reply)
        } else {
            self.answer(reply)
        }
    }

    fn greet(&mut self, reply: Reply) -> Upgrade {
        self.release_start();
        self.server.greeting = Greeting::Past;
        self.notes.greeting = Some(reply);
        Upgrade::None
    }

    /// Behind a gap: a reply that only one command can have settles those before it, others wait.
    fn pair_in_doubt(&mut self, reply: Reply) -> Upgrade {
        let anchor = self.ledger.newest_place(|open| is_anchor(open, &reply));
        if let Some(position) = anchor {
            self.pair_backwards(position);
            return self.answer(reply);
        }
        if matches!(reply.code, 334 | 354) {
            // The command that it answers was not seen, and all before it have their replies.
            let count = self.ledger.waiting();
            self.pair_backwards(count);
            return self.belongs_to_none(reply);
        }
        match self.ledger.oldest() {
            None => self.belongs_to_none(reply),
            Some(only) if self.ledger.waiting() == 1 && self.ledger.floating().is_empty() => {
                if is_implausible(only, &reply, self.client.holds_nothing()) {
                    return self.belongs_to_none(reply);
                }
                self.server.doubt = false;
                self.answer(reply)
            }
            Some(_) if self.ledger.floating().len() < FLOATING => {
                self.ledger.float(reply);
                Upgrade::None
            }
            Some(_) => self.belongs_to_none(reply),
        }
    }

    /// Pairs the waiting replies with the first `count` open commands, the last with the last.
    fn pair_backwards(&mut self, count: usize) {
        self.server.doubt = false;
        let floating = self.ledger.take_floating();
        let surplus = floating.len().saturating_sub(count);
        let hidden = self.ledger.hide(count.saturating_sub(floating.len()));
        self.server.accepted = self.server.accepted.saturating_add(hidden);
        for (index, reply) in floating.into_iter().enumerate() {
            if index < surplus {
                self.belongs_to_none(reply);
            } else {
                self.answer(reply);
            }
        }
    }

    /// The reply answers the oldest open command.
    fn answer(&mut self, reply: Reply) -> Upgrade {
        let Some(front) = self.ledger.oldest_mut() else {
            return self.belongs_to_none(reply);
        };
        if front.answered {
            return self.answer_further(reply);
        }
        match (&front.exchange.verb, reply.class()) {
            (_, 1) | (Verb::Data, 3) => {
                let go_ahead = reply.class() == 3;
                front.exchange.add_intermediate(reply);
                if go_ahead {
                    self.go_ahead();
                }
            }
            (Verb::Auth, 3) => {
                let text = reply.lines.first().map_or(&b""[..], Captured::bytes);
                if let Detail::Auth(facts) = &mut front.exchange.detail {
                    facts.challenged(text);
                }
                front.exchange.add_challenge(reply);
            }
            (Verb::Data, _) => self.answer_data(reply),
            (Verb::StartTls | Verb::XAnonymousTls, class) => {
                let at = reply.span.last();
                self.conclude(reply);
                return self.upgrade(class == 2, at);
            }
            _ => self.conclude(reply),
        }
        Upgrade::None
    }

    fn upgrade(&mut self, accepted: bool, at: Stamp) -> Upgrade {
        if accepted {
            self.notes.unusual_mut().switched_to_tls = Some(at);
            self.inject_held();
            Upgrade::Accepted
        } else {
            self.release_upgrade();
            Upgrade::Refused
        }
    }

    fn answer_further(&mut self, reply: Reply) -> Upgrade {
        match self.ledger.oldest_mut() {
            Some(mut front) if front.more > 0 => {
                front.more -= 1;
                front.exchange.add_further(reply);
                self.ledger.settle();
                Upgrade::None
            }
            _ => self.belongs_to_none(reply),
        }
    }

    /// The final reply of the oldest open command.
    pub(super) fn conclude(&mut self, reply: Reply) {
        let Some(mut front) = self.ledger.oldest_mut() else {
            return;
        };
        let code = reply.code;
        let ends_message = match &front.exchange.detail {
            Detail::Data(data) => !front.exchange.intermediate().is_empty() || data.is_some() || front.data_running,
            Detail::Bdat { last, .. } => *last,
            _ => false,
        };
        front.exchange.reply = Seen::Yes(reply);
        front.answered = true;
        match front.exchange.verb {
            Verb::Rcpt if code / 100 == 2 => self.server.accepted = self.server.accepted.saturating_add(1),
            Verb::Mail | Verb::Rset | Verb::Ehlo | Verb::Helo | Verb::Lhlo => self.server.accepted = 0,
            Verb::Data | Verb::Bdat if ends_message => {
                if self.notes.is_lmtp() && code != 421 {
                    front.more = self.server.accepted.saturating_sub(1);
                }
                self.server.accepted = 0;
            }
            _ => {}
        }
        self.ledger.settle();
    }

    fn belongs_to_none(&mut self, reply: Reply) -> Upgrade {
        if self.ledger.waiting() == 0 && self.answers_unseen(&reply) {
            return self.answer(reply);
        }
        let dialogue = self.notes.unusual_mut();
        if dialogue.unsolicited.len() < UNSOLICITED_REPLIES {
            dialogue.unsolicited.push(reply);
        } else {
            dialogue.unsolicited_not_kept = dialogue.unsolicited_not_kept.saturating_add(1);
        }
        Upgrade::None
    }
}

fn empty_reply(span: Span) -> Reply {
    Reply {
        code: 0,
        enhanced: None,
        lines: ReplyLines::default(),
        span: span.into(),
        defects: ReplyDefects::default(),
        incomplete: false,
    }
}

/// Only this command can have such a reply.
fn is_anchor(open: Open<'_>, reply: &Reply) -> bool {
    let code = reply.code;
    !open.answered
        && match open.exchange.verb {
            Verb::Data => code == 354,
            Verb::Auth => matches!(code, 334 | 235 | 535),
            Verb::Quit => code == 221,
            Verb::StartTls | Verb::XAnonymousTls => code == 220 || code >= 400,
            _ => false,
        }
}

/// The reply is to another command, one that was not seen.
fn is_implausible(open: Open<'_>, reply: &Reply, no_data: bool) -> bool {
    let code = reply.code;
    let verb = &open.exchange.verb;
    match code {
        354 => *verb != Verb::Data,
        334 | 235 => *verb != Verb::Auth,
        221 => *verb != Verb::Quit,
        200..=299 => match verb {
            Verb::Data => {
                let begun = open.data_running || matches!(open.exchange.detail, Detail::Data(Some(_)));
                no_data && !begun && open.exchange.intermediate().is_empty()
            }
            Verb::Quit => true,
            Verb::StartTls | Verb::XAnonymousTls => code != 220,
            _ => false,
        },
        _ => false,
    }
}

/// Masks what may be base64 of a credential: at least twelve octets with small and capital letters and digits or padding.
fn without_tokens(text: &[u8]) -> Vec<u8> {
    let in_token = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=');
    let mut shown = Vec::with_capacity(text.len());
    for run in text.chunk_by(|before, octet| in_token(before) == in_token(octet)) {
        let has = |kind: fn(&u8) -> bool| run.iter().any(kind);
        let suspicious = run.len() >= 12
            && in_token(run.first().unwrap_or(&b' '))
            && has(u8::is_ascii_lowercase)
            && has(u8::is_ascii_uppercase)
            && has(|octet| octet.is_ascii_digit() || *octet == b'=');
        // The LOGIN prompts are what Cyrus SASL appends to its error text.
        let prompt = matches!(run, b"UGFzc3dvcmQ6" | b"VXNlcm5hbWU6");
        shown.extend_from_slice(if suspicious && !prompt { MASK.as_bytes() } else { run });
    }
    shown
}

/// Masks in a reply what the client sent as a credential, for servers that repeat what they did not understand.
pub fn scrubbed<'a>(text: &'a [u8], secrets: impl Iterator<Item = &'a [u8]>) -> Cow<'a, [u8]> {
    let mut shown = Cow::Borrowed(text);
    for secret in secrets {
        let word = secret.iter().all(u8::is_ascii_lowercase);
        let least = if word { secret.len() } else { secret.len().min(8) };
        let Some(start) = secret.get(..least) else { continue };
        let mut from = 0;
        while let Some(found) = shown.get(from..).and_then(|rest| memmem::find(rest, start)) {
            let begin = from + found;
            let same = shown
                .iter()
                .skip(begin)
                .zip(secret)
                .take_while(|(shown, secret)| shown == secret)
                .count();
            shown.to_mut().splice(begin..begin + same.max(1), MASK.bytes());
            from = begin + MASK.len();
        }
    }
    shown
}
