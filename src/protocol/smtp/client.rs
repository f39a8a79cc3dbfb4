//! The client's side (RFC 5321, section 4.1): octets → commands, responses of AUTH, mail data, BDAT chunks; and finding
//! the place again behind a gap. The table of its states is in the room's first paragraph.

use std::borrow::Cow;

use memchr::memchr;

use crate::captured::Captured;
use crate::frame::FrameNumber;
use crate::protocol::line::{Line, Lines, span_of};
use crate::protocol::smtp::authentication::{self, Response};
use crate::protocol::smtp::command::{self, COMMAND_KEPT, Command};
use crate::protocol::smtp::data::{Form, MailData};
use crate::protocol::smtp::held::Held;
use crate::protocol::smtp::masked::Masked;
use crate::protocol::smtp::preamble;
use crate::protocol::smtp::server::scrubbed;
use crate::protocol::smtp::{Decoder, Detail, Dialogue, Exchange, Preamble, Reply, Verb, base64};
use crate::protocol::{Progress, Retention, Upgrade};
use crate::span::Span;
use crate::tcp::{Chunk, Gap};

mod transfer;

/// What the client's next octets are.
#[derive(Debug)]
enum Mode {
    /// The first octets: perhaps a PROXY header of version 2.
    Start(Held),
    /// Before the greeting: it tells whether these octets are the first commands, or the capture began later.
    HeldStart(Held),
    /// In that header.
    Proxy(Box<ProxyHeader>),
    /// Commands, and responses of AUTH.
    Commands,
    /// Behind DATA, whose reply was not yet seen.
    HeldData(Held),
    /// Behind STARTTLS, whose reply was not yet seen; only where those octets were held before.
    HeldUpgrade(Held),
    /// Mail data.
    Data,
    /// A BDAT chunk.
    Chunk { left: u64, last: bool },
    /// Behind a gap.
    Lost,
    /// Another protocol.
    Foreign,
}

/// A PROXY header of version 2, as far as it was seen.
#[derive(Debug)]
struct ProxyHeader {
    octets: Vec<u8>,
    /// Octets to come.
    left: usize,
    span: Option<Span>,
}

/// State of the client's side.
#[derive(Debug)]
pub struct Client {
    lines: Lines,
    mode: Mode,
    data: Option<Box<MailData>>,
    /// No command line was seen yet.
    first_line: bool,
    /// The place was lost in a gap, not at the start of the capture.
    behind_gap: bool,
    /// The rest of the line belongs to nothing.
    skip_line: bool,
    /// A line that is no known command may be a credential.
    suspect: bool,
    /// Held octets are being read again.
    again: bool,
    /// Whether octets behind DATA were mail data had to be decided without a reply.
    unanswered: bool,
    pub(super) masked: Masked,
    /// The first frame with octets, [`NO_FRAME`] before it, and [`SEVERAL_FRAMES`] once another one had some, too.
    frame: FrameNumber,
    pub(super) retention: Retention,
}

/// No frame has this number …
const NO_FRAME: FrameNumber = FrameNumber(0);
/// … and none will ever have this one.
const SEVERAL_FRAMES: FrameNumber = FrameNumber(u64::MAX);

impl Client {
    /// A client that has said nothing; of what it says that is kept which `retention` says.
    pub fn new(retention: Retention) -> Self {
        Self {
            lines: Lines::default(),
            mode: Mode::Start(Held::default()),
            data: None,
            first_line: true,
            behind_gap: false,
            skip_line: false,
            suspect: false,
            again: false,
            unanswered: false,
            masked: Masked::default(),
            frame: NO_FRAME,
            retention,
        }
    }

    /// See [`Decoder::joined_late`].
    pub fn join_late(&mut self) {
        self.mode = Mode::Lost;
        self.first_line = false;
        self.suspect = true;
    }

    /// The server speaks again.
    pub const fn is_answered(&mut self) {
        self.unanswered = false;
    }

    /// Credentials may lie in what was not seen.
    pub const fn is_suspect(&self) -> bool {
        self.suspect
    }

    /// Octets came in at least two frames.
    pub const fn spoke_in_several_frames(&self) -> bool {
        self.frame.0 == SEVERAL_FRAMES.0
    }

    /// No octet waits behind DATA.
    pub fn holds_nothing(&self) -> bool {
        !matches!(&self.mode, Mode::HeldData(held) if !held.bytes().is_empty())
    }

