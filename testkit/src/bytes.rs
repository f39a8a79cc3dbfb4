//! Turns the text of a script line into wire bytes: escapes, `{b64:…}`, `{hex:…}`, `{x:…}`; also the bytes that only have
//! to look random. Must not know what the bytes mean.

/// Base64 with padding (RFC 4648 section 4).
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = u32::from(chunk[0]) << 16
            | u32::from(chunk.get(1).copied().unwrap_or(0)) << 8
            | u32::from(chunk.get(2).copied().unwrap_or(0));
        for index in 0..4 {
            match index <= chunk.len() {
                true => out.push(ALPHABET[(group >> (18 - 6 * index) & 63) as usize] as char),
                false => out.push('='),
            }
        }
    }
    out
}

/// Hexadecimal digits to bytes; blanks and colons between them are ignored.
pub fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|character| !character.is_whitespace() && *character != ':')
        .map(|character| {
            character
                .to_digit(16)
                .map(|digit| digit as u8)
                .ok_or_else(|| format!("'{character}' is no hexadecimal digit"))
        })
        .collect::<Result<_, _>>()?;
    if !digits.len().is_multiple_of(2) {
        return Err(format!("an odd number of hexadecimal digits in \"{text}\""));
    }
    Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// The bytes a script text stands for; unknown escapes and unknown braces stay as written.
pub fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (piece, used) = match character {
            '\\' => escape(rest)?,
            '{' => brace(rest)?,
            _ => (rest.as_bytes()[..character.len_utf8()].to_vec(), character.len_utf8()),
        };
        out.extend_from_slice(&piece);
        rest = &rest[used..];
    }
    Ok(out)
}

fn escape(rest: &str) -> Result<(Vec<u8>, usize), String> {
    let byte = match rest.as_bytes().get(1) {
        Some(b'r') => b'\r',
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'0') => 0,
        Some(b'\\') => b'\\',
        Some(b'x') => {
            let digits = rest.get(2..4).ok_or("\\x needs two hexadecimal digits")?;
            return Ok((hex(digits)?, 4));
        }
        _ => return Ok((vec![b'\\'], 1)),
    };
    Ok((vec![byte], 2))
}

fn brace(rest: &str) -> Result<(Vec<u8>, usize), String> {
    let literal = Ok((vec![b'{'], 1));
    let Some((name, _)) = rest[1..].split_once(':') else {
        return literal;
    };
    if !matches!(name, "b64" | "hex" | "x") {
        return literal;
    }
    let start = name.len() + 2;
    let mut depth = 1;
    for (offset, character) in rest[start..].char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let inner = &rest[start..start + offset];
            let bytes = match name {
                "b64" => base64(&unescape(inner)?).into_bytes(),
                "hex" => hex(inner)?,
                _ => vec![
                    b'x';
                    inner
                        .trim()
                        .parse()
                        .map_err(|_| format!("{{x:{inner}}} needs a number"))?
                ],
            };
            return Ok((bytes, start + offset + 1));
        }
    }
    Err(format!("{{{name}: is never closed by }}"))
}

/// Exactly `count` bytes of text lines with CRLF (78 bytes a line, the last one shorter), for large bodies.
pub fn filler(count: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(count);
    let mut line = 0;
    while out.len() < count {
        let length = (count - out.len()).min(78);
        // A rest of one byte cannot hold CRLF; the line before gives one away.
        let length = if count - out.len() - length == 1 {
            length - 1
        } else {
            length
        };
        let mut text = format!("Line {line:06} of a message body that only has to be long; nobody reads this text.");
        text.truncate(length.saturating_sub(2));
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(&b"\r\n"[..length.min(2)]);
        line += 1;
    }
    out
}

/// Bytes that look random and are the same in every run (xorshift64*).
#[derive(Debug, Clone)]
pub struct Noise(u64);

impl Noise {
    /// A generator for one seed; different seeds give unrelated bytes.
    pub fn new(seed: u64) -> Noise {
        Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count)
            .map(|_| {
                self.0 ^= self.0 >> 12;
                self.0 ^= self.0 << 25;
                self.0 ^= self.0 >> 27;
                (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads_every_remainder() {
        assert_eq!(base64(b"\0user\0pass"), "AHVzZXIAcGFzcw==");
        assert_eq!(base64(b"Password:"), "UGFzc3dvcmQ6");
        assert_eq!(base64(b"ab"), "YWI=");
    }

    #[test]
    fn escapes_and_braces_become_bytes_and_unknown_ones_stay() {
        assert_eq!(unescape(r"a\r\n\x00\0\\").unwrap(), b"a\r\n\0\0\\");
        assert_eq!(unescape(r"(\Seen) {12}").unwrap(), br"(\Seen) {12}");
        assert_eq!(
            unescape("{b64:{\"status\":\"401\"}}").unwrap(),
            b"eyJzdGF0dXMiOiI0MDEifQ=="
        );
        assert_eq!(unescape("{hex:16 03 01}{x:3}").unwrap(), b"\x16\x03\x01xxx");
        assert!(unescape("{b64:open").is_err());
    }

    #[test]
    fn filler_has_the_length_asked_for_and_ends_a_line() {
        for count in [2, 3, 78, 79, 80, 156, 157, 20_000] {
            let bytes = filler(count);
            assert_eq!(bytes.len(), count);
            assert!(bytes.ends_with(b"\r\n"), "{count}");
        }
    }
}
