//! Rules on STARTTLS and on the mode of a port.

use crate::diagnosis::rule::Rule;

pub(in crate::diagnosis::rules) mod evidence;
mod starttls_client_abandons_after_220;
mod starttls_injection;
mod starttls_not_offered;
mod starttls_offered_not_used;
mod starttls_refused;
mod starttls_required;
mod starttls_stripped;
mod tls_hello_on_plaintext_port;
mod tls_plaintext_on_implicit_port;

/// The layer's rules, in the catalogue's order.
pub(super) static RULES: &[&Rule] = &[
    &starttls_not_offered::RULE,
    &starttls_stripped::RULE,
    &starttls_offered_not_used::RULE,
    &starttls_required::RULE,
    &starttls_refused::RULE,
    &starttls_client_abandons_after_220::RULE,
    &starttls_injection::RULE,
    &tls_plaintext_on_implicit_port::RULE,
    &tls_hello_on_plaintext_port::RULE,
];
