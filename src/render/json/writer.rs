//! A serde serializer for compact JSON into a vector, with the escapes of [`SafeFormatter`](super::SafeFormatter).
//!
//! A report of a gigabyte of mail is some hundred megabytes of JSON, most of it names of fields and plain ASCII.
//! serde_json with our formatter looks through every name and every text three times and took a third of the whole run;
//! here names go out as they are and a plain text is looked through once. Numbers are written by the crates that
//! serde_json uses. A test holds both against each other.

use std::fmt::Display;

use serde::{Serialize, ser};

use crate::render::encode::is_unsafe;

/// Why a value cannot be written: only a map whose keys are no strings, and what our records never hold.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unwritable(String);

impl ser::Error for Unwritable {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type Written = Result<(), Unwritable>;

/// Appends JSON to a vector.
pub struct Writer<'v>(pub &'v mut Vec<u8>);

/// What an octet of UTF-8 text needs inside quotation marks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing.
    Plain,
    /// A backslash and this letter.
    Short(u8),
    /// `\u` and its number.
    Number,
    /// A look at the whole character.
    Look,
}

static NEEDS: [Need; 256] = {
    let mut table = [Need::Plain; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = match octet as u8 {
            b'"' => Need::Short(b'"'),
            b'\\' => Need::Short(b'\\'),
            b'\n' => Need::Short(b'n'),
            b'\r' => Need::Short(b'r'),
            b'\t' => Need::Short(b't'),
            8 => Need::Short(b'b'),
            12 => Need::Short(b'f'),
            0..=31 | 127 | b'<' => Need::Number,
            128..=255 => Need::Look,
            _ => Need::Plain,
        };
        octet += 1;
    }
    table
};

fn need(octet: u8) -> Need {
    NEEDS.get(usize::from(octet)).copied().unwrap_or(Need::Look)
}

/// True where no octet needs anything: nearly every text. Eight or sixteen at a time, which the compiler makes one step; the
/// last ones overlap.
fn is_plain(bytes: &[u8]) -> bool {
    fn harmless<const N: usize>(block: &[u8; N]) -> bool {
        block.iter().fold(true, |plain, octet| {
            plain & matches!(octet, b' '..=b'~') & (*octet != b'<') & (*octet != b'"') & (*octet != b'\\')
        })
    }
    if let Some(last) = bytes.last_chunk::<16>() {
        bytes.as_chunks::<16>().0.iter().all(harmless) && harmless(last)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        harmless(first) & harmless(last)
    } else {
        bytes.iter().all(|octet| need(*octet) == Need::Plain)
    }
}

impl Writer<'_> {
    #[inline(always)]
    fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn text(&mut self, text: &str) {
        self.0.push(b'"');
        if is_plain(text.as_bytes()) {
            self.raw(text);
        } else {
            self.escaped(text);
        }
        self.0.push(b'"');
    }

    fn escaped(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let (mut clean_from, mut at) = (0, 0);
        while let Some(octet) = bytes.get(at) {
            let mut length = 1;
            let escape = match need(*octet) {
                Need::Plain => None,
                Need::Short(letter) => Some(Err(letter)),
                Need::Number => Some(Ok(char::from(*octet))),
                Need::Look => {
                    let character = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
                    length = character.len_utf8();
                    is_unsafe(character).then_some(Ok(character))
                }
            };
            if let Some(escape) = escape {
                self.raw(text.get(clean_from..at).unwrap_or_default());
                match escape {
                    Ok(character) => self.by_number(character),
                    Err(letter) => self.0.extend_from_slice(&[b'\\', letter]),
                }
                clean_from = at + length;
            }
            at += length;
        }
        self.raw(text.get(clean_from..).unwrap_or_default());
    }

    fn by_number(&mut self, character: char) {
        let mut units = [0_u16; 2];
        for unit in character.encode_utf16(&mut units) {
            let digit = |shift: u16| char::from_digit(u32::from(*unit >> shift & 0xf), 16).unwrap_or('0') as u8;
            self.0
                .extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
        }
    }

    fn integer(&mut self, number: impl itoa::Integer) -> Written {
        self.raw(itoa::Buffer::new().format(number));
        Ok(())
    }
}

