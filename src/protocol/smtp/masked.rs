//! What the client sent and nobody may see, remembered for a while: words sent as credentials, for a server may repeat what
//! it did not understand; and octets that came behind STARTTLS, as credentials in them can be told only with the whole line.

use std::collections::VecDeque;

/// Words remembered.
const REMEMBERED: usize = 8;
/// Octets remembered of each.
const REMEMBERED_OCTETS: usize = 1024;
/// Shorter words are not remembered: they would mask ordinary words.
const REMEMBERED_LEAST: usize = 6;

/// The last words of masked lines, and octets that were injected; in most sessions none.
#[derive(Debug, Default)]
pub struct Masked(Option<Box<Remembered>>);

#[derive(Debug, Default)]
struct Remembered {
    words: VecDeque<Box<[u8]>>,
    injected: Vec<u8>,
}

impl Masked {
    /// Remembers the words of a line.
    pub fn add(&mut self, line: &[u8]) {
        for word in line.split(u8::is_ascii_whitespace) {
            if word.len() < REMEMBERED_LEAST {
                continue;
            }
            let words = &mut self.0.get_or_insert_default().words;
            if words.len() >= REMEMBERED {
                words.pop_front();
            }
            words.push_back(word.get(..REMEMBERED_OCTETS).unwrap_or(word).into());
        }
    }

    /// There is a word.
    pub fn has_words(&self) -> bool {
        self.0.as_ref().is_some_and(|remembered| !remembered.words.is_empty())
    }

    /// The words.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.0
            .iter()
            .flat_map(|remembered| &remembered.words)
            .map(|word| &**word)
    }

    /// The octets of the run that is being injected.
    pub fn injected_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0.get_or_insert_default().injected
    }

    /// Approximate heap octets held.
    pub fn weight(&self) -> usize {
        self.0.as_ref().map_or(0, |remembered| {
            let words = remembered.words.iter().map(|word| size_of_val(word) + word.len());
            size_of::<Remembered>() + words.sum::<usize>() + remembered.injected.capacity()
        })
    }
}
