//! The body of a header field → text (RFC 2047), as Japanese mail really writes it: characters cut between encoded words,
//! raw ISO-2022-JP, encoded words inside quoted strings. Linear in the length of the field.

use std::borrow::Cow;

use memchr::memmem;

use super::{charset, transfer};

/// Longest charset name that is tried, language suffix included.
const CHARSET_OCTETS: usize = 64;

struct EncodedWord<'a> {
    charset: &'a [u8],
    octets: Vec<u8>,
}

/// Text of an unfolded field body; what is not encoded is taken as ISO-2022-JP, UTF-8, EUC-JP or Shift_JIS by its look.
#[must_use]
pub fn decode_text(body: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(body) {
        Ok(text) if !may_be_encoded(body) => Cow::Borrowed(text),
        _ => Cow::Owned(decode(body)),
    }
}

/// Something begins that may be an encoded word, or a shift of ISO-2022-JP: what is UTF-8 without it is its own text.
fn may_be_encoded(body: &[u8]) -> bool {
    memchr::memchr2_iter(b'=', b'\x1b', body).any(|at| matches!(body.get(at..at + 2), Some(b"=?" | b"\x1b$")))
}

fn decode(body: &[u8]) -> String {
    let mut text = String::with_capacity(body.len());
    let mut open: Option<EncodedWord<'_>> = None;
    let mut rest = body;
    // Start of what is not part of an encoded word and not yet written.
    let mut plain = body;
    while let Some(at) = memmem::find(rest, b"=?") {
        let candidate = rest.get(at..).unwrap_or_default();
        let Some((word, length)) = read_word(candidate) else {
            // Without any end no later word can have one: this keeps the time linear.
            if memmem::find(candidate, b"?=").is_none() {
                break;
            }
            rest = candidate.get(2..).unwrap_or_default();
            continue;
        };
        let between = plain.get(..plain.len() - candidate.len()).unwrap_or_default();
        let neighbours = open.is_some() && between.iter().all(u8::is_ascii_whitespace);
        match &mut open {
            Some(before) if neighbours && before.charset.eq_ignore_ascii_case(word.charset) => {
                before.octets.extend_from_slice(&word.octets);
            }
            _ => {
                write_word(&mut text, open.take());
                if !neighbours {
                    text.push_str(&charset::guess(between));
                }
                open = Some(word);
            }
        }
        rest = candidate.get(length..).unwrap_or_default();
        plain = rest;
    }
    write_word(&mut text, open);
    text.push_str(&charset::guess(plain));
    text
}

fn write_word(text: &mut String, word: Option<EncodedWord<'_>>) {
    if let Some(word) = word {
        text.push_str(&charset::decode(word.charset, &word.octets));
    }
}

/// The encoded word that begins here, and its length.
fn read_word(candidate: &[u8]) -> Option<(EncodedWord<'_>, usize)> {
    let behind = candidate.strip_prefix(b"=?")?;
    let window = behind.get(..behind.len().min(CHARSET_OCTETS))?;
    let charset_end = memchr::memchr(b'?', window)?;
    let charset = window.get(..charset_end)?;
    if charset.is_empty() || !charset.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let encoding = *behind.get(charset_end + 1)?;
    if *behind.get(charset_end + 2)? != b'?' {
        return None;
    }
    let encoded = behind.get(charset_end + 3..)?;
    if !matches!(encoding, b'B' | b'b' | b'Q' | b'q') {
        return None;
    }
    let end = memmem::find(encoded, b"?=")?;
    let encoded = encoded.get(..end)?;
    let octets = match encoding {
        b'B' | b'b' => transfer::decode_base64(encoded),
        _ => transfer::decode_q(encoded),
    };
    // RFC 2231, section 5: "charset*language".
    let name = charset.split(|&octet| octet == b'*').next().unwrap_or(charset);
    Some((EncodedWord { charset: name, octets }, charset_end + end + 7))
}

/// The text cut to at most `octets`, at a character border.
#[must_use]
pub fn cut(text: &str, octets: usize) -> &str {
    text.get(..text.floor_char_boundary(octets)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_that_needs_no_decoding_is_what_decoding_makes_of_it(
            pieces in prop::collection::vec(
                prop::sample::select(vec!["a", " ", "=", "?", "=?UTF-8?B?5pel?=", "\x1b", "$B", "(B", "\u{65e5}", "\0"]), 0..12,
            ),
            octets in prop::collection::vec(any::<u8>(), 0..3),
        ) {
            let body = [pieces.concat().as_bytes(), &octets].concat();
            prop_assert_eq!(decode_text(&body), decode(&body));
        }
    }
}