/// A list or an object that has begun.
pub struct Group<'w, 'v> {
    writer: &'w mut Writer<'v>,
    first: bool,
    end: u8,
}

impl<'w, 'v> Group<'w, 'v> {
    fn begin(writer: &'w mut Writer<'v>, begin: u8, end: u8) -> Self {
        writer.0.push(begin);
        Self {
            writer,
            first: true,
            end,
        }
    }

    fn next(&mut self) -> &mut Writer<'v> {
        if !std::mem::take(&mut self.first) {
            self.writer.0.push(b',');
        }
        self.writer
    }

    fn finish(self) -> Written {
        self.writer.0.push(self.end);
        Ok(())
    }
}

impl<'w, 'v> ser::Serializer for &'w mut Writer<'v> {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Group<'w, 'v>;
    type SerializeTuple = Group<'w, 'v>;
    type SerializeTupleStruct = Group<'w, 'v>;
    type SerializeTupleVariant = ser::Impossible<(), Unwritable>;
    type SerializeMap = Group<'w, 'v>;
    type SerializeStruct = Group<'w, 'v>;
    type SerializeStructVariant = ser::Impossible<(), Unwritable>;

    fn serialize_bool(self, value: bool) -> Written {
        self.raw(if value { "true" } else { "false" });
        Ok(())
    }
    fn serialize_i8(self, value: i8) -> Written {
        self.integer(value)
    }
    fn serialize_i16(self, value: i16) -> Written {
        self.integer(value)
    }
    fn serialize_i32(self, value: i32) -> Written {
        self.integer(value)
    }
    fn serialize_i64(self, value: i64) -> Written {
        self.integer(value)
    }
    fn serialize_u8(self, value: u8) -> Written {
        self.integer(value)
    }
    fn serialize_u16(self, value: u16) -> Written {
        self.integer(value)
    }
    fn serialize_u32(self, value: u32) -> Written {
        self.integer(value)
    }
    fn serialize_u64(self, value: u64) -> Written {
        self.integer(value)
    }
    fn serialize_f32(self, value: f32) -> Written {
        self.serialize_f64(f64::from(value))
    }
    fn serialize_f64(self, value: f64) -> Written {
        if value.is_finite() {
            self.raw(zmij::Buffer::new().format_finite(value));
        } else {
            self.raw("null");
        }
        Ok(())
    }
    fn serialize_char(self, value: char) -> Written {
        self.text(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }
    fn serialize_str(self, value: &str) -> Written {
        self.text(value);
        Ok(())
    }
    fn serialize_bytes(self, value: &[u8]) -> Written {
        let mut list = Group::begin(self, b'[', b']');
        for octet in value {
            list.next().integer(*octet)?;
        }
        list.finish()
    }
    fn serialize_none(self) -> Written {
        self.raw("null");
        Ok(())
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Written {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Written {
        self.serialize_none()
    }
    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_none()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        let mut object = Group::begin(self, b'{', b'}');
        ser::SerializeStruct::serialize_field(&mut object, variant, value)?;
        object.finish()
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Unwritable> {
        Ok(Group::begin(self, b'[', b']'))
    }
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unwritable> {
        Ok(Group::begin(self, b'[', b']'))
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Unwritable> {
        Ok(Group::begin(self, b'[', b']'))
    }
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unwritable> {
        Err(ser::Error::custom(format_args!(
            "{name}: a variant with several values"
        )))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unwritable> {
        Ok(Group::begin(self, b'{', b'}'))
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Unwritable> {
        Ok(Group::begin(self, b'{', b'}'))
    }
    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unwritable> {
        Err(ser::Error::custom(format_args!(
            "{name}: a variant with several values"
        )))
    }
}

impl ser::SerializeSeq for Group<'_, '_> {
    type Ok = ();
    type Error = Unwritable;
    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Written {
        value.serialize(self.next())
    }
    fn end(self) -> Written {
        self.finish()
    }
}

impl ser::SerializeTuple for Group<'_, '_> {
    type Ok = ();
    type Error = Unwritable;
    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Written {
        value.serialize(self.next())
    }
    fn end(self) -> Written {
        self.finish()
    }
}

impl ser::SerializeTupleStruct for Group<'_, '_> {
    type Ok = ();
    type Error = Unwritable;
    fn serialize_field<T: ?Sized + Serialize>(&mut self, value: &T) -> Written {
        value.serialize(self.next())
    }
    fn end(self) -> Written {
        self.finish()
    }
}

impl ser::SerializeStruct for Group<'_, '_> {
    type Ok = ();
    type Error = Unwritable;
    // Inline, so that the length of each name is known where it is copied.
    #[inline(always)]
    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Written {
        // Names of fields are ours: lower-case words.
        if std::mem::take(&mut self.first) {
            self.writer.0.push(b'"');
        } else {
            self.writer.0.extend_from_slice(b",\"");
        }
        self.writer.raw(name);
        self.writer.raw("\":");
        value.serialize(&mut *self.writer)
    }
    fn end(self) -> Written {
        self.finish()
    }
}

impl ser::SerializeMap for Group<'_, '_> {
    type Ok = ();
    type Error = Unwritable;
    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Written {
        let writer = self.next();
        let from = writer.0.len();
        key.serialize(&mut *writer)?;
        if writer.0.get(from) == Some(&b'"') {
            Ok(())
        } else {
            Err(ser::Error::custom("a key that is no string"))
        }
    }
    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Written {
        self.writer.0.push(b':');
        value.serialize(&mut *self.writer)
    }
    fn end(self) -> Written {
        self.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::render::json::SafeFormatter;

    #[derive(Serialize)]
    struct Sample {
        text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        nothing: Option<u8>,
        unit: Option<()>,
        numbers: (u64, i64, f64, f64, bool),
        list: Vec<Option<String>>,
        map: BTreeMap<String, u64>,
        raw: &'static [u8],
    }

    fn by_serde_json(value: &impl Serialize) -> String {
        let mut written = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut written, SafeFormatter::compact());
        value.serialize(&mut serializer).unwrap();
        String::from_utf8(written).unwrap()
    }

    fn by_us(value: &impl Serialize) -> String {
        let mut written = Vec::new();
        value.serialize(&mut Writer(&mut written)).unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn both_writers_write_the_same() {
        let everything: String = (0..0x300).chain(0x2000..0x2100).filter_map(char::from_u32).collect();
        for text in [
            "",
            "plain",
            "a\"b\\c\n\r\t\u{8}\u{c}\u{0}\u{1b}</script>",
            "日本語\u{202e}\u{e0041}🗾",
            &everything,
        ] {
            let sample = Sample {
                text: text.to_owned(),
                nothing: None,
                unit: None,
                numbers: (u64::MAX, i64::MIN, 0.1 + 0.2, 1e300, true),
                list: vec![None, Some(text.to_owned()), Some("x".to_owned())],
                map: BTreeMap::from([(text.to_owned(), 1), ("key".to_owned(), 2)]),
                raw: b"\x00\xff",
            };
            assert_eq!(by_us(&sample), by_serde_json(&sample));
        }
        for number in [
            0.0,
            -0.0,
            1.0,
            1.5e-9,
            123_456_789.123,
            f64::MAX,
            f64::NAN,
            f64::INFINITY,
        ] {
            assert_eq!(by_us(&number), by_serde_json(&number));
        }
    }

    #[test]
    fn a_key_that_is_no_string_is_refused() {
        let numbers = BTreeMap::from([(1, 2)]);
        assert!(numbers.serialize(&mut Writer(&mut Vec::new())).is_err());
    }
}
