//! The register of rules that look at several sessions: one folder each, as in the diagnosis room, and its line here.

use crate::diagnosis::Rule;
use crate::insight::history::Insight;
use crate::insight::window::Window;

mod auth_mechanism_advertised_but_broken;
mod cross_capability_matrix;
mod cross_client_breaks_at_tls12;
mod cross_duplicate_delivery;
mod cross_greylist_passed;
mod cross_pop_before_smtp;
mod cross_pop_before_smtp_expired;
mod cross_retry_without_change;
mod cross_server_changed;
mod cross_service_version_mismatch;
mod cross_success_after_fallback;
mod cross_tls_version_differs_by_port;
mod cross_version_probe_sweep;
mod ok_connect_probe;
mod starttls_fallback_to_cleartext;
mod tcp_port25_blocked;
mod tls_legacy_server_quirk;

/// How such a rule looks at the window.
pub type Check = fn(&'static Rule, &Window<'_>) -> Vec<Insight>;

/// Every rule with its check, in the catalogue's order.
static RULES: &[(&Rule, Check)] = &[
    (&tcp_port25_blocked::RULE, tcp_port25_blocked::check),
    (
        &auth_mechanism_advertised_but_broken::RULE,
        auth_mechanism_advertised_but_broken::check,
    ),
    (
        &starttls_fallback_to_cleartext::RULE,
        starttls_fallback_to_cleartext::check,
    ),
    (&tls_legacy_server_quirk::RULE, tls_legacy_server_quirk::check),
    (
        &cross_tls_version_differs_by_port::RULE,
        cross_tls_version_differs_by_port::check,
    ),
    (
        &cross_service_version_mismatch::RULE,
        cross_service_version_mismatch::check,
    ),
    (&cross_client_breaks_at_tls12::RULE, cross_client_breaks_at_tls12::check),
    (&cross_version_probe_sweep::RULE, cross_version_probe_sweep::check),
    (&cross_capability_matrix::RULE, cross_capability_matrix::check),
    (&cross_server_changed::RULE, cross_server_changed::check),
    (&cross_greylist_passed::RULE, cross_greylist_passed::check),
    (&cross_retry_without_change::RULE, cross_retry_without_change::check),
    (&cross_success_after_fallback::RULE, cross_success_after_fallback::check),
    (&cross_pop_before_smtp::RULE, cross_pop_before_smtp::check),
    (
        &cross_pop_before_smtp_expired::RULE,
        cross_pop_before_smtp_expired::check,
    ),
    (&cross_duplicate_delivery::RULE, cross_duplicate_delivery::check),
    (&ok_connect_probe::RULE, ok_connect_probe::check),
];

/// Every rule with its check.
pub fn all() -> impl Iterator<Item = (&'static Rule, Check)> {
    RULES.iter().copied()
}
