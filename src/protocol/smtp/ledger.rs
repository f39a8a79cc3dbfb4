//! Keeps the exchanges of a session in the client's order: those that wait for a reply, and those that have one, of which
//! the first and the last are kept and the others counted.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};

use crate::captured::Captured;
use crate::protocol::Seen;
use crate::protocol::smtp::waiting::Waiting;
use crate::protocol::smtp::{Detail, Exchange, FIRST_EXCHANGES, Few, LAST_EXCHANGES, Reply, Verb};

/// Commands that wait for a reply at most; when more are sent, the oldest is given up as hidden.
pub const OPEN_EXCHANGES: usize = 4096;

/// An exchange that is not over, to look at.
#[derive(Clone, Copy, Debug)]
pub struct Open<'a> {
    /// What is known of it.
    pub exchange: &'a Exchange,
    waiting: &'a Waiting,
}

impl Deref for Open<'_> {
    type Target = Waiting;

    fn deref(&self) -> &Waiting {
        self.waiting
    }
}

/// An exchange that is not over.
#[derive(Debug)]
pub struct OpenMut<'a> {
    /// What is known of it.
    pub exchange: &'a mut Exchange,
    waiting: &'a mut Waiting,
}

impl Deref for OpenMut<'_> {
    type Target = Waiting;

    fn deref(&self) -> &Waiting {
        self.waiting
    }
}

impl DerefMut for OpenMut<'_> {
    fn deref_mut(&mut self) -> &mut Waiting {
        self.waiting
    }
}

/// All exchanges, each where it stays: a command is written once, and its reply beside it.
#[derive(Debug, Default)]
pub struct Ledger {
    first: Vec<Exchange>,
    /// What few sessions need.
    beyond: Option<Box<Beyond>>,
    /// Of the newest exchanges, the oldest that is not over: in most sessions the only one.
    oldest: Option<Waiting>,
    weight: u32,
}

/// What a session needs that is pipelined or very long, or has a gap.
#[derive(Debug, Default)]
struct Beyond {
    /// Those behind the oldest that are not over.
    waiting: VecDeque<Waiting>,
    /// Exchanges behind the first.
    last: VecDeque<Exchange>,
    not_kept: u64,
    /// Replies to come that belong to exchanges given up because of [`OPEN_EXCHANGES`].
    given_up: u64,
    /// Replies to commands with lower numbers may lie in a gap.
    gap_before: u64,
    /// Replies that wait to be paired behind a gap.
    floating: Few<Reply>,
}

impl Ledger {
    /// Adds a command that was just sent.
    pub fn send(&mut self, exchange: Exchange) {
        if self.waiting() >= OPEN_EXCHANGES {
            let given_up = self.oldest_mut().map_or(0, |oldest| {
                if !oldest.answered {
                    oldest.exchange.reply = Seen::Hidden;
                }
                u64::from(!oldest.answered)
            });
            let beyond = self.beyond.get_or_insert_default();
            beyond.given_up = beyond.given_up.saturating_add(given_up);
            self.settle_oldest();
        }
        if self.first.len() < FIRST_EXCHANGES {
            make_room(&mut self.first);
            self.first.push(exchange);
        } else {
            self.beyond.get_or_insert_default().last.push_back(exchange);
        }
        if self.oldest.is_none() {
            self.oldest = Some(Waiting::default());
        } else {
            self.beyond
                .get_or_insert_default()
                .waiting
                .push_back(Waiting::default());
        }
    }

    /// True where the next final reply belongs to an exchange that was given up, for which it is then counted off.
    pub fn takes_for_given_up(&mut self) -> bool {
        let given_up = self.beyond.as_mut().map(|beyond| &mut beyond.given_up);
        given_up.filter(|count| **count > 0).is_some_and(|count| {
            *count -= 1;
            true
        })
    }

    /// Number of the next command.
    pub fn next(&self) -> u64 {
        let not_kept = self.beyond.as_ref().map_or(0, |beyond| beyond.not_kept);
        not_kept.saturating_add(self.kept() as u64)
    }

    /// Octets of the server are missing: so may be replies to all commands so far.
    pub fn note_gap(&mut self) {
        let next = self.next();
        self.beyond.get_or_insert_default().gap_before = next;
    }

