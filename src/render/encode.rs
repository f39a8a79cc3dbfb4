//! The sink encoders: the only ways in which octets from the wire reach an output. One for terminals and logs, one for
//! JSON; both keep the reader safe and lose nothing that cannot be told from the escapes.

use std::borrow::Cow;
use std::fmt::Write as _;

/// True for characters that change what a reader sees without being seen: C0, DEL, C1, bidi controls, line and paragraph
/// separators, zero-width marks.
#[must_use]
pub const fn is_unsafe(character: char) -> bool {
    matches!(
        character,
        '\0'..='\x1f'
            | '\x7f'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// For terminals, logs and error messages: what is unsafe becomes `\x1b` or `\u{202e}`, what is not UTF-8 `\xff`.
#[must_use]
pub fn terminal(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(is_unsafe) => Cow::Borrowed(text),
        _ => Cow::Owned(escape(bytes, false)),
    }
}

/// For JSON strings: valid UTF-8 with every backslash doubled, and octets that are not UTF-8 as `\xff`: reversible. What is
/// unsafe stays a character here and is written as `\u001b` by [`super::json::SafeFormatter`].
#[must_use]
pub fn json(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\\') => Cow::Borrowed(text),
        _ => Cow::Owned(escape(bytes, true)),
    }
}

fn escape(bytes: &[u8], for_json: bool) -> String {
    let mut shown = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if for_json && character == '\\' {
                shown.push_str("\\\\");
            } else if !for_json && is_unsafe(character) {
                escape_character(&mut shown, character);
            } else {
                shown.push(character);
            }
        }
        for byte in chunk.invalid() {
            _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

fn escape_character(shown: &mut String, character: char) {
    if character.is_ascii() {
        _ = write!(shown, "\\x{:02x}", u32::from(character));
    } else {
        _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_never_sees_a_control_character() {
        assert_eq!(terminal(b"a\x1b]0;x\x07"), "a\\x1b]0;x\\x07");
        assert_eq!(terminal("a\u{202e}b".as_bytes()), "a\\u{202e}b");
        assert_eq!(terminal(b"\xff\xfe"), "\\xff\\xfe");
        assert_eq!(terminal("日本語".as_bytes()), "日本語");
        assert_eq!(terminal("\u{9b}31m".as_bytes()), "\\u{9b}31m");
    }

    #[test]
    fn json_text_can_be_turned_back_into_octets() {
        assert_eq!(json(b"a\\b"), "a\\\\b");
        assert_eq!(json(b"a\xffb"), "a\\xffb");
        assert_eq!(json(b"\\xff"), "\\\\xff");
    }
}