    /// Approximate heap octets held.
    pub fn weight(&self) -> usize {
        let mode = match &self.mode {
            Mode::Start(held) | Mode::HeldStart(held) | Mode::HeldData(held) | Mode::HeldUpgrade(held) => held.weight(),
            Mode::Proxy(header) => size_of::<ProxyHeader>() + header.octets.capacity(),
            _ => 0,
        };
        let data = self.data.as_ref().map_or(0, |_| size_of::<MailData>() + 4096);
        self.lines.weight() + mode + data + self.masked.weight()
    }

    /// A reply's text without the credentials that the client sent.
    pub fn scrub<'a>(&'a self, text: &'a [u8]) -> Cow<'a, [u8]> {
        scrubbed(text, self.masked.words())
    }

    /// There are credentials that a reply might repeat.
    pub fn remembers_words(&self) -> bool {
        self.masked.has_words()
    }
}

impl Decoder {
    /// The client sends something: what that says about replies.
    pub(super) fn client_speaks(&mut self, chunk: &Chunk<'_>) {
        if chunk.bytes.is_empty() {
            return;
        }
        let frame = chunk.stamp.frame;
        if self.client.frame == NO_FRAME {
            self.client.frame = frame;
        } else if self.client.frame != frame {
            self.client.frame = SEVERAL_FRAMES;
        }
        self.client_went_on(Some(frame));
    }

    /// Reads the client's octets.
    pub(super) fn read_client(&mut self, chunk: Chunk<'_>) -> Progress {
        let mut octets = 0;
        // Most octets of a mail server are these.
        if matches!(self.client.mode, Mode::Data) && !self.server.greeting_is_due() {
            octets = self.mail_data(&chunk);
        }
        let mut rest = chunk.skip(octets);
        while !rest.bytes.is_empty() {
            // Behind the greeting nobody talks early.
            let usual = matches!(self.client.mode, Mode::Commands) && !self.server.greeting_is_due();
            let (count, upgrade) = if usual {
                self.line(&rest)
            } else {
                self.read_unusual(&rest)
            };
            octets += count;
            rest = rest.skip(count);
            if upgrade != Upgrade::None {
                return Progress { octets, upgrade };
            }
        }
        Progress {
            octets,
            upgrade: Upgrade::None,
        }
    }

    /// Reads octets that are no command behind the greeting; how many, and what they mean for TLS.
    #[inline(never)]
    fn read_unusual(&mut self, rest: &Chunk<'_>) -> (usize, Upgrade) {
        let silent = matches!(self.client.mode, Mode::Start(_) | Mode::HeldStart(_) | Mode::Proxy(_));
        let preamble = self.notes.has_preamble();
        let (count, upgrade) = match &mut self.client.mode {
            Mode::Start(_) => (self.start(rest), Upgrade::None),
            Mode::HeldStart(_) => (self.hold_start(rest), Upgrade::None),
            Mode::Proxy(_) => (self.proxy_header(rest), Upgrade::None),
            Mode::Commands | Mode::Lost => self.line(rest),
            Mode::HeldData(_) => (self.hold_data(rest), Upgrade::None),
            Mode::HeldUpgrade(_) => (self.hold_upgrade(rest), Upgrade::None),
            Mode::Data => (self.mail_data(rest), Upgrade::None),
            Mode::Chunk { .. } => (self.bdat_chunk(rest), Upgrade::None),
            Mode::Foreign => (rest.bytes.len(), Upgrade::None),
        };
        if !silent && count > 0 && preamble == self.notes.has_preamble() && self.server.greeting_is_due() {
            let span = span_of(rest, count);
            let early = self
                .notes
                .unusual_mut()
                .early_talk
                .get_or_insert_with(|| Box::new(span));
            **early = early.through(span);
        }
        (count, upgrade)
    }

    /// Reads held octets again.
    fn release(&mut self, held: &Held) {
        let behind_data = self.ledger.next() > 0;
        let before = std::mem::replace(&mut self.client.again, behind_data);
        for chunk in held.chunks() {
            let mut rest = chunk;
            while !rest.bytes.is_empty() {
                let progress = self.read_client(rest);
                rest = rest.skip(progress.octets);
                if progress.upgrade == Upgrade::Asked {
                    self.client.mode = Mode::HeldUpgrade(Held::default());
                }
            }
        }
        self.client.again = before;
    }

