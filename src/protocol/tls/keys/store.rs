//! The secrets of a run, shared by its connections.

use std::sync::{Arc, PoisonError, RwLock};

use crate::frame::FrameNumber;

use super::log::{KeyLog, KeyLogCounts, SessionSecrets};

/// The secrets of a run: one handle for whoever adds them, one for each connection. Cloning shares them.
///
/// Secrets can be added at any time, but each is known only from a frame on, and a connection asks once: when its first
/// protected record comes. So nothing depends on how far a thread has read.
#[derive(Clone, Debug, Default)]
pub struct Keys(Arc<RwLock<KeyLog>>);

impl Keys {
    /// Reads lines of a key log (SSLKEYLOGFILE) that are known from frame `since` on: the frame behind a decryption
    /// secrets block, 0 for a file. A line must not be split over two calls.
    pub fn add(&self, text: &[u8], since: FrameNumber) {
        let mut log = self.0.write().unwrap_or_else(PoisonError::into_inner);
        log.read(text, since);
    }

    /// What was added so far, in lines.
    #[must_use]
    pub fn counts(&self) -> KeyLogCounts {
        self.0.read().unwrap_or_else(PoisonError::into_inner).counts
    }

    /// No secret is known at a frame.
    #[must_use]
    pub fn is_empty(&self, at: FrameNumber) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_empty(at)
    }

    /// The secrets for a ClientHello's random that are known at a frame.
    pub(super) fn of(&self, random: &[u8; 32], at: FrameNumber) -> Option<SessionSecrets> {
        let log = self.0.read().unwrap_or_else(PoisonError::into_inner);
        log.get(random, at)
    }
}
