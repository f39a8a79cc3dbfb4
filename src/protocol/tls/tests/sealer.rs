//! Seals records as a TLS peer does, for handshakes that no library at hand makes: AES-128-GCM in TLS 1.2 and TLS 1.3.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce};

use crate::protocol::tls::keys::testing::{expand_label_sha256, key_block_sha256};
use crate::span::Direction;

/// Seals one sender's records.
pub(super) struct Sealer {
    key: Vec<u8>,
    iv: Vec<u8>,
    tls13: bool,
    sequence: u64,
}

impl Sealer {
    /// TLS 1.3, TLS_AES_128_GCM_SHA256.
    pub(super) fn tls13(secret: &[u8]) -> Self {
        Self {
            key: expand_label_sha256(secret, "key", 16),
            iv: expand_label_sha256(secret, "iv", 12),
            tls13: true,
            sequence: 0,
        }
    }

    /// TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.
    pub(super) fn tls12(master: &[u8], client_random: &[u8], server_random: &[u8], direction: Direction) -> Self {
        let seed = [server_random, client_random].concat();
        let block = key_block_sha256(master, &seed, 40);
        let server = usize::from(direction == Direction::ToClient);
        Self {
            key: block[16 * server..16 * server + 16].to_vec(),
            iv: block[32 + 4 * server..36 + 4 * server].to_vec(),
            tls13: false,
            sequence: 0,
        }
    }

    /// A record of this content type; in TLS 1.3 with so many octets of padding.
    pub(super) fn seal(&mut self, content: u8, text: &[u8], padding: usize) -> Vec<u8> {
        let number = self.sequence.to_be_bytes();
        self.sequence += 1;
        let mut body = text.to_vec();
        let cipher = Aes128Gcm::new_from_slice(&self.key).unwrap();
        if self.tls13 {
            body.push(content);
            body.extend(vec![0; padding]);
            let length = u16::try_from(body.len() + 16).unwrap().to_be_bytes();
            let header = [23, 3, 3, length[0], length[1]];
            let mut nonce = [0; 12];
            nonce.copy_from_slice(&self.iv);
            for (slot, octet) in nonce[4..].iter_mut().zip(number) {
                *slot ^= octet;
            }
            let tag = cipher
                .encrypt_inout_detached(&Nonce::from(nonce), &header, body.as_mut_slice().into())
                .unwrap();
            body.extend(tag);
            return [&header[..], &body].concat();
        }
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        let covered = [&number[..], &[content, 3, 3], &length].concat();
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&self.iv);
        nonce[4..].copy_from_slice(&number);
        let tag = cipher
            .encrypt_inout_detached(&Nonce::from(nonce), &covered, body.as_mut_slice().into())
            .unwrap();
        body.extend(tag);
        super::wire::record(content, &[&number[..], &body].concat())
    }
}
