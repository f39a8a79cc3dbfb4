//! The dialogue while the session lasts. An ordinary session has a greeting and exchanges; all else that a [`Dialogue`] can
//! tell is seldom there, so the dialogue is begun with the first thing that is, or at the end.

use crate::protocol::smtp::{Dialogue, Reply};

/// What is known of a session besides its exchanges.
#[derive(Debug, Default)]
pub struct Notes {
    /// The greeting, as in the dialogue.
    pub greeting: Option<Reply>,
    /// All else; none in most sessions, and there are many sessions.
    begun: Option<Box<Dialogue>>,
}

impl Notes {
    /// What was noted besides the greeting; `None` for nothing.
    pub fn unusual(&self) -> Option<&Dialogue> {
        self.begun.as_deref()
    }

    /// To note something besides the greeting and the exchanges.
    pub fn unusual_mut(&mut self) -> &mut Dialogue {
        self.begun.get_or_insert_default()
    }

    /// A PROXY header was seen.
    pub fn has_preamble(&self) -> bool {
        self.unusual().is_some_and(|dialogue| dialogue.preamble.is_some())
    }

    /// LMTP is spoken.
    pub fn is_lmtp(&self) -> bool {
        self.unusual().is_some_and(|dialogue| dialogue.lmtp)
    }

    /// A line was longer than what is kept of it.
    pub fn count_cut_line(&mut self) {
        let dialogue = self.unusual_mut();
        dialogue.cut_lines = dialogue.cut_lines.saturating_add(1);
    }

    /// The place was found again behind a gap.
    pub fn count_resynchronised(&mut self) {
        let dialogue = self.unusual_mut();
        dialogue.resynchronised = dialogue.resynchronised.saturating_add(1);
    }

    /// Approximate heap octets held.
    pub fn weight(&self) -> usize {
        self.begun.as_ref().map_or(0, |dialogue| {
            size_of::<Dialogue>() + dialogue.unsolicited.len() * 200 + dialogue.injected.len() * 300
        })
    }

    /// The dialogue, all but its exchanges.
    pub fn finish(self) -> Box<Dialogue> {
        let mut dialogue = self.begun.unwrap_or_default();
        dialogue.greeting = self.greeting;
        dialogue
    }
}