    fn start(&mut self, chunk: &Chunk<'_>) -> usize {
        let Mode::Start(held) = &mut self.client.mode else {
            return 0;
        };
        // Nearly always: the first octet is none of a header's, and the greeting was seen.
        let begins = chunk.bytes.first() == preamble::SIGNATURE.first();
        if held.bytes().is_empty() && !begins && !self.server.greeting_is_due() {
            self.client.mode = Mode::Commands;
            return 0;
        }
        let mut count = 0;
        while held.bytes().len() < preamble::FIXED {
            let known = held.bytes().len().min(preamble::SIGNATURE.len());
            let next = chunk.skip(count);
            let Some(octet) = next.bytes.first() else {
                return count;
            };
            if preamble::SIGNATURE.get(known).is_some_and(|expected| expected != octet) {
                let held = std::mem::take(held);
                self.first_commands(held);
                return count;
            }
            count += held.take(&next, 1);
        }
        let held = std::mem::take(held);
        match preamble::version_2_length(held.bytes()) {
            Some(left) => {
                self.client.mode = Mode::Proxy(Box::new(ProxyHeader {
                    octets: held.bytes().to_vec(),
                    left,
                    span: held.span(),
                }));
                self.end_proxy_header();
            }
            None => self.first_commands(held),
        }
        count
    }

    /// No PROXY header of version 2 stands in front.
    fn first_commands(&mut self, held: Held) {
        if self.server.greeting_is_due() {
            self.client.mode = Mode::HeldStart(held);
        } else {
            self.client.mode = Mode::Commands;
            self.release(&held);
        }
    }

    fn hold_start(&mut self, chunk: &Chunk<'_>) -> usize {
        if !self.server.greeting_is_due() {
            self.release_start();
            self.client.mode = Mode::Commands;
            return 0;
        }
        let Mode::HeldStart(held) = &mut self.client.mode else {
            return 0;
        };
        let count = held.take(chunk, chunk.bytes.len());
        if held.is_full() {
            self.decide_start();
        }
        count
    }

    /// No greeting tells what the first octets are: the first line does.
    pub(super) fn decide_start(&mut self) {
        if let Mode::Start(held) | Mode::HeldStart(held) = &self.client.mode
            && !held.bytes().is_empty()
        {
            let first = first_line(held.bytes()).unwrap_or(held.bytes());
            let begins = Command::read(first).is_plausible() || preamble::version_1(first).is_some();
            let foreign = held.span().and_then(|span| preamble::foreign(first, span));
            if begins || foreign.is_some() {
                self.release_start();
            } else {
                self.join_late();
            }
        }
    }

    /// The greeting came: the first octets are the first commands.
    pub(super) fn release_start(&mut self) {
        if let Mode::HeldStart(held) | Mode::Start(held) = &mut self.client.mode
            && !held.bytes().is_empty()
        {
            let held = std::mem::take(held);
            self.client.mode = Mode::Commands;
            self.release(&held);
        }
    }

    /// The capture began later than the session: the first octets may be anything.
    pub(super) fn join_late(&mut self) {
        self.notes.unusual_mut().joined_late = true;
        self.server.join_late();
        if let Mode::HeldStart(held) | Mode::Start(held) = &mut self.client.mode {
            let held = std::mem::take(held);
            self.client.join_late();
            self.release(&held);
        }
    }

    /// The first octets can only come behind a greeting.
    pub(super) fn began_in_the_middle(&self, code: u16) -> bool {
        let Mode::HeldStart(held) = &self.client.mode else {
            return false;
        };
        let Some(first) = first_line(held.bytes()) else {
            return false;
        };
        match Command::read(first).known() {
            Some(Verb::StartTls | Verb::XAnonymousTls) => true,
            Some(Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Auth) => code != 220,
            _ => false,
        }
    }

    fn proxy_header(&mut self, chunk: &Chunk<'_>) -> usize {
        let Mode::Proxy(header) = &mut self.client.mode else {
            return 0;
        };
        let count = header.left.min(chunk.bytes.len());
        let room = (preamble::FIXED + preamble::ADDRESSES)
            .saturating_sub(header.octets.len())
            .min(count);
        header
            .octets
            .extend_from_slice(chunk.bytes.get(..room).unwrap_or_default());
        header.left -= count;
        let here = span_of(chunk, count);
        header.span = Some(header.span.map_or(here, |before| before.through(here)));
        self.end_proxy_header();
        count
    }

