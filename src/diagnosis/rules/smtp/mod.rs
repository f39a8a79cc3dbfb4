//! Rules on SMTP sessions, envelope and mail data.

use crate::diagnosis::rule::Rule;

pub(super) mod envelope;
mod envelope_finding;
mod smtp_bare_newline;
mod smtp_bdat_error;
mod smtp_client_ignored_error;
mod smtp_client_rdns_rejected;
mod smtp_client_vanished;
mod smtp_command_rejected;
mod smtp_content_rejected;
mod smtp_data_no_final_reply;
mod smtp_dnsbl_rejected;
mod smtp_domain_auth_rejected;
mod smtp_dot_handling_error;
mod smtp_early_talker;
mod smtp_ehlo_fallback_helo;
mod smtp_ehlo_malformed_reply;
mod smtp_extension_missing;
mod smtp_greeting_delayed;
mod smtp_greeting_refused;
mod smtp_greylisted;
mod smtp_helo_name_suspect;
mod smtp_helo_rejected;
mod smtp_line_too_long;
mod smtp_message_too_big;
mod smtp_no_greeting;
mod smtp_not_smtp_client;
mod smtp_pipelining_violation;
mod smtp_rate_limited;
mod smtp_relay_denied;
mod smtp_sender_rejected;
mod smtp_server_421;
mod smtp_storage_or_quota;
mod smtp_tempfail;
mod smtp_user_unknown;

pub use envelope::diagnosis_of_words;

/// The layer's rules, in the catalogue's order.
pub(super) static RULES: &[&Rule] = &[
    &smtp_no_greeting::RULE,
    &smtp_greeting_delayed::RULE,
    &smtp_greeting_refused::RULE,
    &smtp_early_talker::RULE,
    &smtp_helo_rejected::RULE,
    &smtp_ehlo_fallback_helo::RULE,
    &smtp_ehlo_malformed_reply::RULE,
    &smtp_helo_name_suspect::RULE,
    &smtp_command_rejected::RULE,
    &smtp_not_smtp_client::RULE,
    &smtp_server_421::RULE,
    &smtp_client_vanished::RULE,
    &smtp_relay_denied::RULE,
    &smtp_user_unknown::RULE,
    &smtp_storage_or_quota::RULE,
    &smtp_sender_rejected::RULE,
    &smtp_client_rdns_rejected::RULE,
    &smtp_dnsbl_rejected::RULE,
    &smtp_domain_auth_rejected::RULE,
    &smtp_greylisted::RULE,
    &smtp_rate_limited::RULE,
    &smtp_message_too_big::RULE,
    &smtp_content_rejected::RULE,
    &smtp_tempfail::RULE,
    &smtp_data_no_final_reply::RULE,
    &smtp_bare_newline::RULE,
    &smtp_dot_handling_error::RULE,
    &smtp_line_too_long::RULE,
    &smtp_pipelining_violation::RULE,
    &smtp_bdat_error::RULE,
    &smtp_extension_missing::RULE,
    &smtp_client_ignored_error::RULE,
];
