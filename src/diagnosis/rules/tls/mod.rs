//! Rules on TLS handshakes and records.

use crate::diagnosis::rule::Rule;

mod tls_protocol_version_refused;

/// The layer's rules, in the catalogue's order.
pub(super) static RULES: &[&Rule] = &[&tls_protocol_version_refused::RULE];