    fn end_proxy_header(&mut self) {
        if let Mode::Proxy(header) = &self.client.mode
            && header.left == 0
        {
            if let Some(span) = header.span {
                self.notes.unusual_mut().preamble = Some(Box::new(Preamble::Proxy {
                    version: 2,
                    source: preamble::version_2_source(&header.octets),
                    span,
                }));
            }
            self.first_commands(Held::default());
        }
    }

    fn line(&mut self, chunk: &Chunk<'_>) -> (usize, Upgrade) {
        let (count, line) = self.client.lines.take(chunk);
        (count, line.map_or(Upgrade::None, |line| self.client_line(&line)))
    }

    fn client_line(&mut self, line: &Line<'_>) -> Upgrade {
        if std::mem::take(&mut self.client.skip_line) {
            return Upgrade::None;
        }
        if line.cut {
            self.notes.count_cut_line();
        }
        if matches!(self.client.mode, Mode::Lost) {
            return self.lost_line(line);
        }
        if self.client.first_line && self.is_no_smtp(line) {
            return Upgrade::None;
        }
        if self.is_response(&line.bytes) {
            self.respond(line);
            return Upgrade::None;
        }
        self.command(line)
    }

    /// The first line may be a PROXY header of version 1, or another protocol.
    fn is_no_smtp(&mut self, line: &Line<'_>) -> bool {
        if !self.notes.has_preamble()
            && let Some(source) = preamble::version_1(&line.bytes)
        {
            let span = line.span;
            self.notes.unusual_mut().preamble = Some(Box::new(Preamble::Proxy {
                version: 1,
                source,
                span,
            }));
            // The header is not the client talking.
            self.notes.unusual_mut().early_talk = None;
            return true;
        }
        self.client.first_line = false;
        let Some(foreign) = preamble::foreign(&line.bytes, line.span) else {
            return false;
        };
        let binary = foreign.looks_like != "HTTP";
        if binary {
            self.client.mode = Mode::Foreign;
        }
        self.notes.unusual_mut().foreign = Some(Box::new(foreign));
        binary
    }

    /// Behind a gap: a line that is hardly anything else than a command, or the end of data, tells the place.
    fn lost_line(&mut self, line: &Line<'_>) -> Upgrade {
        let is_end = *line.bytes == *b".";
        if is_end {
            if self.client.data.is_none() {
                self.begin_unseen(Verb::Data, Detail::Data(None), line.span);
                self.begin_data();
                // How much of the message is missing is not known; that some of it is, is.
                if let Some(data) = &mut self.client.data {
                    data.gap(1);
                }
            }
            if let Some(data) = &mut self.client.data {
                data.end_at(line.span);
            }
            self.end_data();
            self.found();
            return Upgrade::None;
        }
        if Command::read(&line.bytes).is_plausible() {
            self.end_data();
            self.found();
            return self.command(line);
        }
        if self.is_response(&line.bytes) {
            self.respond(line);
        } else if let Some(data) = &mut self.client.data {
            data.line(&line.bytes, line.span);
        } else {
            let spelt = |word: &&[u8]| !word.iter().all(u8::is_ascii_alphabetic);
            for word in line.bytes.split(u8::is_ascii_whitespace).filter(spelt) {
                self.client.masked.add(word);
            }
        }
        Upgrade::None
    }

    fn found(&mut self) {
        self.client.mode = Mode::Commands;
        if std::mem::take(&mut self.client.behind_gap) {
            self.notes.count_resynchronised();
        }
    }

    /// The line answers a challenge of AUTH. Where none was seen, it is a response unless it is a command.
    fn is_response(&mut self, line: &[u8]) -> bool {
        let Some(open) = self.ledger.newest().filter(|open| !open.answered) else {
            return false;
        };
        let Detail::Auth(facts) = &open.exchange.detail else {
            return false;
        };
        // The server takes QUIT for a response too, but who sends it means the command.
        let quits = line.trim_ascii().eq_ignore_ascii_case(b"QUIT");
        (facts.challenges > open.responses && !quits) || !Command::read(line).is_plausible()
    }

