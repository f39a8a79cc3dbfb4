//! Rules on POP3 and IMAP.

use crate::diagnosis::rule::Rule;

mod apop_not_possible;
mod apop_weak;
pub(in crate::diagnosis::rules) mod evidence;
mod imap_preauth_cleartext;
mod retrieval_auth_failed;
mod retrieval_cleartext_credentials;
mod retrieval_mailbox_busy_or_limit;
mod retrieval_plaintext_disallowed;

/// The layer's rules, in the catalogue's order.
pub(super) static RULES: &[&Rule] = &[
    &retrieval_auth_failed::RULE,
    &retrieval_plaintext_disallowed::RULE,
    &retrieval_cleartext_credentials::RULE,
    &retrieval_mailbox_busy_or_limit::RULE,
    &apop_weak::RULE,
    &apop_not_possible::RULE,
    &imap_preauth_cleartext::RULE,
];
