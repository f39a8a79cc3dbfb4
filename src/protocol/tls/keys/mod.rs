//! Decryption with known secrets: key logs, key derivation, ciphers, and which keys open which record of which sender.
//! Knows no handshake message and no fact: the decoder says what was negotiated and when keys change.

mod cipher;
mod derive;
mod log;
mod opener;
mod store;
mod suite;

pub use log::{KEY_LOG_LINE, KEYED_SESSIONS, KeyLogCounts};
pub(super) use opener::{Negotiated, Opened, Opening, Stage};
pub use store::Keys;

/// What tests need to seal records as peers do.
#[cfg(test)]
pub(in crate::protocol::tls) mod testing {
    use super::derive::{Hash, expand_label, prf};

    /// HKDF-Expand-Label with SHA-256.
    pub(in crate::protocol::tls) fn expand_label_sha256(secret: &[u8], label: &str, count: usize) -> Vec<u8> {
        expand_label(Hash::Sha256, secret, label, count).map_or_else(Vec::new, |octets| octets.to_vec())
    }

    /// The key block of a TLS 1.2 suite with SHA-256.
    pub(in crate::protocol::tls) fn key_block_sha256(master: &[u8], seed: &[u8], count: usize) -> Vec<u8> {
        prf(Hash::Sha256, master, b"key expansion", seed, count).to_vec()
    }
}