    fn respond(&mut self, line: &Line<'_>) {
        self.client.masked.add(&line.bytes);
        let keep = self.client.retention.secrets;
        let Some(mut open) = self.ledger.newest_mut() else {
            return;
        };
        let responses = open.responses;
        let uncertain = open.responses_may_be_hidden;
        open.responses = open.responses.saturating_add(1);
        let challenge = open.exchange.other_replies.last();
        let Detail::Auth(facts) = &mut open.exchange.detail else {
            return;
        };
        let challenged = facts.challenges > responses;
        open.exchange.continued |= challenged;
        let prompt = challenge
            .filter(|_| challenged)
            .and_then(|reply| reply.lines.first())
            .map(|line| base64::decode(line.bytes()).map_or_else(|| line.bytes().to_vec(), |decoded| decoded.bytes));
        let number = responses.saturating_add(u32::from(facts.initial_response));
        let response = Response {
            line: &line.bytes,
            span: line.span,
            number,
            uncertain,
            cut: line.cut,
            keep,
        };
        facts.responded(response, prompt.as_deref());
    }

    fn command(&mut self, line: &Line<'_>) -> Upgrade {
        let command = Command::read(&line.bytes);
        let shown = command::shown_as(&line.bytes, &command, self.client.suspect);
        if shown.masked {
            let known = if shown.verb == Verb::Auth {
                command.word.len()
            } else {
                0
            };
            self.client
                .masked
                .add(line.bytes.trim_ascii().get(known..).unwrap_or_default());
        }
        if shown.verb != Verb::Other {
            self.client.suspect = shown.verb == Verb::Auth;
        }
        self.abandon_chunks(shown.verb);
        let detail = match (shown.verb, shown.unknown) {
            (Verb::Auth, _) => self.authentication(&command, line.cut, line.span),
            (_, Some(word)) => Detail::Unknown(word),
            (verb, None) => command.detail(verb),
        };
        if shown.verb == Verb::Lhlo {
            self.notes.unusual_mut().lmtp = true;
        }
        let pipelined = self.client.again || self.ledger.newest().is_some_and(|open| !open.answered || open.more > 0);
        if !line.cut && line.bytes.len() > COMMAND_KEPT {
            self.notes.count_cut_line();
        }
        let verb = shown.verb;
        let mut exchange = Exchange::sent(verb, shown.line, detail, line.span);
        exchange.bare_line_feed = line.bare_line_feed;
        exchange.pipelined = pipelined;
        self.send(exchange);
        match verb {
            Verb::Data | Verb::Bdat | Verb::StartTls | Verb::XAnonymousTls => self.follow(line.span),
            _ => Upgrade::None,
        }
    }

    fn authentication(&self, command: &Command<'_>, cut: bool, span: Span) -> Detail {
        let (mechanism, initial) = command.mechanism();
        let mut facts = authentication::begin(mechanism, initial.is_some());
        if let Some(line) = initial {
            let response = Response {
                line,
                span,
                number: 0,
                uncertain: false,
                cut,
                keep: self.client.retention.secrets,
            };
            facts.responded(response, None);
        }
        Detail::Auth(Box::new(facts))
    }

    /// What the newest command, DATA, BDAT or STARTTLS, makes of the octets behind it.
    fn follow(&mut self, span: Span) -> Upgrade {
        let Some(mut open) = self.ledger.newest_mut() else {
            return Upgrade::None;
        };
        match (&open.exchange.verb, &open.exchange.detail) {
            (Verb::Data, _) => self.client.mode = Mode::HeldData(Held::default()),
            (
                _,
                Detail::Bdat {
                    size: Some(left), last, ..
                },
            ) => {
                let (left, last) = (*left, *last);
                open.data_running = true;
                let index = open.exchange.index;
                let keep_text = self.client.retention.message_text;
                let data = self
                    .client
                    .data
                    .get_or_insert_with(|| Box::new(MailData::new(Form::Counted, keep_text)));
                data.command = Some(index);
                data.chunks = data.chunks.saturating_add(1);
                self.client.mode = Mode::Chunk { left, last };
                self.end_chunk(span.last);
            }
            (Verb::StartTls | Verb::XAnonymousTls, _) => return Upgrade::Asked,
            _ => {}
        }
        Upgrade::None
    }

    /// A chunked message ends without LAST where the client begins something else.
    fn abandon_chunks(&mut self, verb: Verb) {
        let goes_on = matches!(verb, Verb::Bdat | Verb::Noop | Verb::Help | Verb::Vrfy | Verb::Other);
        if !goes_on && self.client.data.is_some() {
            self.end_data();
        }
    }

    /// The client sends: whatever waits behind a DATA command whose reply lies in a gap is read now.
    pub(super) fn decide_where_hidden(&mut self) {
        let has_line = matches!(&self.client.mode, Mode::HeldData(held) if memchr(b'\n', held.bytes()).is_some());
        if has_line && self.go_ahead_may_be_hidden() {
            self.decide_by_looks();
        }
    }

