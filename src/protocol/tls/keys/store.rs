//! The secrets of a run, shared by its connections.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::frame::FrameNumber;

use super::log::{KeyLog, KeyLogCounts, SessionSecrets};

/// The secrets of a run: one handle for whoever adds them, one for each connection. Cloning shares them.
///
/// Secrets can be added at any time, but each is known only from a frame on, and a connection asks once: when its first
/// protected record comes. So nothing depends on how far a thread has read.
#[derive(Clone, Debug, Default)]
pub struct Keys(Arc<Handle>);

/// Its clones are counted in a line of the cache where no other thread counts.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Handle(Arc<RwLock<KeyLog>>);

impl Keys {
    /// A handle to the same secrets for a part of the run: its connections take and give back theirs without a word to the
    /// threads of other parts.
    #[must_use]
    pub fn for_part(&self) -> Self {
        Self(Arc::new(Handle(Arc::clone(&self.0.0))))
    }

    fn read(&self) -> RwLockReadGuard<'_, KeyLog> {
        self.0.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads lines of a key log (SSLKEYLOGFILE) that are known from frame `since` on: the frame behind a decryption
    /// secrets block, 0 for a file. A line must not be split over two calls.
    pub fn add(&self, text: &[u8], since: FrameNumber) {
        let mut log = self.0.0.write().unwrap_or_else(PoisonError::into_inner);
        log.read(text, since);
    }

    /// What was added so far, in lines.
    #[must_use]
    pub fn counts(&self) -> KeyLogCounts {
        self.read().counts
    }

    /// No secret is known at a frame.
    #[must_use]
    pub fn is_empty(&self, at: FrameNumber) -> bool {
        self.read().is_empty(at)
    }

    /// The secrets for a ClientHello's random that are known at a frame.
    pub(super) fn of(&self, random: &[u8; 32], at: FrameNumber) -> Option<SessionSecrets> {
        let log = self.read();
        log.get(random, at)
    }
}
