//! POP3 (RFC 1939, 2449, 2595, 3206, 5034): octets of both directions in capture order → a
//! [`Dialogue`]. Messages stream through; passwords end here.
//!
//! | server state | next |
//! |---|---|
//! | greeting | the first line; then status lines |
//! | status line | answers the oldest waiting command; +OK to CAPA, LIST, UIDL, RETR, TOP, AUTH opens a multi-line response |
//! | multi-line response | up to the line with a dot |
//! | behind a gap | lines that are no status lines belong to a multi-line response whose beginning is missing |
//!
//! After a gap or a late start every client line that is not clearly a command is masked.

mod body;
mod client;
mod server;
#[cfg(test)]
mod tests;

use crate::protocol::retrieval::Dialogue;
use crate::protocol::retrieval::record::Record;
use crate::protocol::{Progress, Retention, Upgrade};
use crate::span::{Direction, Span, Stamp};
use crate::tcp::Chunk;
use crate::tcp::Gap;

use client::Client;
use server::Server;

/// Reads one POP3 session: [`push`](Self::push), [`gap`](Self::gap) and [`fin`](Self::fin) in capture order, then
/// [`finish`](Self::finish). Any cutting gives the same dialogue.
pub struct Decoder {
    record: Record,
    client: Client,
    server: Server,
}

/// Never prints what it holds: it may be half a password.
impl std::fmt::Debug for Decoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("pop3::Decoder").finish_non_exhaustive()
    }
}

impl Decoder {
    /// A session from its first octet.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        Self {
            record: Record::new(retention),
            client: Client::default(),
            server: Server::default(),
        }
    }

    /// The capture did not show the beginning.
    pub fn joined_late(&mut self) {
        self.record.dialogue.joined_late = true;
        self.client.lose_place();
        self.server.lose_place();
    }

    /// What follows was decrypted: STLS is no hand-over any more.
    pub const fn set_inside_tls(&mut self, inside_tls: bool) {
        self.record.inside_tls = inside_tls;
    }

    /// STLS was accepted, yet plaintext goes on.
    pub const fn set_decrypting_mirror(&mut self) {
        self.record.dialogue.decrypting_mirror = true;
        self.record.inside_tls = true;
    }

    /// Octets came behind STLS in the clear.
    pub fn record_injected(&mut self, span: Span, bytes: &[u8]) {
        self.record.injected(span, bytes);
    }

    /// Reads octets; stops behind STLS and behind its answer.
    pub fn push(&mut self, chunk: Chunk<'_>) -> Progress {
        let mut rest = chunk;
        while !rest.bytes.is_empty() {
            let (taken, upgrade) = match rest.direction {
                Direction::ToServer => self.client.read(rest, &mut self.record),
                Direction::ToClient => self.server.read(rest, &mut self.record),
            };
            rest = rest.skip(taken);
            if upgrade != Upgrade::None {
                return Progress {
                    octets: chunk.bytes.len() - rest.bytes.len(),
                    upgrade,
                };
            }
        }
        Progress {
            octets: chunk.bytes.len(),
            upgrade: Upgrade::None,
        }
    }

    /// Octets are missing.
    pub fn gap(&mut self, gap: &Gap) {
        match gap.direction {
            Direction::ToServer => self.client.gap(),
            Direction::ToClient => self.server.gap(gap.length, &mut self.record),
        }
    }

    /// A direction ended; half a line is read as it stands.
    pub fn fin(&mut self, direction: Direction, _at: Stamp) {
        if direction == Direction::ToServer {
            self.client.end(&mut self.record);
        }
    }

    /// Approximate octets of memory held.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.record.weight() + self.client.weight() + self.server.weight()
    }

    /// The capture does not show how this direction ended: what waits for an answer may have got one.
    pub const fn unseen(&mut self, direction: Direction) {
        if matches!(direction, Direction::ToClient) {
            self.record.answers_may_follow = true;
        }
    }

    /// The facts.
    #[must_use]
    pub fn finish(mut self) -> Dialogue {
        self.client.end(&mut self.record);
        self.server.end(&mut self.record);
        self.record.finish()
    }
}

/// Commands we know (RFC 1939, 2449, 2595, 5034, 6856).
const VERBS: [&[u8]; 19] = [
    b"USER", b"PASS", b"APOP", b"AUTH", b"STLS", b"CAPA", b"STAT", b"LIST", b"UIDL", b"RETR", b"TOP", b"DELE", b"NOOP",
    b"RSET", b"QUIT", b"LAST", b"XTND", b"UTF8", b"LANG",
];