    fn hold_upgrade(&mut self, chunk: &Chunk<'_>) -> usize {
        let Mode::HeldUpgrade(held) = &mut self.client.mode else {
            return 0;
        };
        let count = held.take(chunk, chunk.bytes.len());
        if held.is_full() {
            self.release_upgrade();
        }
        count
    }

    /// STARTTLS was refused: octets held behind it are commands.
    pub(super) fn release_upgrade(&mut self) {
        if let Mode::HeldUpgrade(held) = &mut self.client.mode {
            let held = std::mem::take(held);
            self.client.mode = Mode::Commands;
            self.release(&held);
        }
    }

    /// STARTTLS was accepted: octets held behind it were injected.
    pub(super) fn inject_held(&mut self) {
        if let Mode::HeldUpgrade(held) = &mut self.client.mode {
            let held = std::mem::take(held);
            self.client.mode = Mode::Commands;
            for chunk in held.chunks() {
                self.inject(span_of(&chunk, chunk.bytes.len()), chunk.bytes);
            }
        }
    }

    /// No reply says whether the held octets are mail data: the first line does.
    fn decide_by_looks(&mut self) {
        self.client.unanswered = true;
        let Mode::HeldData(held) = &mut self.client.mode else {
            return;
        };
        let held = std::mem::take(held);
        if looks_like_commands(&held) {
            self.client.mode = Mode::Commands;
        } else {
            self.begin_data();
        }
        self.release(&held);
    }

    /// 354 was seen.
    pub(super) fn go_ahead(&mut self) {
        if self.ledger.waiting() == 1
            && let Mode::HeldData(held) = &mut self.client.mode
        {
            let held = std::mem::take(held);
            self.begin_data();
            self.release(&held);
        }
    }

    /// The final reply of DATA was seen, the oldest open command.
    pub(super) fn answer_data(&mut self, reply: Reply) {
        let class = reply.class();
        let newest = self.ledger.waiting() == 1;
        let hidden = self
            .ledger
            .oldest()
            .is_some_and(|open| open.exchange.index < self.ledger.gap_before());
        let assumed = self
            .ledger
            .oldest()
            .is_some_and(|open| open.exchange.intermediate().is_empty());
        match &mut self.client.mode {
            Mode::HeldData(held) if newest => {
                let held = std::mem::take(held);
                let is_data = class == 2 || (hidden && !looks_like_commands(&held));
                if is_data && !held.bytes().is_empty() {
                    self.begin_data();
                    self.release(&held);
                    self.conclude(reply);
                } else {
                    self.client.mode = Mode::Commands;
                    self.conclude(reply);
                    self.release(&held);
                }
            }
            Mode::Data if newest && assumed && !hidden && class != 2 => {
                self.client.skip_line = self.client.data.as_ref().is_some_and(|data| !data.at_line_start());
                self.conclude(reply);
                self.end_data();
            }
            Mode::Data if newest => {
                self.conclude(reply);
                if self.client.data.as_ref().is_some_and(|data| data.has_gap()) {
                    self.client.mode = Mode::Lost;
                }
            }
            _ => self.conclude(reply),
        }
    }

    /// A reply without a command tells which command was not seen: 354 DATA, 334 AUTH.
    pub(super) fn answers_unseen(&mut self, reply: &Reply) -> bool {
        let silent = matches!(&self.client.mode, Mode::Start(held) | Mode::HeldStart(held) if held.bytes().is_empty());
        if !(silent || matches!(self.client.mode, Mode::Lost | Mode::Commands)) || self.client.data.is_some() {
            return false;
        }
        match reply.code {
            354 => {
                self.client.first_line = false;
                self.client.lines.rest();
                self.begin_unseen(Verb::Data, Detail::Data(None), reply.span.get());
                self.begin_data();
                true
            }
            334 => {
                self.client.first_line = false;
                self.client.lines.rest();
                let facts = authentication::begin(Captured::default(), false);
                self.begin_unseen(Verb::Auth, Detail::Auth(Box::new(facts)), reply.span.get());
                self.client.mode = Mode::Commands;
                self.client.suspect = true;
                true
            }
            _ => false,
        }
    }

