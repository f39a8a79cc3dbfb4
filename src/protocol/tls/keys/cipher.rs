//! One sender's keys at work: a protected fragment → its content, authenticated. TLS 1.3 (RFC 8446, section 5.2), TLS 1.2
//! with authenticated encryption (RFC 5246 section 6.2.3.3, 5288, 6655, 7905), CBC and stream ciphers with HMAC, before
//! or after encryption (RFC 2246, 4346, 5246, 7366). Nothing that is not authentic leaves this file.

use std::ops::Range;

use aes::{Aes128, Aes256};
use aes_gcm::aead::array::Array;
use aes_gcm::aead::consts::{U8, U12, U16};
use aes_gcm::aead::{AeadCore, AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt as _, InnerIvInit as _};
use ccm::Ccm;
use chacha20poly1305::ChaCha20Poly1305;
use des::TdesEde3;
use hmac::{Hmac, Mac};
use md5::Md5;
use rc4::{Rc4, StreamCipher as _};
use sha1::Sha1;
use sha2::{Sha256, Sha384};

use super::log::SecretOctets;
use super::suite::{Block, Construction, MacHash, Sealing, Suite};

/// Octets at the end of a fragment that hold the last block: it, and the longest MAC.
pub(super) const TAIL: usize = 16 + 48;
/// Octets of explicit nonce before a fragment of AES-GCM or AES-CCM in TLS 1.2.
const EXPLICIT_NONCE: usize = 8;

/// What stands in a record's header, as the MAC covers it.
#[derive(Clone, Copy)]
pub(super) struct Outside {
    /// Content type.
    pub(super) content: u8,
    /// Version of the record.
    pub(super) version: [u8; 2],
}

/// The raw keys of one sender.
pub(super) struct Material {
    pub(super) mac: SecretOctets,
    pub(super) key: SecretOctets,
    pub(super) iv: SecretOctets,
}

/// How TLS uses the nonce and the additional data of an authenticated cipher.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Nonce {
    /// Four octets of salt and eight that the record carries.
    Explicit,
    /// Twelve octets, XORed with the sequence number; TLS 1.2.
    Xored,
    /// The same, and the header as additional data; TLS 1.3.
    Tls13,
}

/// Opens the fragments of one sender under one set of keys.
pub(super) enum Cipher {
    /// Authenticated encryption.
    Aead(Aead),
    /// CBC and HMAC.
    Cbc(Cbc),
    /// A stream cipher, or none, and HMAC.
    Stream(Stream),
}

/// An authenticated cipher with its nonce.
pub(super) struct Aead {
    cipher: Box<dyn Open + Send>,
    iv: [u8; 12],
    nonce: Nonce,
}

/// CBC and HMAC.
pub(super) struct Cbc {
    block: Block,
    key: SecretOctets,
    mac: Authenticator,
    mac_first: bool,
    /// TLS 1.0: the last block of the record before.
    chained: Option<Chained>,
}

/// The IV of the next record.
struct Chained {
    block: Vec<u8>,
    /// It is the one that the sender used. Encrypt-then-MAC does not cover it: with another one the first block would be
    /// authentic and wrong.
    known: bool,
}

/// RC4 or nothing, and HMAC.
pub(super) struct Stream {
    cipher: Option<Rc4>,
    mac: Authenticator,
}

impl Cipher {
    /// The cipher of a TLS 1.3 sender.
    pub(super) fn tls13(suite: &Suite, key: &[u8], iv: &[u8]) -> Option<Self> {
        let Construction::Aead(sealing) = suite.construction else {
            return None;
        };
        Some(Self::Aead(Aead {
            cipher: sealed(sealing, key)?,
            iv: iv.try_into().ok()?,
            nonce: Nonce::Tls13,
        }))
    }

    /// The cipher of a sender of TLS 1.2 or older; `mac_first`: no encrypt-then-MAC.
    pub(super) fn tls12(suite: &Suite, material: Material, mac_first: bool) -> Option<Self> {
        let Material { mac, key, iv } = material;
        Some(match suite.construction {
            Construction::Aead(sealing) => {
                let mut whole = [0; 12];
                let (start, _) = whole.split_at_mut_checked(iv.octets().len())?;
                start.copy_from_slice(iv.octets());
                let nonce = if sealing == Sealing::ChaCha20 {
                    Nonce::Xored
                } else {
                    Nonce::Explicit
                };
                Self::Aead(Aead {
                    cipher: sealed(sealing, key.octets())?,
                    iv: whole,
                    nonce,
                })
            }
            Construction::Cbc(block, hash) => Self::Cbc(Cbc {
                block,
                key,
                mac: Authenticator { hash, key: mac },
                mac_first,
                chained: (!iv.octets().is_empty()).then(|| Chained {
                    block: iv.octets().to_vec(),
                    known: true,
                }),
            }),
            Construction::Rc4(hash) => Self::Stream(Stream {
                cipher: Some(Rc4::new_from_slice(key.octets()).ok()?),
                mac: Authenticator { hash, key: mac },
            }),
            Construction::Null(hash) => Self::Stream(Stream {
                cipher: None,
                mac: Authenticator { hash, key: mac },
            }),
        })
    }

