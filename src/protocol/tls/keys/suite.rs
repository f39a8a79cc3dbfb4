//! What a cipher suite needs of keys: sizes, construction, hash. From tls-parser's table; what we cannot open is `None`.

use tls_parser::{TlsCipherEnc, TlsCipherEncMode, TlsCipherMac, TlsCipherSuite};

use super::derive::Hash;
use crate::protocol::tls::facts::Version;
use crate::protocol::tls::registry::{hash_length, is_tls13};

/// An authenticated cipher.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sealing {
    /// AES in Galois/counter mode.
    Gcm,
    /// AES in CCM mode, 16 octets of tag.
    Ccm,
    /// AES in CCM mode, 8 octets of tag.
    Ccm8,
    /// ChaCha20-Poly1305.
    ChaCha20,
}

/// A block cipher in CBC mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Block {
    /// AES.
    Aes,
    /// Triple DES.
    TripleDes,
}

/// The hash of an HMAC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MacHash {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
}

impl MacHash {
    /// Octets of the MAC and of its key.
    pub(super) const fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// How records are protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Construction {
    /// Authenticated encryption.
    Aead(Sealing),
    /// CBC and HMAC.
    Cbc(Block, MacHash),
    /// RC4 and HMAC.
    Rc4(MacHash),
    /// HMAC alone.
    Null(MacHash),
}

/// A cipher suite as far as opening records needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Suite {
    /// How records are protected.
    pub(super) construction: Construction,
    /// Octets of the cipher's key.
    pub(super) key: usize,
    /// The hash of the key derivation.
    pub(super) hash: Hash,
}

impl Suite {
    /// The suite for its number in a version; `None` where we cannot open its records.
    pub(super) fn of(version: Version, number: u16) -> Option<Self> {
        let entry = TlsCipherSuite::from_id(number)?;
        let old = version < Version::TLS1_2;
        let hash = match hash_length(number) {
            _ if old => Hash::Md5Sha1,
            32 => Hash::Sha256,
            48 => Hash::Sha384,
            _ => return None,
        };
        let construction = construction(entry)?;
        let sealed = matches!(construction, Construction::Aead(_));
        // TLS 1.3 has its own suites; authenticated encryption came with TLS 1.2.
        if is_tls13(version) != (number >> 8 == 0x13) || (old && sealed) || version < Version::TLS1_0 {
            return None;
        }
        let key = match entry.enc {
            TlsCipherEnc::Chacha20_Poly1305 => 32,
            TlsCipherEnc::TripleDes => 24,
            _ => entry.enc_key_size(),
        };
        Some(Self {
            construction,
            key,
            hash,
        })
    }

    /// Octets of IV that the key block of TLS 1.2 or older yields for one side.
    pub(super) const fn key_block_iv(&self, version: Version) -> usize {
        match self.construction {
            Construction::Aead(Sealing::ChaCha20) => 12,
            Construction::Aead(_) => 4,
            Construction::Cbc(block, _) if version.0 <= Version::TLS1_0.0 => block.length(),
            _ => 0,
        }
    }

    /// Octets of MAC key that the key block yields for one side.
    pub(super) const fn mac_key(&self) -> usize {
        match self.construction {
            Construction::Aead(_) => 0,
            Construction::Cbc(_, mac) | Construction::Rc4(mac) | Construction::Null(mac) => mac.length(),
        }
    }
}

impl Block {
    /// Octets of a block.
    pub(super) const fn length(self) -> usize {
        match self {
            Self::Aes => 16,
            Self::TripleDes => 8,
        }
    }
}

fn construction(entry: &TlsCipherSuite) -> Option<Construction> {
    let mac = || {
        Some(match entry.mac {
            TlsCipherMac::HmacMd5 => MacHash::Md5,
            TlsCipherMac::HmacSha1 => MacHash::Sha1,
            TlsCipherMac::HmacSha256 => MacHash::Sha256,
            TlsCipherMac::HmacSha384 => MacHash::Sha384,
            _ => return None,
        })
    };
    let short_tag = entry.name.ends_with("_CCM_8") || entry.name.contains("_CCM_8_");
    Some(match (entry.enc, entry.enc_mode) {
        (TlsCipherEnc::Chacha20_Poly1305, _) => Construction::Aead(Sealing::ChaCha20),
        (TlsCipherEnc::Aes, TlsCipherEncMode::Gcm) => Construction::Aead(Sealing::Gcm),
        (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm) if short_tag => Construction::Aead(Sealing::Ccm8),
        (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm) => Construction::Aead(Sealing::Ccm),
        (TlsCipherEnc::Aes, TlsCipherEncMode::Cbc) => Construction::Cbc(Block::Aes, mac()?),
        (TlsCipherEnc::TripleDes, TlsCipherEncMode::Cbc) => Construction::Cbc(Block::TripleDes, mac()?),
        // Export grade RC4 derives its keys another way.
        (TlsCipherEnc::Rc4, _) if entry.enc_key_size() == 16 => Construction::Rc4(mac()?),
        (TlsCipherEnc::Null, _) if entry.enc_size == 0 => Construction::Null(mac()?),
        _ => return None,
    })
}
