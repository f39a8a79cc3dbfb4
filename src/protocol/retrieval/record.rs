//! Commands that wait for their answers, and the [`Dialogue`] that they end in. What both retrieval protocols do alike.

use std::collections::VecDeque;

use crate::captured::Captured;
use crate::protocol::{Retention, Seen};
use crate::secret::MASK;
use crate::span::{Span, Stamp};

use super::answer::shorten;
use super::login::LoginReader;
use super::{Answer, Capabilities, Command, Dialogue, FIRST_COMMANDS, LAST_COMMANDS, Login};

/// Commands that may wait for an answer at once; the oldest is recorded without one when it is too many.
pub const WAITING_COMMANDS: usize = 1024;
/// Octets kept of a command line.
pub const LINE_KEPT: usize = 1024;
/// Octets kept of a verb.
pub const VERB_OCTETS: usize = 32;
/// Messages whose header and structure are read, in one session; of later ones only the size is told.
pub const MESSAGES_READ: u32 = 64;
/// Untagged warnings kept.
const WARNINGS: usize = 16;
/// Runs of injected octets kept.
const INJECTED: usize = 16;
/// Octets kept of one of them.
const INJECTED_OCTETS: usize = 256;
/// Capability lists kept of a session, and keywords of a list.
const CAPABILITY_LISTS: usize = 16;
const CAPABILITIES: usize = 256;

/// A command that was not answered yet.
pub struct Waiting {
    /// The command so far.
    pub command: Command,
    /// A SASL exchange that is going on.
    pub reader: Option<LoginReader>,
    /// A gap may hold its answer.
    pub hidden: bool,
}

/// What is known of a session while it lasts.
pub struct Record {
    /// The facts so far, without the commands.
    pub dialogue: Dialogue,
    /// Commands that wait, oldest first.
    pub waiting: VecDeque<Waiting>,
    /// Answers that belong to commands which were recorded before them.
    pub owed_answers: u64,
    /// What the run wants kept.
    pub retention: Retention,
    /// Decrypted text is read.
    pub inside_tls: bool,
    /// The server has said something.
    pub server_seen: bool,
    /// The capture ends before the server does: it may have answered behind that.
    pub answers_may_follow: bool,
    /// Messages read so far.
    pub messages_read: u32,
    first: Vec<Command>,
    last: VecDeque<Command>,
    next_index: u64,
}

impl Record {
    /// An empty record.
    pub fn new(retention: Retention) -> Self {
        Self {
            dialogue: Dialogue::default(),
            waiting: VecDeque::new(),
            owed_answers: 0,
            retention,
            inside_tls: false,
            server_seen: false,
            answers_may_follow: false,
            messages_read: 0,
            first: Vec::new(),
            last: VecDeque::new(),
            next_index: 0,
        }
    }

    /// Opens a command; `line` must be masked already.
    pub fn open(&mut self, tag: Option<Captured>, verb: &[u8], line: &[u8], span: Span, login: Option<Login>) {
        if self.waiting.len() >= WAITING_COMMANDS {
            self.close(0, Seen::Hidden);
            self.owed_answers = self.owed_answers.saturating_add(1);
        }
        let command = Command {
            index: self.next_index,
            tag,
            verb: shorten(verb, VERB_OCTETS),
            line: shorten(line, LINE_KEPT),
            span,
            inside_tls: self.inside_tls,
            login: login.map(Box::new),
            answer: Seen::No,
            data_octets: 0,
            messages: 0,
            message: None,
        };
        self.next_index += 1;
        self.waiting.push_back(Waiting {
            command,
            reader: None,
            hidden: false,
        });
    }

