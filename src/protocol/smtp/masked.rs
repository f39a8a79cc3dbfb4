//! Words that the client sent as credentials, remembered for a while: a server may repeat what it did not understand.

use std::collections::VecDeque;

/// Words remembered.
const REMEMBERED: usize = 8;
/// Octets remembered of each.
const REMEMBERED_OCTETS: usize = 1024;
/// Shorter words are not remembered: they would mask ordinary words.
const REMEMBERED_LEAST: usize = 6;

/// The last words of masked lines; in most sessions none.
#[derive(Debug, Default)]
pub struct MaskedWords(Option<Box<Words>>);

#[derive(Debug, Default)]
struct Words {
    words: VecDeque<Box<[u8]>>,
}

impl MaskedWords {
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

    /// There is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The words.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().flat_map(|words| &words.words).map(|word| &**word)
    }
}
