//! The decoder of one SMTP session: chunks, gaps and ends of both directions → a [`Dialogue`]. The client's side is in
//! `client`, the server's in `server`; this file is what the owner of the streams sees.

use crate::captured::Captured;
use crate::protocol::smtp::client::Client;
use crate::protocol::smtp::ledger::Ledger;
use crate::protocol::smtp::notes::Notes;
use crate::protocol::smtp::server::Server;
use crate::protocol::smtp::{Dialogue, Exchange, command};
use crate::protocol::{Progress, Retention};
use crate::span::{Direction, Span, Stamp};
use crate::tcp::{Chunk, Gap};

/// Octets kept of one run of plaintext behind STARTTLS.
const INJECTED_KEPT: usize = 256;
/// Runs of plaintext behind STARTTLS that are kept; the last one then covers the others.
const INJECTED_RUNS: usize = 16;

/// Reads one session.
///
/// `push`, `gap` and `fin` in capture order; `joined_late` before all of them, where the owner knows (else a first reply that is no
/// greeting tells), `unseen` at any time; `finish` at the end.
/// Never fails, whatever the octets; holds at most some kilobytes besides the exchanges ([`crate::protocol::smtp::FIRST_EXCHANGES`]).
#[derive(Debug)]
pub struct Decoder {
    pub(super) notes: Notes,
    pub(super) ledger: Ledger,
    pub(super) client: Client,
    pub(super) server: Server,
}

// Every open session has one, and a busy mirror port has a hundred thousand of them: what few sessions need lies apart.
// More than this is the allocator's next size.
const _: () = assert!(size_of::<Decoder>() <= 192);

impl Decoder {
    /// A decoder for a session from its first octet.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        Self {
            notes: Notes::default(),
            ledger: Ledger::default(),
            client: Client::new(retention),
            server: Server::default(),
        }
    }

    /// The capture begins in the middle of the session: there is no greeting to wait for, and the place has to be found.
    pub fn joined_late(&mut self) {
        self.join_late();
        self.server.lose();
    }

    /// The capture does not show that direction, or not its end: replies not seen are hidden.
    pub const fn unseen(&mut self, direction: Direction) {
        if matches!(direction, Direction::ToClient) {
            self.server.unseen = true;
        }
    }

    /// What follows was decrypted by the owner.
    pub const fn set_inside_tls(&mut self, inside_tls: bool) {
        self.server.inside_tls = inside_tls;
    }

    /// The owner saw TLS begin. Where the reply to STARTTLS was seen, that was the end of the plaintext.
    pub fn switched_to_tls(&mut self, at: Stamp) {
        self.notes.unusual_mut().switched_to_tls.get_or_insert(at);
    }

    /// Plaintext goes on in both directions behind an accepted STARTTLS: what follows was inside TLS on the wire.
    pub fn set_decrypting_mirror(&mut self) {
        self.notes.unusual_mut().decrypting_mirror = true;
        self.server.inside_tls = true;
    }

    /// Notes octets that came in the clear behind STARTTLS and before TLS; credentials in them are masked.
    pub fn inject(&mut self, span: Span, bytes: &[u8]) {
        let runs = &mut self.notes.unusual_mut().injected;
        let count = runs.len();
        let follows = runs.last().is_some_and(|(last, _)| {
            last.direction == span.direction && (last.end == span.start || count >= INJECTED_RUNS)
        });
        if !follows {
            if count >= INJECTED_RUNS {
                return;
            }
            self.client.masked.injected_mut().clear();
            runs.push((span, Captured::default()));
        }
        let injected = self.client.masked.injected_mut();
        let room = INJECTED_KEPT.saturating_sub(injected.len());
        injected.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        if let Some((last, kept)) = runs.last_mut() {
            *last = last.through(span);
            *kept = masked_lines(whole_lines(injected));
        }
    }

    /// Reads octets; stops early only where [`Progress::upgrade`] says so.
    pub fn push(&mut self, chunk: Chunk<'_>) -> Progress {
        match chunk.direction {
            Direction::ToServer => {
                self.client_speaks(&chunk);
                self.read_client(chunk)
            }
            Direction::ToClient => self.read_server(chunk),
        }
    }

    /// Octets are missing.
    pub fn gap(&mut self, gap: &Gap) {
        match gap.direction {
            Direction::ToServer => self.client_gap(gap),
            Direction::ToClient => self.server_gap(),
        }
    }

    /// That direction is over.
    pub fn fin(&mut self, direction: Direction, _at: Stamp) {
        if direction == Direction::ToClient {
            self.end_of_replies(true);
        }
    }

    /// Approximate heap octets held.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.notes.weight() + self.ledger.weight() + self.client.weight() + self.server.weight()
    }

    /// The commands that wait for a reply, newest last, and whether their replies may be hidden, are settled; the facts.
    #[must_use]
    pub fn finish(mut self) -> Box<Dialogue> {
        self.end_of_replies(false);
        self.end_of_commands();
        // One command in many pieces is no dialogue yet.
        let several = self.client.spoke_in_several_frames() && self.ledger.next() > 1;
        let one_way = !self.server.has_spoken() && several;
        let hidden = one_way || self.server.unseen;
        let Self { ledger, notes, .. } = self;
        let mut dialogue = notes.finish();
        (dialogue.exchanges, dialogue.exchanges_not_kept) = ledger.finish(hidden);
        dialogue
    }

    /// Puts a command that was sent at the end of the exchanges.
    #[inline]
    pub(super) fn send(&mut self, mut exchange: Exchange) {
        exchange.index = self.ledger.next();
        exchange.inside_tls = self.server.inside_tls;
        self.ledger.send(exchange);
    }
}

/// What is kept of injected octets, without a line that was cut at the limit: half a credential is not known for one.
fn whole_lines(kept: &[u8]) -> &[u8] {
    if kept.len() < INJECTED_KEPT {
        return kept;
    }
    let end = kept
        .iter()
        .rposition(|octet| *octet == b'\n')
        .map_or(0, |line_feed| line_feed + 1);
    kept.get(..end).unwrap_or_default()
}

/// Octets with every line as it may be shown.
fn masked_lines(bytes: &[u8]) -> Captured {
    let mut lines = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|octet| *octet == b'\n') {
        let content = line.trim_ascii_end();
        let shown = command::shown(content, false);
        lines.extend_from_slice(if shown.masked { shown.line.bytes() } else { content });
        lines.extend_from_slice(line.get(content.len()..).unwrap_or_default());
    }
    Captured::new(&lines)
}
