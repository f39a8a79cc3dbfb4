//! Rules on authentication.

use crate::diagnosis::rule::Rule;

mod evidence;
mod auth_cleartext_credentials;
mod auth_cram_md5_exposed;
mod auth_credentials_rejected;
mod auth_legacy_equals_syntax;
mod auth_mechanism_not_offered;
mod auth_no_common_mechanism;
mod auth_oauth_token_rejected;
mod auth_payload_malformed;
mod auth_policy_refused;
mod auth_required;
mod auth_requires_tls_first;
mod auth_temporary_failure;
mod auth_tls_inner_outcome;

/// The layer's rules, in the catalogue's order.
pub(super) static RULES: &[&Rule] = &[
    &auth_credentials_rejected::RULE,
    &auth_mechanism_not_offered::RULE,
    &auth_no_common_mechanism::RULE,
    &auth_requires_tls_first::RULE,
    &auth_required::RULE,
    &auth_policy_refused::RULE,
    &auth_temporary_failure::RULE,
    &auth_oauth_token_rejected::RULE,
    &auth_payload_malformed::RULE,
    &auth_cleartext_credentials::RULE,
    &auth_cram_md5_exposed::RULE,
    &auth_legacy_equals_syntax::RULE,
    &auth_tls_inner_outcome::RULE,
];
