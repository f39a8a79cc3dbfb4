//! What the report takes of one session; made where the session is, so that many threads can share the work.

use crate::diagnosis::Finding;
use crate::report::line::SessionLine;
use crate::session::{Session, TransactionResult};
use crate::span::Stamp;

/// One session, as [`Report::add`](super::Report::add) takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its line.
    pub line: SessionLine,
    /// Its first frame.
    pub first: Stamp,
    /// Messages that the server accepted, for some recipients at least.
    pub accepted_messages: u64,
    /// Its inside was read with keys.
    pub decrypted: bool,
    /// It has protected records, and no key of it came in time.
    pub keyless: bool,
    /// Everything that is said of it, root cause first.
    pub findings: Vec<Finding>,
}

impl Entry {
    /// The entry of a session. Inlined with its line, so that both are made where they stay.
    #[inline]
    #[must_use]
    pub fn of(session: &Session, findings: Vec<Finding>) -> Self {
        let accepted = session.transactions.iter().filter(|transaction| {
            matches!(
                transaction.result,
                TransactionResult::Accepted | TransactionResult::PartlyAccepted
            )
        });
        Self {
            line: SessionLine::of(session, &findings),
            first: session.connection.first,
            accepted_messages: accepted.count() as u64,
            decrypted: session.tls.as_ref().is_some_and(|tls| tls.decrypted),
            keyless: session.tls.as_ref().is_some_and(|tls| tls.lacks_secrets()),
            findings,
        }
    }
}
