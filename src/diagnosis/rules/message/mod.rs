//! Rules on message content.

use crate::diagnosis::rule::Rule;

mod evidence;
mod msg_bounce_dsn;
mod msg_encrypted_zip;
mod msg_end_to_end_encrypted;
mod msg_header_defect;
mod msg_header_envelope_from_differ;
mod msg_received_chain;

/// The layer's rules, in the catalogue's order.
pub(super) static RULES: &[&Rule] = &[
    &msg_header_envelope_from_differ::RULE,
    &msg_header_defect::RULE,
    &msg_bounce_dsn::RULE,
    &msg_received_chain::RULE,
    &msg_end_to_end_encrypted::RULE,
    &msg_encrypted_zip::RULE,
];
