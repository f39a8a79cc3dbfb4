//! The text of a status response → response code and text (RFC 2449, section 8; RFC 9051, section 7.1).

use crate::captured::Captured;

/// Octets kept of an answer's text.
const TEXT_OCTETS: usize = 1024;
/// Octets kept of a response code's name.
const CODE_OCTETS: usize = 64;

/// A response code with what stands behind it.
pub struct CodedText<'a> {
    /// Its name in upper case.
    pub code: Option<Captured>,
    /// Its arguments.
    pub arguments: &'a [u8],
    /// The text behind.
    pub text: Captured,
}

/// Takes "[CODE arguments] text" apart.
pub fn split_code(text: &[u8]) -> CodedText<'_> {
    let text = text.trim_ascii();
    if let Some(inside) = text.strip_prefix(b"[")
        && let Some(end) = memchr::memchr(b']', inside)
        && end > 0
    {
        let code = inside.get(..end).unwrap_or_default();
        let name_end = memchr::memchr(b' ', code).unwrap_or(code.len());
        let name = code.get(..name_end.min(CODE_OCTETS)).unwrap_or_default();
        return CodedText {
            code: Some(Captured::new(&name.to_ascii_uppercase())),
            arguments: code.get(name_end..).unwrap_or_default().trim_ascii(),
            text: shorten(inside.get(end + 1..).unwrap_or_default().trim_ascii(), TEXT_OCTETS),
        };
    }
    CodedText {
        code: None,
        arguments: b"",
        text: shorten(text, TEXT_OCTETS),
    }
}

/// The first octets of a value.
pub fn shorten(value: &[u8], most: usize) -> Captured {
    Captured::new(value.get(..value.len().min(most)).unwrap_or_default())
}

/// The first word in front of a blank, and the rest without the blanks between.
pub fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let line = line.trim_ascii_start();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    (word, rest.trim_ascii_start())
}
