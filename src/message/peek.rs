//! The first octets of a MIME part → what they give away: an encrypted ZIP (PKWARE APPNOTE 4.4.4), the content type of a
//! CMS object (RFC 5652). Decodes no more than is looked at.

use std::borrow::Cow;

use memchr::memmem;

use super::transfer::{base64_octets, decode_quoted_printable};

/// Octets kept of the beginning of a part's encoded body.
pub const PEEK_OCTETS: usize = 256;

/// Decoded octets that are looked at.
const START_OCTETS: usize = 32;

/// What a CMS object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CryptographicMessage {
    /// SignedData.
    Signed,
    /// EnvelopedData or AuthEnvelopedData.
    Encrypted,
}

/// The first decoded octets of a part, as many as are looked at or more.
#[must_use]
pub fn decode_start<'a>(encoded: &'a [u8], transfer_encoding: &[u8]) -> Cow<'a, [u8]> {
    match transfer_encoding {
        b"base64" => base64_octets(encoded).take(START_OCTETS).collect(),
        b"quoted-printable" => decode_quoted_printable(encoded).into(),
        _ => encoded.into(),
    }
}

/// Whether this begins a ZIP whose first entry is encrypted: `Some(true)` with AES, `None` for all else.
#[must_use]
pub fn encrypted_zip(octets: &[u8]) -> Option<bool> {
    let header = octets.strip_prefix(b"PK\x03\x04")?;
    let encrypted = header.get(2)? & 1 == 1;
    // Method 99 is WinZip's AES; bit 6 says strong encryption of PKWARE.
    let method = u16::from_le_bytes([*header.get(4)?, *header.get(5)?]);
    encrypted.then_some(method == 99)
}

/// The content type of a CMS object in BER, read from its object identifier.
#[must_use]
pub fn cryptographic_message(octets: &[u8]) -> Option<CryptographicMessage> {
    const PKCS7: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
    const AUTH_ENVELOPED: &[u8] = &[
        0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17,
    ];
    // SEQUENCE, at most five octets of length, then the identifier.
    if octets.first() != Some(&0x30) {
        return None;
    }
    let start = octets.get(..octets.len().min(START_OCTETS))?;
    if memmem::find(start, AUTH_ENVELOPED).is_some() {
        return Some(CryptographicMessage::Encrypted);
    }
    let at = memmem::find(start, PKCS7)?;
    match start.get(at + PKCS7.len())? {
        2 => Some(CryptographicMessage::Signed),
        3 => Some(CryptographicMessage::Encrypted),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypted_archives_are_told_by_their_first_characters() {
        let table: &[(&str, Option<bool>)] = &[
            ("UEsDBAoACQAAAOlW", Some(false)),
            ("UEsDBBQAAQAAAOlW", Some(false)),
            ("UEsDBBQACQAIAOlW", Some(false)),
            ("UEsDBDMAAQBjAOlW", Some(true)),
            // A Word document: flags 0x0006, deflated.
            ("UEsDBBQABgAIAAAA", None),
            ("UEsDBAoAAAAAAOlW", None),
            ("0M8R4KGxGuEAAAAA", None),
            ("UEs", None),
            ("", None),
        ];
        for (text, expected) in table {
            let start = decode_start(text.as_bytes(), b"base64");
            assert_eq!(encrypted_zip(&start), *expected, "{text}");
        }
        assert_eq!(
            encrypted_zip(&decode_start(b"PK=03=04=33=00=01=00c=00", b"quoted-printable")),
            Some(true)
        );
        assert_eq!(
            encrypted_zip(&decode_start(b"PK\x03\x04\x14\x00\x01\x00\x08\x00", b"binary")),
            Some(false)
        );
    }

    #[test]
    fn cms_objects_are_told_by_their_identifier() {
        let enveloped = decode_start(b"MIIBqQYJKoZIhvcNAQcDoIIBmjCCAZYCAQAx", b"base64");
        assert_eq!(cryptographic_message(&enveloped), Some(CryptographicMessage::Encrypted));
        let signed = decode_start(b"MIAGCSqGSIb3DQEHAqCAMIACAQExDzANBglg", b"base64");
        assert_eq!(cryptographic_message(&signed), Some(CryptographicMessage::Signed));
        assert_eq!(cryptographic_message(b"text"), None);
    }
}