    /// Records can be opened although some before them are missing.
    pub(super) const fn can_skip(&self) -> bool {
        !matches!(self, Self::Stream(Stream { cipher: Some(_), .. }))
    }

    /// Opens a fragment in place with one sequence number; gives where its content stands in it. `None`: not authentic,
    /// and the fragment is of no use any more.
    pub(super) fn open(&mut self, sequence: u64, outside: Outside, fragment: &mut [u8]) -> Option<Range<usize>> {
        match self {
            Self::Aead(aead) => aead.open(sequence, outside, fragment),
            Self::Cbc(cbc) => cbc.open(sequence, outside, fragment),
            Self::Stream(stream) => stream.open(sequence, outside, fragment),
        }
    }

    /// A record was not opened; its last octets are told: with TLS 1.0 the last block is the IV of the next record.
    pub(super) fn pass(&mut self, tail: [u8; TAIL]) {
        let Self::Cbc(cbc) = self else { return };
        let tag = if cbc.mac_first { 0 } else { cbc.mac.hash.length() };
        let end = TAIL.saturating_sub(tag);
        let block = tail.get(end.saturating_sub(cbc.block.length())..end);
        if let (Some(chained), Some(block)) = (&mut cbc.chained, block)
            && chained.block != block
        {
            // A wrong one shows when the MAC covers what it decrypts.
            chained.block = block.to_vec();
            chained.known = cbc.mac_first;
        }
    }

    /// Records are missing.
    pub(super) const fn lose(&mut self) {
        if let Self::Cbc(Cbc {
            chained: Some(chained), ..
        }) = self
        {
            chained.known = false;
        }
    }
}

/// Sequence number and header as a MAC covers them.
fn covered(sequence: u64, outside: Outside, length: usize) -> [u8; 13] {
    let mut covered = [0; 13];
    let length = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    let parts = sequence.to_be_bytes().into_iter();
    let parts = parts.chain([outside.content]).chain(outside.version).chain(length);
    for (slot, octet) in covered.iter_mut().zip(parts) {
        *slot = octet;
    }
    covered
}

impl Aead {
    fn open(&self, sequence: u64, outside: Outside, fragment: &mut [u8]) -> Option<Range<usize>> {
        let whole = fragment.len();
        let explicit = if self.nonce == Nonce::Explicit {
            EXPLICIT_NONCE
        } else {
            0
        };
        let (carried, sealed) = fragment.split_at_mut_checked(explicit)?;
        let length = sealed.len().checked_sub(self.cipher.tag())?;
        let mut nonce = self.iv;
        if self.nonce == Nonce::Explicit {
            for (slot, octet) in nonce.iter_mut().skip(4).zip(carried) {
                *slot = *octet;
            }
        } else {
            for (slot, octet) in nonce.iter_mut().skip(4).zip(sequence.to_be_bytes()) {
                *slot ^= octet;
            }
        }
        let covered = covered(
            sequence,
            outside,
            if self.nonce == Nonce::Tls13 { whole } else { length },
        );
        let additional = match self.nonce {
            Nonce::Tls13 => covered.get(8..)?,
            _ => &covered[..],
        };
        self.cipher.open(&nonce, additional, sealed)?;
        Some(explicit..explicit + length)
    }
}

