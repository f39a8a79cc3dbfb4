//! A fact that was seen, or why it was not: "not seen" is not "did not happen".

/// A seen value, or why it was not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// It was seen.
    Yes(T),
    /// It was not seen up to the end of the connection, although the capture shows all of that direction.
    No,
    /// Octets that may have held it are missing (gap, snap length, late start, one direction only, early end).
    Hidden,
}

impl<T> Seen<T> {
    /// The value, where seen.
    pub const fn yes(&self) -> Option<&T> {
        match self {
            Self::Yes(value) => Some(value),
            Self::No | Self::Hidden => None,
        }
    }
}
