//! Text from the wire, as octets. It can be shown only through one of the sink encoders in [`crate::render`]:
//! this type has no `Display`, and its `Debug` escapes everything that is not printable ASCII.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Octets that somebody else wrote: a reply text, a host name, a header field.
///
/// Up to 22 octets lie in place: most lines of an EHLO reply, most short replies and names. A session holds dozens, and a
/// busy mirror port ten thousand sessions.
#[derive(Clone)]
pub struct Captured(Kept);

/// Octets in place at most; with the length and the variant's mark a `Captured` takes 24 octets.
const IN_PLACE: usize = 22;

#[derive(Clone)]
enum Kept {
    InPlace(u8, [u8; IN_PLACE]),
    Apart(Box<[u8]>),
}

impl Captured {
    /// Wraps octets from the wire.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut kept = [0; IN_PLACE];
        match (kept.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(bytes);
                Self(Kept::InPlace(length, kept))
            }
            _ => Self(Kept::Apart(bytes.into())),
        }
    }

    /// The octets, for comparing and parsing; never for printing.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Kept::InPlace(length, kept) => kept.get(..usize::from(*length)).unwrap_or_default(),
            Kept::Apart(kept) => kept,
        }
    }

    /// True for no octets at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// ASCII case-insensitive search, for rules that read reply texts.
    #[must_use]
    pub fn contains_ignoring_case(&self, needle: &str) -> bool {
        let needle = needle.as_bytes();
        let bytes = self.bytes();
        // Rules ask for a hundred phrases: the letter that is rarest in mail servers' English is looked for.
        let Some((at, rarest)) = needle.iter().enumerate().min_by_key(|(_, octet)| frequency(**octet)) else {
            return false;
        };
        let Some(possible) = (bytes.len() + 1)
            .checked_sub(needle.len())
            .and_then(|starts| bytes.get(at..at + starts))
        else {
            return false;
        };
        memchr::memchr2_iter(rarest.to_ascii_lowercase(), rarest.to_ascii_uppercase(), possible).any(|start| {
            bytes
                .get(start..start + needle.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(needle))
        })
    }

    /// ASCII case-insensitive comparison.
    #[must_use]
    pub fn equals_ignoring_case(&self, other: &str) -> bool {
        self.bytes().eq_ignore_ascii_case(other.as_bytes())
    }

    /// The text where it is valid UTF-8; for comparing and parsing.
    #[must_use]
    pub fn utf8(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes()).ok()
    }
}

/// How common each octet is in reply texts, roughly: letters in the order of English, rarest first.
static FREQUENCIES: [u8; 256] = {
    let mut table = [3; 256];
    let letters = b"zqxjkvbwpgyfmuhldcsrnaioet";
    let mut rank = 0;
    while rank < letters.len() {
        table[letters[rank] as usize] = rank as u8;
        table[letters[rank].to_ascii_uppercase() as usize] = rank as u8;
        rank += 1;
    }
    let mut digit = b'0';
    while digit <= b'9' {
        table[digit as usize] = 12;
        digit += 1;
    }
    table[b'.' as usize] = 12;
    table[b' ' as usize] = 30;
    table
};

fn frequency(octet: u8) -> u8 {
    FREQUENCIES.get(usize::from(octet)).copied().unwrap_or_default()
}

impl Default for Captured {
    fn default() -> Self {
        Self(Kept::InPlace(0, [0; IN_PLACE]))
    }
}

impl PartialEq for Captured {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Captured {}

impl PartialOrd for Captured {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Captured {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl Hash for Captured {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

impl From<&str> for Captured {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_place_and_what_lies_apart_are_alike() {
        assert_eq!(size_of::<Captured>(), 24);
        for length in [0, 1, IN_PLACE - 1, IN_PLACE, IN_PLACE + 1, 500] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let captured = Captured::new(&bytes);
            assert_eq!(captured.bytes(), bytes);
            assert_eq!(captured.clone(), captured);
            assert_eq!(captured.is_empty(), length == 0);
            let longer = Captured::new(&[&bytes[..], b"x"].concat());
            assert!(captured < longer && captured != longer);
        }
    }

    #[test]
    fn words_are_found_in_any_case_and_nothing_else() {
        let text = Captured::from("550 5.7.1 Relaying DENIED, rElAy access");
        for (needle, found) in [
            ("relay access", true),
            ("RELAYING denied", true),
            ("relayed", false),
            ("access", true),
            ("access ", false),
            ("", false),
        ] {
            assert_eq!(text.contains_ignoring_case(needle), found, "{needle}");
        }
        assert!(!Captured::default().contains_ignoring_case("a"));
    }
}