impl Cbc {
    fn open(&mut self, sequence: u64, outside: Outside, fragment: &mut [u8]) -> Option<Range<usize>> {
        let block = self.block.length();
        let tag = self.mac.hash.length();
        let end = if self.mac_first {
            fragment.len()
        } else {
            // RFC 7366: the MAC covers the IV and the ciphertext.
            let end = fragment.len().checked_sub(tag)?;
            let (text, mac) = fragment.split_at_checked(end)?;
            self.mac.verify(&covered(sequence, outside, end), text, mac)?;
            end
        };
        let iv_length = if self.chained.is_some() { 0 } else { block };
        let (head, body) = fragment.get_mut(..end)?.split_at_mut_checked(iv_length)?;
        if body.is_empty() || body.len() % block != 0 {
            return None;
        }
        let last = body.get(body.len() - block..)?.to_vec();
        if let Some(chained) = self.chained.as_mut().filter(|one| !one.known && !self.mac_first) {
            // Authentic, but for the block before its first: the next record has one that is known.
            *chained = Chained {
                block: last,
                known: true,
            };
            return None;
        }
        let iv = self.chained.as_ref().map_or(&*head, |chained| &chained.block);
        decrypt(self.block, self.key.octets(), iv, body)?;
        let content = unpadded(body)?;
        let length = if self.mac_first {
            let length = content.checked_sub(tag)?;
            let (text, rest) = body.split_at_checked(length)?;
            self.mac
                .verify(&covered(sequence, outside, length), text, rest.get(..tag)?)?;
            length
        } else {
            content
        };
        if let Some(chained) = &mut self.chained {
            *chained = Chained {
                block: last,
                known: true,
            };
        }
        Some(iv_length..iv_length + length)
    }
}

/// Length without padding and its length octet (RFC 5246, section 6.2.3.2).
fn unpadded(body: &[u8]) -> Option<usize> {
    let padding = *body.last()?;
    let length = body.len().checked_sub(usize::from(padding) + 1)?;
    body.get(length..)?
        .iter()
        .all(|octet| *octet == padding)
        .then_some(length)
}

impl Stream {
    fn open(&mut self, sequence: u64, outside: Outside, fragment: &mut [u8]) -> Option<Range<usize>> {
        if let Some(cipher) = &mut self.cipher {
            cipher.try_apply_keystream(fragment).ok()?;
        }
        let length = fragment.len().checked_sub(self.mac.hash.length())?;
        let (text, mac) = fragment.split_at_checked(length)?;
        self.mac.verify(&covered(sequence, outside, length), text, mac)?;
        Some(0..length)
    }
}

/// An HMAC with its key.
struct Authenticator {
    hash: MacHash,
    key: SecretOctets,
}

impl Authenticator {
    fn verify(&self, covered: &[u8], text: &[u8], tag: &[u8]) -> Option<()> {
        let key = self.key.octets();
        match self.hash {
            MacHash::Md5 => verify::<Hmac<Md5>>(key, covered, text, tag),
            MacHash::Sha1 => verify::<Hmac<Sha1>>(key, covered, text, tag),
            MacHash::Sha256 => verify::<Hmac<Sha256>>(key, covered, text, tag),
            MacHash::Sha384 => verify::<Hmac<Sha384>>(key, covered, text, tag),
        }
    }
}

fn verify<M: Mac + hmac::KeyInit>(key: &[u8], covered: &[u8], text: &[u8], tag: &[u8]) -> Option<()> {
    let mut mac = <M as hmac::KeyInit>::new_from_slice(key).ok()?;
    mac.update(covered);
    mac.update(text);
    mac.verify_slice(tag).ok()
}

fn decrypt(block: Block, key: &[u8], iv: &[u8], body: &mut [u8]) -> Option<()> {
    match (block, key.len()) {
        (Block::Aes, 16) => decrypt_with::<Aes128>(key, iv, body),
        (Block::Aes, 32) => decrypt_with::<Aes256>(key, iv, body),
        (Block::TripleDes, _) => decrypt_with::<TdesEde3>(key, iv, body),
        _ => None,
    }
}

fn decrypt_with<C: BlockCipherDecrypt + KeyInit>(key: &[u8], iv: &[u8], body: &mut [u8]) -> Option<()> {
    let cipher = C::new_from_slice(key).ok()?;
    let mut mode = cbc::Decryptor::<C>::inner_iv_slice_init(cipher, iv).ok()?;
    let (blocks, []) = Array::<u8, C::BlockSize>::slice_as_chunks_mut(body) else {
        return None;
    };
    mode.decrypt_blocks(blocks);
    Some(())
}

/// Any of the authenticated ciphers.
trait Open {
    /// Octets of its tag.
    fn tag(&self) -> usize;
    /// Opens text and tag in place.
    fn open(&self, nonce: &[u8; 12], additional: &[u8], sealed: &mut [u8]) -> Option<()>;
}

impl<A: AeadInOut + AeadCore<NonceSize = U12>> Open for A {
    fn tag(&self) -> usize {
        aes_gcm::aead::Tag::<A>::default().len()
    }

    fn open(&self, nonce: &[u8; 12], additional: &[u8], sealed: &mut [u8]) -> Option<()> {
        let (text, tag) = sealed.split_at_mut_checked(sealed.len().checked_sub(self.tag())?)?;
        let tag = Array::try_from(&*tag).ok()?;
        self.decrypt_inout_detached(&Array::from(*nonce), additional, text.into(), &tag)
            .ok()
    }
}

