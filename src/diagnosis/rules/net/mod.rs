//! Rules of the layer `net`.

use crate::diagnosis::rule::Rule;

/// The layer's rules, in the catalogue's order.
pub(super) static RULES: &[&Rule] = &[];
