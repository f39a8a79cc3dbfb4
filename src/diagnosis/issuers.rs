//! Whether the name of an issuer has one of a rule's words: rules know dozens of them, and a server shows everybody the same
//! certificates. The answers that came last are remembered, in each thread, by the name's octets. Nothing but time depends
//! on that.

use std::cell::RefCell;

use crate::captured::Captured;
use crate::diagnosis::wording::Phrases;

/// Answers remembered in each thread.
const REMEMBERED: usize = 32;
/// Octets of the longest name that is remembered.
const LONGEST: usize = 512;

/// A list of words, by where it lies: they are constants of the program.
type List = (usize, usize);

thread_local! {
    static KNOWN: RefCell<Vec<Option<(List, Captured, bool)>>> = RefCell::new(vec![None; REMEMBERED]);
}

/// One of the words stands in the name, ASCII case ignored.
pub(super) fn name_any(name: &Captured, words: Phrases) -> bool {
    let list = (words.as_ptr().addr(), words.len());
    let find_out = || words.iter().any(|word| name.contains_ignoring_case(word));
    let octets = name.bytes();
    if octets.len() > LONGEST {
        return find_out();
    }
    let end = octets.last_chunk().map_or(0, |end: &[u8; 8]| u64::from_le_bytes(*end));
    let mixed = (end ^ octets.len() as u64 ^ (list.0 as u64) << 20).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    KNOWN.with_borrow_mut(|known| match known.get_mut((mixed >> 40) as usize % REMEMBERED) {
        Some(Some((same, text, answer))) if *same == list && text == name => *answer,
        free => {
            let answer = find_out();
            if let Some(free) = free {
                *free = Some((list, name.clone(), answer));
            }
            answer
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_each_other_however_many_there_are() {
        const ONE: Phrases = &["number 7", "proxy"];
        const OTHER: Phrases = &["number 8"];
        const ALL: Phrases = &["this is"];
        const NONE: Phrases = &["this was"];
        for _ in 0..3 {
            for number in 0..300 {
                let text = format!("CN=This is Number {number},O=Some Authority");
                let name = Captured::from(&*text);
                for _ in 0..2 {
                    assert_eq!(name_any(&name, ONE), text.contains("Number 7"), "{text}");
                    assert_eq!(name_any(&name, OTHER), text.contains("Number 8"), "{text}");
                    assert!(name_any(&name, ALL) && !name_any(&name, NONE), "{text}");
                }
            }
        }
        assert!(name_any(&Captured::from(&*format!("{:600}PROXY", "")), ONE));
    }
}
