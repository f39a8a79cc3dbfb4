//! What the exchanges of a session wait for that are not over.

use std::collections::VecDeque;

/// What an exchange that is not over waits for.
#[derive(Debug, Default)]
pub struct Waiting {
    /// Its final reply was seen.
    pub answered: bool,
    /// Its mail data is being read.
    pub data_running: bool,
    /// LMTP replies that are still to come.
    pub more: u32,
    /// AUTH: lines sent as responses.
    pub responses: u32,
    /// AUTH: lines of the client may be missing, so no line may be taken for a user name.
    pub responses_may_be_hidden: bool,
}

impl Waiting {
    pub(super) const fn is_over(&self) -> bool {
        self.answered && !self.data_running && self.more == 0
    }
}

/// A queue that needs no memory of its own while one command at a time waits, as in most sessions.
#[derive(Debug, Default)]
pub(super) struct Queue {
    oldest: Option<Waiting>,
    /// Those behind it: a pipelining client's.
    #[allow(
        clippy::box_collection,
        reason = "most ledgers have none, and there are many ledgers"
    )]
    behind: Option<Box<VecDeque<Waiting>>>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        usize::from(self.oldest.is_some()) + self.behind.as_ref().map_or(0, |behind| behind.len())
    }

    pub(super) fn get(&self, position: usize) -> Option<&Waiting> {
        match position.checked_sub(1) {
            None => self.oldest.as_ref(),
            Some(position) => self.behind.as_ref()?.get(position),
        }
    }

    pub(super) fn get_mut(&mut self, position: usize) -> Option<&mut Waiting> {
        match position.checked_sub(1) {
            None => self.oldest.as_mut(),
            Some(position) => self.behind.as_mut()?.get_mut(position),
        }
    }

    pub(super) fn push(&mut self, waiting: Waiting) {
        if self.oldest.is_none() {
            self.oldest = Some(waiting);
        } else {
            self.behind.get_or_insert_default().push_back(waiting);
        }
    }

    pub(super) fn pop(&mut self) {
        self.oldest = self.behind.as_mut().and_then(|behind| behind.pop_front());
    }
}