    /// Replies to commands with lower numbers may lie in a gap.
    pub fn gap_before(&self) -> u64 {
        self.beyond.as_ref().map_or(0, |beyond| beyond.gap_before)
    }

    /// Replies that wait to be paired behind a gap.
    pub fn floating(&self) -> &[Reply] {
        self.beyond.as_ref().map_or(&[], |beyond| &beyond.floating)
    }

    /// A reply waits to be paired.
    pub fn float(&mut self, reply: Reply) {
        self.beyond.get_or_insert_default().floating.push(reply);
    }

    /// Takes out the replies that wait to be paired.
    pub fn take_floating(&mut self) -> Vec<Reply> {
        let floating = self.beyond.as_mut().map(|beyond| std::mem::take(&mut beyond.floating));
        floating.unwrap_or_default().into_vec()
    }

    /// How many exchanges are not over.
    pub fn waiting(&self) -> usize {
        usize::from(self.oldest.is_some()) + self.beyond.as_ref().map_or(0, |beyond| beyond.waiting.len())
    }

    /// Exchanges that are kept.
    fn kept(&self) -> usize {
        self.first.len() + self.beyond.as_ref().map_or(0, |beyond| beyond.last.len())
    }

    /// The exchange at a place among those that are not over, the oldest first.
    fn open_at(&self, position: usize) -> Option<Open<'_>> {
        let waiting = match position.checked_sub(1) {
            None => self.oldest.as_ref(),
            Some(position) => self.beyond.as_ref()?.waiting.get(position),
        };
        let place = self.kept() - self.waiting() + position;
        let exchange = match place.checked_sub(self.first.len()) {
            None => self.first.get(place),
            Some(place) => self.beyond.as_ref()?.last.get(place),
        };
        Some(Open {
            exchange: exchange?,
            waiting: waiting?,
        })
    }

    fn open_at_mut(&mut self, position: usize) -> Option<OpenMut<'_>> {
        let place = (self.kept() + position).checked_sub(self.waiting())?;
        let (last, behind) = match self.beyond.as_deref_mut() {
            Some(beyond) => (Some(&mut beyond.last), Some(&mut beyond.waiting)),
            None => (None, None),
        };
        let waiting = match position.checked_sub(1) {
            None => self.oldest.as_mut(),
            Some(position) => behind?.get_mut(position),
        };
        let exchange = match place.checked_sub(self.first.len()) {
            None => self.first.get_mut(place),
            Some(place) => last?.get_mut(place),
        };
        Some(OpenMut {
            exchange: exchange?,
            waiting: waiting?,
        })
    }

    /// The oldest exchange that is not over.
    pub fn oldest(&self) -> Option<Open<'_>> {
        self.open_at(0)
    }

    /// The oldest exchange that is not over.
    pub fn oldest_mut(&mut self) -> Option<OpenMut<'_>> {
        self.open_at_mut(0)
    }

    /// The exchange of the newest command, where it is not over.
    pub fn newest(&self) -> Option<Open<'_>> {
        self.open_at(self.waiting().checked_sub(1)?)
    }

    /// The exchange of the newest command, where it is not over.
    pub fn newest_mut(&mut self) -> Option<OpenMut<'_>> {
        self.open_at_mut(self.waiting().checked_sub(1)?)
    }

    /// The place of the newest exchange that is not over and fits, among all that are not over.
    pub fn newest_place(&self, fits: impl Fn(Open<'_>) -> bool) -> Option<usize> {
        (0..self.waiting())
            .rev()
            .find(|position| self.open_at(*position).is_some_and(&fits))
    }

    /// Goes past exchanges that are over.
    pub fn settle(&mut self) {
        while self.oldest.as_ref().is_some_and(Waiting::is_over) {
            self.settle_oldest();
        }
    }

    /// The oldest exchange that is not over is taken for over.
    fn settle_oldest(&mut self) {
        let Some(oldest) = self.oldest() else {
            return;
        };
        self.weight = self.weight.saturating_add(weight_of(oldest.exchange));
        self.oldest = self.beyond.as_mut().and_then(|beyond| beyond.waiting.pop_front());
        let waiting = self.waiting();
        if let Some(beyond) = &mut self.beyond
            && beyond.last.len() > LAST_EXCHANGES + waiting
            && let Some(dropped) = beyond.last.pop_front()
        {
            self.weight = self.weight.saturating_sub(weight_of(&dropped));
            beyond.not_kept = beyond.not_kept.saturating_add(1);
        }
    }

    /// Gives up the oldest `count` exchanges: their replies lie in a gap. Returns how many of them were RCPT commands
    /// and may have been accepted.
    pub fn hide(&mut self, count: usize) -> u32 {
        let mut recipients = 0;
        for _ in 0..count {
            let Some(open) = self.oldest_mut() else {
                break;
            };
            if !open.answered {
                open.exchange.reply = Seen::Hidden;
                recipients += u32::from(open.exchange.verb == Verb::Rcpt);
            }
            self.settle_oldest();
        }
        recipients
    }

    /// An exchange by its number, where it is still kept.
    pub fn find(&mut self, index: u64) -> Option<&mut Exchange> {
        if let Ok(position) = self.first.binary_search_by_key(&index, |exchange| exchange.index) {
            return self.first.get_mut(position);
        }
        let last = &mut self.beyond.as_mut()?.last;
        let position = last.binary_search_by_key(&index, |exchange| exchange.index).ok()?;
        last.get_mut(position)
    }

    /// Approximate heap octets held.
    pub fn weight(&self) -> usize {
        let beyond = self
            .beyond
            .as_ref()
            .map_or(0, |beyond| size_of::<Beyond>() + beyond.floating.len() * 200);
        self.weight as usize + beyond + self.waiting() * (size_of::<Exchange>() + 64)
    }

    /// All kept exchanges in order, and how many were not kept. Those without a reply are `Hidden` where a gap followed
    /// them or `hidden` says that the capture lacks what the server said.
    pub fn finish(mut self, hidden: bool) -> (Vec<Exchange>, u64) {
        let gap_before = self.gap_before();
        while let Some(open) = self.oldest_mut() {
            if !open.answered && (hidden || open.exchange.index < gap_before) {
                open.exchange.reply = Seen::Hidden;
            }
            self.settle_oldest();
        }
        let mut exchanges = self.first;
        let mut not_kept = 0;
        if let Some(beyond) = self.beyond {
            exchanges.extend(beyond.last);
            not_kept = beyond.not_kept;
        }
        // Whether a command was pipelined cannot be told where the reply before it was not seen, unless one frame
        // brought both commands.
        let mut before: Option<(bool, crate::span::Stamp)> = None;
        for exchange in &mut exchanges {
            if let Some((true, stamp)) = before {
                exchange.pipelined &= stamp.frame == exchange.command.first().frame;
            }
            before = Some((exchange.reply == Seen::Hidden, exchange.command.last()));
        }
        (exchanges, not_kept)
    }
}

