//! A value that prints as a mask. Wrapped where it is decoded, so that no renderer can show it by accident.

use std::fmt;

/// How every output shows a masked value.
pub const MASK: &str = "********";

/// Octets that must not be shown: a password, a token, a challenge response.
///
/// `Debug` and `Display` print [`MASK`], never the length. The octets are kept only where the run was asked to keep
/// them ([`Keep::Kept`], the command line's `--show-secrets`).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Option<Box<[u8]>>);

/// Whether secrets outlive decoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Keep {
    /// Forgotten where they are decoded.
    #[default]
    Masked,
    /// Kept for an output that was told to show them.
    Kept,
}

impl Secret {
    /// Wraps octets; forgets them at once unless `keep` says otherwise.
    #[must_use]
    pub fn new(bytes: &[u8], keep: Keep) -> Self {
        Self(match keep {
            Keep::Masked => None,
            Keep::Kept => Some(bytes.into()),
        })
    }

    /// The octets, where the run kept them. The caller shows them to somebody: look twice.
    #[must_use]
    pub fn reveal(&self) -> Option<&[u8]> {
        self.0.as_deref()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}
