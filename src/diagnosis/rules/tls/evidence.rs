//! What several rules on TLS ask of a connection.

use crate::protocol::tls::{Alert, AlertLevel, ClientHello, TlsFacts, Version, is_aead, is_ecdhe};
use crate::span::Role;

/// Fatal alerts in clear of one side.
pub(super) fn fatal(tls: &TlsFacts, sender: Role) -> impl Iterator<Item = &Alert> {
    tls.alerts
        .iter()
        .filter(move |alert| alert.level == AlertLevel::Fatal && alert.span.direction.sender() == sender)
}

/// The suites are modern, but groups or signature algorithms beside them are not what servers use: neither P-256 nor X25519,
/// or a TLS 1.2 hello that names no signature algorithm.
pub(super) fn odd_groups(offer: &ClientHello) -> bool {
    let modern = offer
        .cipher_suites
        .iter()
        .any(|suite| is_aead(*suite) || is_ecdhe(*suite));
    let elliptic = offer.cipher_suites.iter().any(|suite| is_ecdhe(*suite)) || offer.maximum() == Version::TLS1_3;
    let usual = offer.groups.iter().any(|group| matches!(group, 0x0017 | 0x001d));
    let unnamed = offer.maximum() >= Version::TLS1_2 && offer.signature_algorithms.is_none();
    modern && ((elliptic && !usual) || unnamed)
}
