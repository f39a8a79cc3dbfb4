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

use crate::protocol::tls::facts::{Phase, TlsDirection};
use crate::span::Stamp;

/// An encrypted record of outer type application_data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed {
    pub(super) stamp: Stamp,
    pub(super) length: u16,
    /// The sender's phase when it came.
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

/// The encrypted records of one direction that are not told apart yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Flight {
    /// Records of the handshake flight so far.
    pub(super) records: u64,
    /// The last of them.
    pub(super) last: Option<Stamp>,
    /// The sender pads its records as Java does.
    pub(super) padded: bool,
    /// Alert-sized records with nothing behind them yet; two, since user_canceled may precede close_notify.
    pub(super) pending: Vec<Sealed>,
    /// Server only: the last record between the client's Finished and its first application data.
    pub(super) early: Option<Sealed>,
    /// Server only: length of a record taken for a session ticket; another of that length is its twin.
    pub(super) ticket: Option<u16>,
    /// Server only: a first record of ticket size that came after the client spoke; its twin would prove it a ticket.
    pub(super) held: Option<Sealed>,
    /// Server only: both tickets are there.
    pub(super) twins: bool,
}

impl Flight {
    /// A record of the handshake flight.
    pub(super) fn count(&mut self, stamp: Stamp) {
        self.records = self.records.saturating_add(1);
        self.last = Some(stamp);
    }

    /// Keeps an alert-sized record; the oldest of more than two is none after all and is handed back.
    pub(super) fn suspect(&mut self, record: Sealed) -> Option<Sealed> {
        self.pending.push(record);
        (self.pending.len() > 2).then(|| self.pending.remove(0))
    }
}

impl TlsDirection {
    /// Counts a record as application data.
    pub(super) fn count_application(&mut self, stamp: Stamp, length: u16) {
        self.application_records = self.application_records.saturating_add(1);
        self.application_octets = self.application_octets.saturating_add(u64::from(length));
        if self.first_application_data.is_none() {
            self.first_application_data = Some(stamp);
        }
    }
}
