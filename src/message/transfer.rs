//! Undoes the content transfer encodings base64 (RFC 4648, RFC 2045) and quoted-printable (RFC 2045, section 6.7), and the
//! Q encoding of header words (RFC 2047). Lenient, because we watch: what is not in the alphabet is skipped.

/// Octets of base64 text; stops at the first padding, skips what is not in the alphabet, ignores leftover bits.
#[must_use]
pub fn decode_base64(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len() / 4 * 3 + 3);
    octets.extend(base64_octets(text));
    octets
}

/// The same, one after the other.
pub fn base64_octets(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut bits: u32 = 0;
    let mut count = 0;
    let characters = text.iter().take_while(|character| **character != b'=');
    let sextets = characters.filter_map(|character| sextet(*character));
    sextets.filter_map(move |value| {
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count < 8 {
            return None;
        }
        count -= 8;
        Some((bits >> count) as u8)
    })
}

/// The value of one base64 character.
pub const fn sextet(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Octets of quoted-printable text; soft line breaks vanish, a bad escape stays as it was sent.
#[must_use]
pub fn decode_quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        if first != b'=' {
            octets.push(first);
        } else if let Some(octet) = hexadecimal(behind) {
            octets.push(octet);
            rest = behind.get(2..).unwrap_or_default();
        } else if let Some(next_line) = behind.strip_prefix(b"\r\n").or_else(|| behind.strip_prefix(b"\n")) {
            rest = next_line;
        } else {
            octets.push(first);
        }
    }
    octets
}

/// Octets of a Q-encoded word: quoted-printable with "_" for a space (RFC 2047, section 4.2).
#[must_use]
pub fn decode_q(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'_' => octets.push(b' '),
            b'=' => match hexadecimal(behind) {
                Some(octet) => {
                    octets.push(octet);
                    rest = behind.get(2..).unwrap_or_default();
                }
                None => octets.push(first),
            },
            _ => octets.push(first),
        }
    }
    octets
}

/// Octets of percent-encoded text (RFC 2231, section 4).
#[must_use]
pub fn decode_percent(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match hexadecimal(behind) {
            Some(octet) if first == b'%' => {
                octets.push(octet);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => octets.push(first),
        }
    }
    octets
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let high = char::from(*digits.first()?).to_digit(16)?;
    let low = char::from(*digits.get(1)?).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}
