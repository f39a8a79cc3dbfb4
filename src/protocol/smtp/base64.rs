//! Base64 (RFC 4648, section 4) as SASL uses it (RFC 4954): text → octets, and whether the text was sound.
//! Decodes what can be decoded, for a wrong form is a fact and no error.

/// What a base64 text decodes to.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The octets.
    pub bytes: Vec<u8>,
    /// Padding is as RFC 4648 wants it.
    pub padded: bool,
}

const fn value(octet: u8) -> Option<u32> {
    let value = match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value as u32)
}

/// Decodes; `None` where an octet is not of the alphabet, or a single octet is left over.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Decoded> {
    let content = text.iter().rposition(|octet| *octet != b'=').map_or(0, |last| last + 1);
    let padding = text.len() - content;
    let digits = text.get(..content)?;
    if digits.len() % 4 == 1 || padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.chunks(4) {
        let mut word = 0_u32;
        for octet in group {
            word = word << 6 | value(*octet)?;
        }
        word <<= 6 * (4 - group.len());
        let octets = word.to_be_bytes();
        bytes.extend_from_slice(octets.get(1..group.len()).unwrap_or_default());
    }
    Some(Decoded {
        bytes,
        padded: text.len().is_multiple_of(4),
    })
}

/// True for octets of the alphabet, with at most two "=" at the end, and at least `least` of them.
#[must_use]
pub fn looks_like(text: &[u8], least: usize) -> bool {
    let content = text.iter().rposition(|octet| *octet != b'=').map_or(0, |last| last + 1);
    text.len() >= least && text.len() - content <= 2 && text.iter().take(content).all(|octet| value(*octet).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_text_is_decoded_and_unsound_text_is_told() {
        let decoded = |text: &str| decode(text.as_bytes()).map(|decoded| (decoded.bytes, decoded.padded));
        assert_eq!(decoded("dGFybw=="), Some((b"taro".to_vec(), true)));
        assert_eq!(decoded("dGFybw"), Some((b"taro".to_vec(), false)));
        assert_eq!(decoded("UGFzc3dvcmQ6"), Some((b"Password:".to_vec(), true)));
        assert_eq!(decoded(""), Some((vec![], true)));
        assert_eq!(decoded("dGFyb"), None);
        assert_eq!(decoded("dGF y"), None);
        assert_eq!(decoded("d==="), None);
        assert_eq!(decoded("dG=Fy"), None);
    }
}