/// Some sessions stop behind the first command, for hours; many hand over to TLS behind the second; EHLO, MAIL, RCPT, DATA
/// and QUIT make five. No such block can be enlarged where it is, and asking the allocator to try takes longer than the move.
fn make_room(exchanges: &mut Vec<Exchange>) {
    let room = match exchanges.len() {
        0 => 1,
        1 => 2,
        2 => 5,
        _ => return,
    };
    if exchanges.capacity() < room {
        let mut larger = Vec::with_capacity(room);
        larger.append(exchanges);
        *exchanges = larger;
    }
}

fn weight_of(exchange: &Exchange) -> u32 {
    let text = |captured: &Captured| captured.bytes().len();
    let reply =
        |reply: &Reply| size_of::<Reply>() + reply.span.weight() + 16 * reply.lines.len() + reply.lines.octets();
    let detail = match &exchange.detail {
        Detail::Hello { name } | Detail::Attributes(name) | Detail::Unknown(name) => text(name),
        Detail::Auth(_) => 512,
        Detail::Envelope { parameters, .. } => 64 + parameters.weight(),
        Detail::Data(Some(_)) | Detail::Bdat { data: Some(_), .. } => 4096,
        _ => 0,
    };
    let weight = size_of::<Exchange>()
        + exchange.command.weight()
        + text(&exchange.line)
        + detail
        + exchange.reply.yes().map_or(0, reply)
        + exchange.other_replies.iter().map(reply).sum::<usize>();
    u32::try_from(weight).unwrap_or(u32::MAX)
}
