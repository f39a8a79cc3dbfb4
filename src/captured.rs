//! Text from the wire, as octets. It can be shown only through one of the sink encoders in [`crate::render`]:
//! this type has no `Display`, and its `Debug` escapes everything that is not printable ASCII.

use std::fmt;

/// Octets that somebody else wrote: a reply text, a host name, a header field.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Captured(Box<[u8]>);

impl Captured {
    /// Wraps octets from the wire.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The octets, for comparing and parsing; never for printing.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// True for no octets at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// ASCII case-insensitive search, for rules that read reply texts.
    #[must_use]
    pub fn contains_ignoring_case(&self, needle: &str) -> bool {
        let needle = needle.as_bytes();
        let Some(first) = needle.first() else {
            return false;
        };
        // Rules ask for a hundred phrases: the first letter is looked for as `memchr` does it.
        memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), &self.0).any(|at| {
            self.0
                .get(at..at + needle.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(needle))
        })
    }

    /// ASCII case-insensitive comparison.
    #[must_use]
    pub fn equals_ignoring_case(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other.as_bytes())
    }

    /// The text where it is valid UTF-8; for comparing and parsing.
    #[must_use]
    pub fn utf8(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl From<&str> for Captured {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
