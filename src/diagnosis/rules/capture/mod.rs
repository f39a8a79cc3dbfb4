//! Rules on what the capture itself cannot show.

use crate::diagnosis::rule::Rule;

mod capture_artifacts;
mod capture_gap;
mod capture_one_way;
mod capture_partial_session;
mod capture_privacy;
mod capture_snaplen;

/// The layer's rules, in the catalogue's order.
pub(super) static RULES: &[&Rule] = &[
    &capture_partial_session::RULE,
    &capture_one_way::RULE,
    &capture_gap::RULE,
    &capture_snaplen::RULE,
    &capture_artifacts::RULE,
    &capture_privacy::RULE,
];
