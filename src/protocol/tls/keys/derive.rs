//! From secrets to keys: the PRF of TLS 1.0 to 1.2 (RFC 2246, 4346, 5246 section 5) and HKDF-Expand-Label of TLS 1.3
//! (RFC 8446, section 7.1). Pure functions.

use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use zeroize::Zeroizing;

/// The hash under a key derivation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hash {
    /// MD5 and SHA-1 side by side: TLS 1.0 and 1.1.
    Md5Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
}

impl Hash {
    /// Octets of a traffic secret of TLS 1.3.
    pub(super) const fn length(self) -> usize {
        match self {
            Self::Md5Sha1 => 36,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// `count` octets of the PRF for a secret of TLS 1.2 or older.
pub(super) fn prf(hash: Hash, secret: &[u8], label: &[u8], seed: &[u8], count: usize) -> Zeroizing<Vec<u8>> {
    let seed = [label, seed].concat();
    let mut out = Zeroizing::new(vec![0; count]);
    match hash {
        Hash::Md5Sha1 => {
            // The halves share the middle octet of an odd length (RFC 2246, section 5).
            let half = secret.len().div_ceil(2);
            let first = secret.get(..half).unwrap_or_default();
            let second = secret.get(secret.len() - half..).unwrap_or_default();
            expand::<Hmac<Md5>>(first, &seed, &mut out);
            expand::<Hmac<Sha1>>(second, &seed, &mut out);
        }
        Hash::Sha256 => expand::<Hmac<Sha256>>(secret, &seed, &mut out),
        Hash::Sha384 => expand::<Hmac<Sha384>>(secret, &seed, &mut out),
    }
    out
}

/// P_hash, XORed onto `out`.
fn expand<M: Mac + hmac::KeyInit>(secret: &[u8], seed: &[u8], out: &mut [u8]) {
    let mac = |parts: &[&[u8]]| {
        // HMAC takes keys of any length.
        let mut mac = <M as hmac::KeyInit>::new_from_slice(secret).ok()?;
        for part in parts {
            mac.update(part);
        }
        Some(mac.finalize().into_bytes())
    };
    let mut state = mac(&[seed]);
    let mut rest = out;
    while let Some(a) = state.take().filter(|_| !rest.is_empty()) {
        let Some(block) = mac(&[&a, seed]) else { return };
        let count = block.len().min(rest.len());
        let (now, later) = rest.split_at_mut(count);
        for (octet, more) in now.iter_mut().zip(&block) {
            *octet ^= more;
        }
        rest = later;
        state = mac(&[&a]);
    }
}

/// HKDF-Expand-Label with an empty context: `count` octets; `None` where the secret is too short for the hash.
pub(super) fn expand_label(hash: Hash, secret: &[u8], label: &str, count: usize) -> Option<Zeroizing<Vec<u8>>> {
    let label = format!("tls13 {label}");
    let length = u16::try_from(count).ok()?.to_be_bytes();
    let info = [&length[..], &[u8::try_from(label.len()).ok()?], label.as_bytes(), &[0]].concat();
    let mut out = Zeroizing::new(vec![0; count]);
    match hash {
        Hash::Md5Sha1 => return None,
        Hash::Sha256 => Hkdf::<Sha256>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?,
        Hash::Sha384 => Hkdf::<Sha384>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?,
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    /// The test vectors of the TLS working group's list.
    #[test]
    fn the_prfs_give_the_known_octets() {
        let secret = octets("9bbe436ba940f017b17652849a71db35");
        let seed = octets("a0ba9f936cda311827a6f796ffd5198c");
        let out = prf(Hash::Sha256, &secret, b"test label", &seed, 100);
        assert_eq!(
            out[..32],
            octets("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a")[..]
        );
        let secret = octets("b80b733d6ceefcdc71566ea48e5567df");
        let seed = octets("cd665cf6a8447dd6ff8b27555edb7465");
        let out = prf(Hash::Sha384, &secret, b"test label", &seed, 148);
        assert_eq!(out[..16], octets("7b0c18e9ced410ed1804f2cfa34a336a")[..]);
    }

    /// RFC 8448, section 3: the server's handshake traffic keys.
    #[test]
    fn keys_of_tls13_are_those_of_rfc_8448() {
        let secret = octets("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        let key = expand_label(Hash::Sha256, &secret, "key", 16).unwrap();
        assert_eq!(key[..], octets("3fce516009c21727d0f2e4e86ee403bc")[..]);
        let iv = expand_label(Hash::Sha256, &secret, "iv", 12).unwrap();
        assert_eq!(iv[..], octets("5d313eb2671276ee13000b30")[..]);
        assert!(
            expand_label(Hash::Sha384, &secret, "key", 16).is_none(),
            "too short for the hash"
        );
    }
}
