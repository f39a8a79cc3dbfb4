//! Rules on TLS handshakes and records.

use crate::diagnosis::rule::Rule;

mod evidence;
mod tls_alpn_mismatch;
mod tls_client_aborts_after_finished;
mod tls_client_cert_requested;
mod tls_client_cert_required;
mod tls_client_refuses_old_server;
mod tls_clienthello_too_large;
mod tls_close_notify_missing;
mod tls_content_opaque;
mod tls_decode_error_after_eof;
mod tls_deprecated_version;
mod tls_downgrade_sentinel;
mod tls_encrypted_alert_in_handshake;
mod tls_handshake_stalled;
mod tls_inappropriate_fallback;
mod tls_interception_suspected;
mod tls_internal_error_legacy_hello;
mod tls_no_shared_cipher;
mod tls_no_shared_group_or_sigalg;
mod tls_other_fatal_alert;
mod tls_policy_refusal_after_handshake;
mod tls_protocol_version_refused;
mod tls_server_closes_without_alert;
mod tls_sni_problem;
mod tls_sslv2_sslv3_hello;
mod tls_weak_cipher;
mod tls_weak_dh_rejected;

/// The layer's rules, in the catalogue's order.
pub(super) static RULES: &[&Rule] = &[
    &tls_protocol_version_refused::RULE,
    &tls_client_refuses_old_server::RULE,
    &tls_server_closes_without_alert::RULE,
    &tls_handshake_stalled::RULE,
    &tls_clienthello_too_large::RULE,
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
    &tls_encrypted_alert_in_handshake::RULE,
    &tls_client_aborts_after_finished::RULE,
    &tls_sslv2_sslv3_hello::RULE,
    &tls_downgrade_sentinel::RULE,
    &tls_deprecated_version::RULE,
    &tls_weak_cipher::RULE,
    &tls_close_notify_missing::RULE,
    &tls_client_cert_requested::RULE,
    &tls_interception_suspected::RULE,
    &tls_policy_refusal_after_handshake::RULE,
    &tls_content_opaque::RULE,
];