fn sealed(sealing: Sealing, key: &[u8]) -> Option<Box<dyn Open + Send>> {
    fn boxed<A: KeyInit + AeadInOut + AeadCore<NonceSize = U12> + Send + 'static>(
        key: &[u8],
    ) -> Option<Box<dyn Open + Send>> {
        Some(Box::new(A::new_from_slice(key).ok()?))
    }
    match (sealing, key.len()) {
        (Sealing::Gcm, 16) => boxed::<Aes128Gcm>(key),
        (Sealing::Gcm, 32) => boxed::<Aes256Gcm>(key),
        (Sealing::Ccm, 16) => boxed::<Ccm<Aes128, U16, U12>>(key),
        (Sealing::Ccm, 32) => boxed::<Ccm<Aes256, U16, U12>>(key),
        (Sealing::Ccm8, 16) => boxed::<Ccm<Aes128, U8, U12>>(key),
        (Sealing::Ccm8, 32) => boxed::<Ccm<Aes256, U8, U12>>(key),
        (Sealing::ChaCha20, 32) => boxed::<ChaCha20Poly1305>(key),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
    use zeroize::Zeroizing;

    use super::*;
    use crate::protocol::tls::facts::Version;

    const OUTSIDE: Outside = Outside {
        content: 23,
        version: [3, 1],
    };

    fn secret(octet: u8, count: usize) -> SecretOctets {
        SecretOctets::new(Zeroizing::new(vec![octet; count]))
    }

    fn cipher(mac_first: bool) -> Cipher {
        let suite = Suite::of(Version::TLS1_0, 0x002F).unwrap();
        let material = Material {
            mac: secret(1, 20),
            key: secret(2, 16),
            iv: secret(3, 16),
        };
        Cipher::tls12(&suite, material, mac_first).unwrap()
    }

    fn padded(mut text: Vec<u8>) -> Vec<u8> {
        let padding = 15 - text.len() % 16;
        text.extend(vec![u8::try_from(padding).unwrap(); padding + 1]);
        text
    }

    fn mac(sequence: u64, text: &[u8]) -> Vec<u8> {
        let mut mac = <Hmac<Sha1> as hmac::KeyInit>::new_from_slice(&[1; 20]).unwrap();
        mac.update(&covered(sequence, OUTSIDE, text.len()));
        mac.update(text);
        mac.finalize().into_bytes().to_vec()
    }

    /// Records of TLS 1.0, each with the last block of the one before as its IV.
    fn records(mac_first: bool) -> Vec<Vec<u8>> {
        let mut iv = vec![3; 16];
        (0..4_u64)
            .map(|sequence| {
                let text = format!("record {sequence} with more than one block of text").into_bytes();
                let tag = mac(sequence, &text);
                let mut body = padded(if mac_first { [text, tag].concat() } else { text });
                let mut mode = cbc::Encryptor::<Aes128>::new_from_slices(&[2; 16], &iv).unwrap();
                let (blocks, _) = Array::<u8, U16>::slice_as_chunks_mut(&mut body);
                mode.encrypt_blocks(blocks);
                iv = body[body.len() - 16..].to_vec();
                if !mac_first {
                    let tag = mac(sequence, &body);
                    body.extend(tag);
                }
                body
            })
            .collect()
    }

    fn open(cipher: &mut Cipher, sequence: u64, record: &[u8]) -> Option<Vec<u8>> {
        let mut fragment = record.to_vec();
        let opened = cipher.open(sequence, OUTSIDE, &mut fragment);
        if opened.is_none() {
            let mut tail = [0; TAIL];
            tail.copy_from_slice(&record[record.len() - TAIL..]);
            cipher.pass(tail);
        }
        opened.map(|range| fragment[range].to_vec())
    }

    #[test]
    fn a_lost_iv_costs_one_record_of_tls10_and_never_shows_a_wrong_block() {
        for mac_first in [true, false] {
            let records = records(mac_first);
            let mut whole = cipher(mac_first);
            for (sequence, record) in records.iter().enumerate() {
                let text = open(&mut whole, sequence as u64, record).unwrap();
                assert!(text.starts_with(format!("record {sequence} with").as_bytes()));
            }
            // The second record is in a hole: the third has no known IV, the fourth does.
            let mut torn = cipher(mac_first);
            assert!(open(&mut torn, 0, &records[0]).is_some());
            torn.lose();
            assert_eq!(open(&mut torn, 2, &records[2]), None, "mac_first {mac_first}");
            let text = open(&mut torn, 3, &records[3]).unwrap();
            assert!(text.starts_with(b"record 3 with"), "mac_first {mac_first}");
        }
    }
}