    /// Records the command at this place of the queue with what became of it.
    pub fn close(&mut self, place: usize, answer: Seen<Answer>) {
        let Some(mut waiting) = self.waiting.remove(place) else {
            return;
        };
        if let Some(reader) = waiting.reader {
            waiting.command.login = Some(Box::new(reader.login()));
        }
        waiting.command.answer = answer;
        if self.first.len() < FIRST_COMMANDS {
            self.first.push(waiting.command);
            return;
        }
        if self.last.len() >= LAST_COMMANDS {
            self.last.pop_front();
            self.dialogue.commands_not_kept = self.dialogue.commands_not_kept.saturating_add(1);
        }
        self.last.push_back(waiting.command);
    }

    /// Octets of the server are missing: they may answer everything that waits.
    pub fn server_gap(&mut self) {
        for waiting in &mut self.waiting {
            waiting.hidden = true;
        }
    }

    /// Adds a capability list.
    pub fn capabilities(&mut self, keywords: Vec<Captured>, span: Span) {
        if self.dialogue.capabilities.len() < CAPABILITY_LISTS {
            self.dialogue.capabilities.push(Capabilities {
                keywords,
                inside_tls: self.inside_tls,
                span,
            });
        }
    }

    /// Adds a warning of the server.
    pub fn warn(&mut self, text: Captured, span: Span) {
        if self.dialogue.warnings.len() < WARNINGS {
            self.dialogue.warnings.push((text, span));
        }
    }

    /// Adds octets that came in the clear behind the command to start TLS; credentials in them are masked.
    pub fn injected(&mut self, span: Span, bytes: &[u8]) {
        if self.dialogue.injected.len() < INJECTED {
            let kept = bytes.get(..bytes.len().min(INJECTED_OCTETS)).unwrap_or_default();
            self.dialogue
                .injected
                .push((span, Captured::new(&mask_credentials(kept))));
        }
    }

    /// Mail data arrived for the command at this place.
    pub fn add_data(&mut self, place: usize, octets: u64) {
        self.dialogue.data_octets = self.dialogue.data_octets.saturating_add(octets);
        if let Some(waiting) = self.waiting.get_mut(place) {
            waiting.command.data_octets = waiting.command.data_octets.saturating_add(octets);
        }
    }

    /// The connection's consent to TLS was seen.
    pub fn switched(&mut self, at: Stamp) {
        self.dialogue.switched_to_tls.get_or_insert(at);
    }

    /// Approximate octets of memory held.
    pub fn weight(&self) -> usize {
        /// Measured over ordinary commands with their answers.
        const TEXT: usize = 160;
        let messages = self.messages_read as usize * 4096;
        let commands = self.first.len() + self.last.len() + self.waiting.len();
        size_of::<Self>() + commands * (size_of::<Command>() + TEXT) + messages
    }

    /// The facts; what still waits was not answered, or its answer is hidden.
    pub fn finish(mut self) -> Dialogue {
        while let Some(waiting) = self.waiting.front() {
            let hidden = waiting.hidden || !self.server_seen || self.answers_may_follow;
            self.close(0, if hidden { Seen::Hidden } else { Seen::No });
        }
        let mut commands = self.first;
        commands.extend(self.last);
        // IMAP answers out of order.
        commands.sort_by_key(|command| command.index);
        self.dialogue.commands = commands;
        self.dialogue
    }
}

/// Adds one keyword to a capability list, within its limit.
pub fn add_keyword(keywords: &mut Vec<Captured>, keyword: &[u8]) {
    let keyword = keyword.trim_ascii();
    if !keyword.is_empty() && keywords.len() < CAPABILITIES {
        keywords.push(shorten(keyword, 256));
    }
}

/// Everything from the first credential word of a text on becomes the mask.
fn mask_credentials(text: &[u8]) -> Vec<u8> {
    let upper = text.to_ascii_uppercase();
    let words: [&[u8]; 4] = [b"PASS", b"APOP", b"AUTH", b"LOGIN"];
    let found = words
        .iter()
        .filter_map(|word| memchr::memmem::find(&upper, word).map(|at| at + word.len()))
        .min();
    match found {
        Some(end) => [text.get(..end).unwrap_or_default(), b" ", MASK.as_bytes()].concat(),
        None => text.to_vec(),
    }
}
