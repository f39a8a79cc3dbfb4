//! Captured text as JSON shows it, written from the capture's octets without a copy in between: a session holds dozens.

use serde::{Serialize, Serializer};

use crate::captured::Captured;
use crate::render::encode;
use crate::render::json::schema::schema_like;
use crate::render::json::words;
use crate::render::json::writer::{ToJson, captured, is_plain, list};
use crate::session::CaptureQuality;

/// A text, by the encoder for JSON ([`encode::json`]).
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub &'a [u8]);

impl<'a> From<&'a Captured> for Text<'a> {
    fn from(captured: &'a Captured) -> Self {
        Self(captured.bytes())
    }
}

impl ToJson for Text<'_> {
    fn append(&self, json: &mut Vec<u8>) {
        json.push(b'"');
        captured(self.0, json);
        json.push(b'"');
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode::json(self.0))
    }
}

/// A word of our own, which needs no escape: nearly every value of a record that is not the capture's.
#[derive(Clone, Copy, Debug)]
pub struct Word(pub &'static str);

impl ToJson for Word {
    fn append(&self, json: &mut Vec<u8>) {
        word(self.0, json);
    }
}

/// Appends a text of our own, which needs no escape.
pub(super) fn word(text: &str, json: &mut Vec<u8>) {
    debug_assert!(is_plain(text.as_bytes()), "{text}");
    json.push(b'"');
    json.extend_from_slice(text.as_bytes());
    json.push(b'"');
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

/// What the capture lacks of a session, in words.
#[derive(Clone, Copy, Debug)]
pub struct Quality(pub CaptureQuality);

impl ToJson for Quality {
    fn append(&self, json: &mut Vec<u8>) {
        if self.0 == CaptureQuality::default() {
            json.extend_from_slice(b"[\"complete\"]");
        } else {
            list(words::quality(&self.0).into_iter().map(Word), json);
        }
    }
}

impl Serialize for Quality {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(words::quality(&self.0))
    }
}

/// The lines of a reply, or a list of keywords.
#[derive(Clone, Copy, Debug)]
pub struct Lines<'a>(pub &'a [Captured]);

impl Lines<'_> {
    /// There is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl ToJson for Lines<'_> {
    fn append(&self, json: &mut Vec<u8>) {
        list(self.0.iter().map(Text::from), json);
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Text::from))
    }
}

schema_like!(Text<'a> is String);
schema_like!(Lines<'a> is Vec<String>);
schema_like!(Word is String);
schema_like!(Quality is Vec<String>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_is_written_as_serde_writes_it() {
        let complete = CaptureQuality::default();
        let duplicates = true;
        let qualities = [
            complete,
            CaptureQuality { duplicates, ..complete },
            CaptureQuality {
                duplicates,
                gaps: true,
                only_direction: Some(crate::span::Direction::ToServer),
                ..complete
            },
        ];
        for quality in qualities.map(Quality) {
            let mut written = Vec::new();
            quality.append(&mut written);
            let plain = serde_json::to_string(&quality).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), plain);
        }
    }

    #[test]
    fn octets_are_written_as_serde_writes_them() {
        let texts = ["plain", "a\\b\"", "日本語", ""].map(|text| Captured::new(text.as_bytes()));
        let texts = [&texts[..], &[Captured::new(b"\xff<\x1b")]].concat();
        let mut written = Vec::new();
        Lines(&texts).append(&mut written);
        assert_eq!(
            String::from_utf8(written).unwrap(),
            r#"["plain","a\\\\b\"","日本語","","\\xff\u003c\u001b"]"#
        );
    }
}
