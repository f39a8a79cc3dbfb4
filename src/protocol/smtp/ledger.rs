//! Keeps the exchanges of a session in the client's order: those that wait for a reply, and those that have one, of which
//! the first and the last are kept and the others counted.

use std::collections::VecDeque;

use crate::captured::Captured;
use crate::protocol::Seen;
use crate::protocol::smtp::{Detail, Exchange, FIRST_EXCHANGES, LAST_EXCHANGES, Reply, Verb};

/// Commands that wait for a reply at most; when more are sent, the oldest is given up as hidden.
pub const OPEN_EXCHANGES: usize = 4096;
/// Intermediate replies kept of one exchange (`challenges` counts all).
pub const INTERMEDIATE_REPLIES: usize = 16;
/// Further replies kept of one LMTP exchange.
pub const FURTHER_REPLIES: usize = 1000;

/// An exchange that is not over.
#[derive(Debug)]
pub struct Open {
    /// What is known of it.
    pub exchange: Exchange,
    /// Its final reply was seen.
    pub answered: bool,
    /// Its mail data is being read.
    pub data_running: bool,
    /// LMTP replies that are still to come.
    pub more: u32,
    /// AUTH: lines sent as responses.
    pub responses: u32,
    /// AUTH: lines of the client may be missing, so no line may be taken for a user name.
    pub responses_may_be_hidden: bool,
}

impl Open {
    /// A command that was just sent.
    pub const fn new(exchange: Exchange) -> Self {
        Self {
            exchange,
            answered: false,
            data_running: false,
            more: 0,
            responses: 0,
            responses_may_be_hidden: false,
        }
    }

    const fn is_over(&self) -> bool {
        self.answered && !self.data_running && self.more == 0
    }
}

/// All exchanges.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Those that are not over, oldest first.
    pub open: VecDeque<Open>,
    first: Vec<Exchange>,
    last: VecDeque<Exchange>,
    not_kept: u64,
    /// Number of the next command.
    pub next: u64,
    /// Replies to come that belong to exchanges given up because of [`OPEN_EXCHANGES`].
    pub given_up: u64,
    /// Replies to commands with lower numbers may lie in a gap.
    pub gap_before: u64,
    weight: usize,
}

impl Ledger {
    /// Adds a command that was just sent.
    pub fn send(&mut self, exchange: Exchange) {
        if self.open.len() >= OPEN_EXCHANGES
            && let Some(mut oldest) = self.open.pop_front()
        {
            if !oldest.answered {
                oldest.exchange.reply = Seen::Hidden;
            }
            self.given_up = self.given_up.saturating_add(u64::from(!oldest.answered));
            self.keep(oldest.exchange);
        }
        self.next = exchange.index.saturating_add(1);
        if self.open.capacity() == 0 {
            // One at a time, unless commands are pipelined.
            self.open.reserve_exact(1);
        }
        self.open.push_back(Open::new(exchange));
    }

    /// Moves exchanges that are over out of the queue.
    pub fn settle(&mut self) {
        while self.open.front().is_some_and(Open::is_over) {
            if let Some(open) = self.open.pop_front() {
                self.keep(open.exchange);
            }
        }
        if self.open.is_empty() {
            // A session may wait for hours for its next command.
            self.open = VecDeque::new();
        }
    }

    /// Gives up the oldest `count` exchanges: their replies lie in a gap. Returns how many of them were RCPT commands
    /// and may have been accepted.
    pub fn hide(&mut self, count: usize) -> u32 {
        let mut recipients = 0;
        for _ in 0..count {
            let Some(mut open) = self.open.pop_front() else {
                break;
            };
            if !open.answered {
                open.exchange.reply = Seen::Hidden;
                recipients += u32::from(open.exchange.verb == Verb::Rcpt);
            }
            self.keep(open.exchange);
        }
        recipients
    }

    /// An exchange by its number, where it is still kept.
    pub fn find(&mut self, index: u64) -> Option<&mut Exchange> {
        if let Some(position) = self.open.iter().rposition(|open| open.exchange.index == index) {
            return self.open.get_mut(position).map(|open| &mut open.exchange);
        }
        let first = self.first.binary_search_by_key(&index, |exchange| exchange.index);
        let last = self.last.binary_search_by_key(&index, |exchange| exchange.index);
        match (first, last) {
            (Ok(position), _) => self.first.get_mut(position),
            (_, Ok(position)) => self.last.get_mut(position),
            _ => None,
        }
    }

    /// The exchange of the newest command, where it is not over.
    pub fn newest(&mut self) -> Option<&mut Open> {
        self.open.back_mut()
    }

    fn keep(&mut self, exchange: Exchange) {
        self.weight += weight_of(&exchange);
        if self.first.len() < FIRST_EXCHANGES {
            if self.first.len() == self.first.capacity() {
                // Many sessions have one or two, most of them six: twice the room would be most of what they hold.
                self.first.reserve_exact((self.first.len() / 2).max(1));
            }
            self.first.push(exchange);
            return;
        }
        if self.last.len() >= LAST_EXCHANGES
            && let Some(dropped) = self.last.pop_front()
        {
            self.weight = self.weight.saturating_sub(weight_of(&dropped));
            self.not_kept = self.not_kept.saturating_add(1);
        }
        self.last.push_back(exchange);
    }

    /// Approximate heap octets held.
    pub fn weight(&self) -> usize {
        self.weight + self.open.len() * (size_of::<Open>() + 64)
    }

    /// All kept exchanges in order, and how many were not kept. Those without a reply are `Hidden` where a gap followed
    /// them or `hidden` says that the capture lacks what the server said.
    pub fn finish(mut self, hidden: bool) -> (Vec<Exchange>, u64) {
        while let Some(mut open) = self.open.pop_front() {
            if !open.answered && (hidden || open.exchange.index < self.gap_before) {
                open.exchange.reply = Seen::Hidden;
            }
            self.keep(open.exchange);
        }
        let mut exchanges = self.first;
        exchanges.extend(self.last);
        // Whether a command was pipelined cannot be told where the reply before it was not seen, unless one frame
        // brought both commands.
        let mut before: Option<(bool, crate::span::Stamp)> = None;
        for exchange in &mut exchanges {
            if let Some((true, stamp)) = before {
                exchange.pipelined &= stamp.frame == exchange.command.first.frame;
            }
            before = Some((exchange.reply == Seen::Hidden, exchange.command.last));
        }
        (exchanges, self.not_kept)
    }
}

fn weight_of(exchange: &Exchange) -> usize {
    let text = |captured: &Captured| captured.bytes().len();
    let reply = |reply: &Reply| size_of::<Reply>() + reply.lines.iter().map(|line| 16 + text(line)).sum::<usize>();
    let detail = match &exchange.detail {
        Detail::Hello { name } | Detail::Attributes(name) => text(name),
        Detail::Auth(_) => 512,
        Detail::Mail { parameters, .. } | Detail::Rcpt { parameters, .. } => 64 + parameters.len() * 48,
        Detail::Data(Some(_)) | Detail::Bdat { data: Some(_), .. } => 4096,
        _ => 0,
    };
    size_of::<Exchange>()
        + text(&exchange.line)
        + detail
        + exchange.reply.yes().map_or(0, reply)
        + exchange.intermediate.iter().map(reply).sum::<usize>()
        + exchange.further_replies.iter().map(reply).sum::<usize>()
}
