//! The secrets of a run, shared by its connections.

use std::sync::{Arc, PoisonError, RwLock};

use super::log::{KeyLog, KeyLogCounts, SessionSecrets};

/// The secrets of a run: one handle for whoever adds them, one for each connection. Cloning shares them.
///
/// Secrets can be added at any time, but a connection asks once: when its first protected record comes.
#[derive(Clone, Debug, Default)]
pub struct Keys(Arc<RwLock<KeyLog>>);

impl Keys {
    /// Reads lines of a key log (SSLKEYLOGFILE). A line must not be split over two calls.
    pub fn add(&self, text: &[u8]) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).read(text);
    }

    /// What was added so far, in lines.
    #[must_use]
    pub fn counts(&self) -> KeyLogCounts {
        self.0.read().unwrap_or_else(PoisonError::into_inner).counts
    }

    /// No secret was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The secrets for a ClientHello's random.
    pub(super) fn of(&self, random: &[u8; 32]) -> Option<SessionSecrets> {
        let log = self.0.read().unwrap_or_else(PoisonError::into_inner);
        log.get(random).cloned()
    }
}
