//! Rules on healthy outcomes.

use crate::diagnosis::rule::Rule;

mod ok_capabilities_change_after_tls;
mod ok_client_ready_for_tls12;
mod ok_close_notify;
mod ok_cosmetic_versions;
mod ok_mail_accepted;
mod ok_opportunistic_tls;
mod ok_rst_after_close;

/// The layer's rules, in the catalogue's order.
pub(super) static RULES: &[&Rule] = &[
    &ok_mail_accepted::RULE,
    &ok_close_notify::RULE,
    &ok_rst_after_close::RULE,
    &ok_opportunistic_tls::RULE,
    &ok_cosmetic_versions::RULE,
    &ok_client_ready_for_tls12::RULE,
    &ok_capabilities_change_after_tls::RULE,
];
