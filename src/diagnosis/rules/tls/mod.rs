//! Rules on TLS handshakes and records.

use crate::diagnosis::rule::Rule;

mod evidence;
mod tls_alpn_mismatch;
mod tls_client_cert_required;
mod tls_client_refuses_old_server;
mod tls_decode_error_after_eof;
mod tls_inappropriate_fallback;
mod tls_internal_error_legacy_hello;
mod tls_no_shared_cipher;
mod tls_no_shared_group_or_sigalg;
mod tls_other_fatal_alert;
mod tls_protocol_version_refused;
mod tls_sni_problem;
mod tls_weak_dh_rejected;

/// The layer's rules, in the catalogue's order.
pub(super) static RULES: &[&Rule] = &[
    &tls_protocol_version_refused::RULE,
    &tls_client_refuses_old_server::RULE,
    &tls_no_shared_cipher::RULE,
    &tls_no_shared_group_or_sigalg::RULE,
    &tls_client_cert_required::RULE,
    &tls_internal_error_legacy_hello::RULE,
    &tls_weak_dh_rejected::RULE,
    &tls_inappropriate_fallback::RULE,
    &tls_sni_problem::RULE,
    &tls_alpn_mismatch::RULE,
    &tls_decode_error_after_eof::RULE,
    &tls_other_fatal_alert::RULE,
];
