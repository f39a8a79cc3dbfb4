//! IMAP (RFC 9051, 3501, 2177, 2971, 4959, 7888): octets of both directions in capture order → a
//! [`Dialogue`]. Two layers: units of lines and literals first, then their words.
//! Literals are counted and streamed; passwords end here. Behind COMPRESS (RFC 4978) nothing is read.
//!
//! | client state | a line is |
//! |---|---|
//! | command | tag, verb, arguments |
//! | AUTHENTICATE not answered | a SASL response |
//! | IDLE not answered | DONE |
//! | behind a gap or a late start | masked, until one is clearly a command |

mod client;
mod server;
#[cfg(test)]
mod tests;
mod unit;

use crate::protocol::retrieval::Dialogue;
use crate::protocol::retrieval::record::Record;
use crate::protocol::{Progress, Retention, Upgrade};
use crate::span::{Direction, Span, Stamp};
use crate::tcp::{Chunk, Gap};

use client::Client;
use server::Server;

/// Reads one IMAP session: [`push`](Self::push), [`gap`](Self::gap) and [`fin`](Self::fin) in capture order, then
/// [`finish`](Self::finish). Any cutting gives the same dialogue.
pub struct Decoder {
    record: Record,
    client: Client,
    server: Server,
}

/// Never prints what it holds: it may be half a password.
impl std::fmt::Debug for Decoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("imap::Decoder").finish_non_exhaustive()
    }
}

impl Decoder {
    /// A session from its first octet.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        Self {
            record: Record::new(retention),
            client: Client::new(),
            server: Server::default(),
        }
    }

    /// The capture did not show the beginning.
    pub fn joined_late(&mut self) {
        self.record.dialogue.joined_late = true;
        self.client.lose_place();
        self.server.lose_place();
    }

    /// What follows was decrypted: STARTTLS is no hand-over any more.
    pub const fn set_inside_tls(&mut self, inside_tls: bool) {
        self.record.inside_tls = inside_tls;
    }

    /// STARTTLS was accepted, yet plaintext goes on.
    pub const fn set_decrypting_mirror(&mut self) {
        self.record.dialogue.decrypting_mirror = true;
        self.record.inside_tls = true;
    }

    /// Octets came behind STARTTLS in the clear.
    pub fn record_injected(&mut self, span: Span, bytes: &[u8]) {
        self.record.injected(span, bytes);
    }

    /// Reads octets; stops behind STARTTLS and behind its answer.
    pub fn push(&mut self, chunk: Chunk<'_>) -> Progress {
        let mut rest = chunk;
        while !rest.bytes.is_empty() && !self.server.compressed {
            let (taken, upgrade) = match rest.direction {
                Direction::ToServer => self.client.read(rest, &mut self.record),
                Direction::ToClient => self.server.read(rest, &mut self.client, &mut self.record),
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
            Direction::ToServer => self.client.gap(gap.length),
            Direction::ToClient => self.server.gap(gap.length, &mut self.record),
        }
    }

    /// A direction ended; half a line is read as it stands.
    pub fn fin(&mut self, direction: Direction, _at: Stamp) {
        if direction == Direction::ToServer && !self.server.compressed {
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
        if !self.server.compressed {
            self.client.end(&mut self.record);
            self.server.end(&mut self.client, &mut self.record);
        }
        self.record.finish()
    }
}
