//! A serde_json formatter that escapes what a terminal or a web page could act on: DEL, C1, bidi controls, U+2028/9, `<`.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter};

use crate::render::encode::is_unsafe;

/// Compact or pretty JSON whose strings hold only harmless characters.
pub struct SafeFormatter<F>(F);

impl SafeFormatter<serde_json::ser::CompactFormatter> {
    /// Compact JSON; [`ToJson`](super::ToJson) writes the same.
    pub const fn compact() -> Self {
        Self(serde_json::ser::CompactFormatter)
    }
}

impl<F: Formatter> Formatter for SafeFormatter<F> {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut clean_from = 0;
        for (at, character) in fragment
            .char_indices()
            .filter(|(_, one)| *one == '<' || is_unsafe(*one))
        {
            writer.write_all(fragment.as_bytes().get(clean_from..at).unwrap_or_default())?;
            let mut units = [0_u16; 2];
            for unit in character.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
            clean_from = at + character.len_utf8();
        }
        writer.write_all(fragment.as_bytes().get(clean_from..).unwrap_or_default())
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }
    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }
    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }
    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }
    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

/// One line of JSON and a newline: records of which a run has few. Sessions are written by [`ToJson`](super::ToJson).
///
/// # Errors
/// What the writer gives.
pub fn write_line(value: &impl Serialize, writer: &mut impl io::Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(
        &mut *writer,
        SafeFormatter::compact(),
    ))?;
    writer.write_all(b"\n")
}

/// An indented JSON document and a newline.
///
/// # Errors
/// What the writer gives.
pub fn write_document(value: &impl Serialize, writer: &mut impl io::Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(
        &mut *writer,
        SafeFormatter(PrettyFormatter::new()),
    ))?;
    writer.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn strings_hold_no_character_that_a_terminal_or_page_acts_on() {
        let mut written = Vec::new();
        super::write_line(&"a\u{7f}\u{9b}\u{202e}\u{2028}</script>\u{1b}\"", &mut written).unwrap();
        let text = String::from_utf8(written).unwrap();
        assert_eq!(text, "\"a\\u007f\\u009b\\u202e\\u2028\\u003c/script>\\u001b\\\"\"\n");
        assert_eq!(
            serde_json::from_str::<String>(&text).unwrap(),
            "a\u{7f}\u{9b}\u{202e}\u{2028}</script>\u{1b}\""
        );
    }
}
