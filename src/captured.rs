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
        !needle.is_empty()
            && self
                .0
                .windows(needle.len())
                .any(|window| window.eq_ignore_ascii_case(needle))
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
