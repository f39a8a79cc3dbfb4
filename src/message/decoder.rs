//! Stand-in for the message decoder, which another room builds: octets of a message → [`MessageFacts`].

use crate::message::MessageFacts;

/// Reads one message.
#[derive(Debug, Default)]
pub struct Decoder {
    facts: MessageFacts,
}

impl Decoder {
    /// A decoder for one message; keeps its text where asked to.
    #[must_use]
    pub fn new(_keep_text: bool) -> Self {
        Self::default()
    }

    /// Reads octets, dot-stuffing undone.
    pub fn push(&mut self, bytes: &[u8]) {
        self.facts.body_octets = self.facts.body_octets.saturating_add(bytes.len() as u64);
    }

    /// Octets are missing here.
    pub fn gap(&mut self, octets: u64) {
        self.facts.missing = self.facts.missing.saturating_add(octets);
    }

    /// The facts.
    #[must_use]
    pub fn finish(self) -> MessageFacts {
        self.facts
    }
}
