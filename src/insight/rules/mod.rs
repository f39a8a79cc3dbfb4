//! The register of rules that look at several sessions: one folder each, as in the diagnosis room, and its line here.

use crate::diagnosis::Rule;
use crate::insight::history::{History, Insight};

mod cross_client_breaks_at_tls12;
mod cross_tls_version_differs_by_port;
mod cross_version_probe_sweep;
mod tcp_port25_blocked;
mod tls_legacy_server_quirk;

/// How such a rule looks at the window.
pub type Check = fn(&'static Rule, &History) -> Vec<Insight>;

/// Every rule with its check, in the catalogue's order.
static RULES: &[(&Rule, Check)] = &[
    (&tcp_port25_blocked::RULE, tcp_port25_blocked::check),
    (&tls_legacy_server_quirk::RULE, tls_legacy_server_quirk::check),
    (
        &cross_tls_version_differs_by_port::RULE,
        cross_tls_version_differs_by_port::check,
    ),
    (&cross_client_breaks_at_tls12::RULE, cross_client_breaks_at_tls12::check),
    (&cross_version_probe_sweep::RULE, cross_version_probe_sweep::check),
];

/// Every rule with its check.
pub fn all() -> impl Iterator<Item = (&'static Rule, Check)> {
    RULES.iter().copied()
}
