//! Rules on certificates.

use crate::diagnosis::rule::Rule;

mod cert_client_cert_rejected;
mod cert_expiring_soon;
mod cert_missing_intermediate;
mod cert_name_mismatch;
mod cert_problem_but_accepted;
mod cert_rejected_by_client;
mod cert_self_signed;
mod cert_untrusted_ca;
mod cert_validity_period;
mod cert_weak_crypto;
mod cert_wrong_usage_or_revoked;
pub(super) mod evidence;

/// The layer's rules, in the catalogue's order.
pub(super) static RULES: &[&Rule] = &[
    &cert_rejected_by_client::RULE,
    &cert_validity_period::RULE,
    &cert_name_mismatch::RULE,
    &cert_self_signed::RULE,
    &cert_untrusted_ca::RULE,
    &cert_missing_intermediate::RULE,
    &cert_weak_crypto::RULE,
    &cert_wrong_usage_or_revoked::RULE,
    &cert_client_cert_rejected::RULE,
    &cert_expiring_soon::RULE,
    &cert_problem_but_accepted::RULE,
];