    fn begin_unseen(&mut self, verb: Verb, detail: Detail, seen: Span) {
        // 354 and 334 answer nothing else: the command was sent by the client; where, is not known.
        let command = Span {
            direction: crate::span::Direction::ToServer,
            start: 0,
            end: 0,
            last: seen.first,
            ..seen
        };
        self.send(Exchange::sent(verb, Captured::default(), detail, command));
        if let Some(mut open) = self.ledger.newest_mut() {
            open.responses_may_be_hidden = true;
        }
    }

    /// Octets of the client are missing.
    pub(super) fn client_gap(&mut self, gap: &Gap) {
        self.replies_are_doubtful();
        self.client.behind_gap = true;
        self.client.suspect = true;
        self.client.skip_line = false;
        self.client.first_line = false;
        self.decide_start();
        if matches!(self.client.mode, Mode::Commands | Mode::Lost) {
            self.command_before_gap();
        }
        match &mut self.client.mode {
            Mode::HeldData(_) => {
                let unanswered = self.client.unanswered;
                self.decide_by_looks();
                self.client.unanswered = unanswered;
            }
            Mode::HeldUpgrade(_) => self.release_upgrade(),
            _ => {}
        }
        self.gap_in_data(gap);
        if let Some(mut open) = self.ledger.newest_mut() {
            open.responses_may_be_hidden = true;
        }
    }

    /// A command whose end is missing still has a reply. Behind an earlier gap only MAIL and RCPT are sure enough: a snap
    /// length cuts the long commands one after the other.
    fn command_before_gap(&mut self) {
        let Some(mut line) = self.client.lines.rest() else {
            return;
        };
        if line.bytes.last() == Some(&b'\r') {
            line.bytes.to_mut().pop();
        }
        let command = Command::read(&line.bytes);
        let known = command.known().filter(|_| command.is_plausible());
        let lost = matches!(self.client.mode, Mode::Lost);
        if self.is_response(&line.bytes) {
            let line = Line { cut: true, ..line };
            self.respond(&line);
        } else if lost && matches!(known, Some(Verb::Mail | Verb::Rcpt)) {
            self.end_data();
            self.found();
            self.command(&line);
        } else if !lost && known.is_some_and(|known| known != Verb::Bdat) {
            self.command(&line);
        }
    }

    fn gap_in_data(&mut self, gap: &Gap) {
        let newest = self.ledger.newest();
        let answered = newest.is_some_and(|open| open.answered) || self.client.unanswered;
        let unseen = newest.is_some_and(|open| open.exchange.line_length() == 0);
        match (&mut self.client.mode, &mut self.client.data) {
            // The command itself is what is missing.
            (Mode::Data, Some(data)) if unseen && !data.has_begun() => {}
            (Mode::Data, Some(data)) => {
                data.gap(gap.length);
                if answered {
                    self.client.mode = Mode::Lost;
                }
            }
            (Mode::Chunk { left, .. }, Some(data)) => {
                let missing = gap.length.min(*left);
                data.gap(missing);
                *left -= missing;
                self.end_chunk(gap.found_at);
                if missing < gap.length {
                    self.lose();
                }
            }
            (Mode::Foreign, _) => {}
            _ => self.lose(),
        }
    }

    fn lose(&mut self) {
        self.client.lines.rest();
        self.client.mode = Mode::Lost;
    }

    /// No more commands.
    pub(super) fn end_of_commands(&mut self) {
        self.decide_start();
        self.release_upgrade();
        while !self.client.holds_nothing() {
            self.decide_by_looks();
        }
        self.client_went_on(None);
        if self.client.first_line
            && let Some(line) = self.client.lines.rest()
            && let Some(foreign) = preamble::foreign(&line.bytes, line.span)
        {
            self.notes.unusual_mut().foreign = Some(Box::new(foreign));
        }
        if self.client.data.is_some() {
            self.end_data();
        }
        // Without a greeting nobody knows what was early.
        let early = |dialogue: &Dialogue| dialogue.early_talk.is_some() && dialogue.greeting_began.is_none();
        if self.notes.greeting.is_none() && self.notes.unusual().is_some_and(early) {
            self.notes.unusual_mut().early_talk = None;
        }
    }
}

fn looks_like_commands(held: &Held) -> bool {
    first_line(held.bytes()).is_some_and(|line| Command::read(line).is_plausible())
}

fn first_line(bytes: &[u8]) -> Option<&[u8]> {
    memchr(b'\n', bytes).and_then(|end| bytes.get(..end))
}
