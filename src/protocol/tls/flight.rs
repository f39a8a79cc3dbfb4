//! Tells apart the encrypted records of TLS 1.3 by size and order (catalogue, section 2): which still belong to the
//! handshake, which is the client's Finished, which are session tickets, which are application data, and which records
//! at the end of a direction look like alerts. All of it is inference; TLS 1.2 and older need none.
//!
//! | seen from the client | taken for |
//! |---|---|
//! | 53, 69 (SHA-256, SHA-384), 16 more with Java's padding | Finished |
//! | 19, 35 and nothing after it | alert |
//! | anything else before Finished | Certificate, CertificateVerify |
//! | anything after Finished | application data |
//!
//! | seen from the server | taken for |
//! |---|---|
//! | before the client's Finished | its flight; the last one of Finished size is its Finished |
//! | after it, before the client's first application data | session tickets; with implicit TLS the last one is the greeting |
//! | later, the first records, of ticket size and twins | session tickets that crossed the client's data |
//! | later | application data |

use crate::protocol::tls::facts::Phase;
use crate::protocol::tls::noted::Noted;
use crate::span::{Direction, PerDirection, Stamp};

/// An encrypted record of outer type application_data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed {
    pub(super) stamp: Stamp,
    pub(super) length: u16,
    /// The sender's phase when it came, where its size is an alert's; nobody asks for that of another.
    pub(super) phase: Phase,
}

/// Octets that TLS 1.3 adds to a plaintext: inner type and tag.
const OVERHEAD: u16 = 17;
/// Handshake header of a Finished.
const HEADER: u16 = 4;
/// Padding that Java adds.
const JAVA_PADDING: u16 = 16;
/// The shortest NewSessionTicket record in use: a 32-octet identifier (OpenSSL without stateless tickets).
pub(super) const SHORTEST_TICKET: u16 = 74;
/// An alert: two octets and [`OVERHEAD`].
const ALERT: u16 = 19;

/// Whether a record has the size of a Finished; `hash` is the suite's hash length where the ServerHello was seen. The
/// value tells whether it is padded.
pub(super) fn finished_size(length: u16, hash: Option<u16>) -> Option<bool> {
    let fits = |hash: u16| {
        let bare = HEADER + hash + OVERHEAD;
        if length == bare {
            Some(false)
        } else {
            (length == bare + JAVA_PADDING).then_some(true)
        }
    };
    match hash {
        Some(hash) => fits(hash),
        None => fits(32).or_else(|| fits(48)),
    }
}

/// Whether a record has the size of an alert; padded ones count only from a sender that pads.
pub(super) const fn alert_size(length: u16, may_be_padded: bool) -> bool {
    length == ALERT || (may_be_padded && length == ALERT + JAVA_PADDING)
}

/// The encrypted records of a connection that are not told apart yet.
#[derive(Default)]
pub(super) struct Flights {
    sides: PerDirection<Flight>,
    /// The server's tickets.
    pub(super) tickets: Tickets,
}

/// The encrypted records of one direction.
#[derive(Default)]
pub(super) struct Flight {
    /// Records of the handshake flight so far.
    pub(super) records: u64,
    /// The last of them.
    pub(super) last: Noted,
    /// Alert-sized records with nothing behind them yet, the older one first; two, since user_canceled may precede
    /// close_notify.
    pending: [Option<Sealed>; 2],
}

/// What the server sends between the handshake and its first application data.
#[derive(Default)]
pub(super) struct Tickets {
    /// The last record between the client's Finished and its first application data.
    pub(super) early: Option<Sealed>,
    /// A first record of ticket size that came after the client spoke; its twin would prove it a ticket.
    pub(super) held: Option<Sealed>,
    /// Length of a record taken for a session ticket; another of that length is its twin.
    pub(super) length: Option<u16>,
    /// Both tickets are there.
    pub(super) twins: bool,
}

impl Flights {
    pub(super) const fn get(&self, direction: Direction) -> &Flight {
        self.sides.get(direction)
    }

    pub(super) const fn get_mut(&mut self, direction: Direction) -> &mut Flight {
        self.sides.get_mut(direction)
    }
}

impl Tickets {
    /// A record is not told apart yet.
    pub(super) const fn is_waiting(&self) -> bool {
        self.early.is_some() || self.held.is_some()
    }
}

impl Flight {
    /// A record of the handshake flight.
    pub(super) fn count(&mut self, stamp: Stamp) {
        self.records = self.records.saturating_add(1);
        self.last.set(stamp);
    }

    /// Keeps an alert-sized record; the oldest of more than two is none after all and is handed back.
    pub(super) fn suspect(&mut self, record: Sealed) -> Option<Sealed> {
        match self.pending {
            [Some(oldest), Some(older)] => {
                self.pending = [Some(older), Some(record)];
                Some(oldest)
            }
            [Some(older), None] => {
                self.pending = [Some(older), Some(record)];
                None
            }
            _ => {
                self.pending = [Some(record), None];
                None
            }
        }
    }

    /// There are alert-sized records with nothing behind them.
    pub(super) const fn is_suspicious(&self) -> bool {
        matches!(self.pending, [Some(_), _])
    }

    /// Takes the alert-sized records out.
    pub(super) fn take_pending(&mut self) -> impl Iterator<Item = Sealed> + use<> {
        std::mem::take(&mut self.pending).into_iter().flatten()
    }
}
