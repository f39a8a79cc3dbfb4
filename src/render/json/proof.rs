//! What a piece of proof shows, and values inside sentences, written without a text in between: most are octets of the
//! capture, short numbers, or a note that begins with words of its own.

use serde::{Serialize, Serializer};

use crate::diagnosis::{Evidence, Note, Value};
use crate::render::encode;
use crate::render::json::number::number;
use crate::render::json::schema::schema_like;
use crate::render::json::writer::{ToJson, captured, escaped};
use crate::text::{Language, note_template, phrase, proof, show};

/// Numbers below are shown without separators.
const UNGROUPED: u64 = 100_000;

/// What a piece of proof shows: as JSON what [`proof`] says of it.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) language: Language,
}

impl ToJson for Proof<'_> {
    fn append(&self, json: &mut Vec<u8>) {
        let Self { evidence, language } = *self;
        json.push(b'"');
        match &evidence.note {
            None => captured(evidence.quotation.bytes(), json),
            Some(note) => {
                let start = json.len();
                if append_note(note, language, json).is_none() {
                    json.truncate(start);
                    escaped(&proof(evidence, language, encode::json), json);
                }
            }
        }
        json.push(b'"');
    }
}

impl Serialize for Proof<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&proof(self.evidence, self.language, encode::json))
    }
}

schema_like!(Proof<'a> is String);

/// Appends a note with its values; `None` where it may begin with white space, has a condition or lacks a value.
fn append_note(note: &Note, language: Language, json: &mut Vec<u8>) -> Option<()> {
    let mut rest = note_template(note, language);
    let (start, is_begun) = (json.len(), !rest.starts_with('{'));
    if rest.starts_with(char::is_whitespace) {
        return None;
    }
    while let Some(at) = memchr::memchr(b'{', rest.as_bytes()) {
        let (before, behind) = (rest.get(..at)?, rest.get(at + 1..)?);
        escaped(before, json);
        let end = memchr::memchr(b'}', behind.as_bytes())?;
        let name = behind.get(..end)?;
        let (_, value) = note.values.iter().find(|(known, _)| *known == name)?;
        append_shown(value, language, json);
        if !is_begun && !json.get(start).is_some_and(|first| first.is_ascii_alphanumeric()) {
            return None;
        }
        rest = behind.get(end + 1..)?;
    }
    escaped(rest, json);
    Some(())
}

/// Appends a value as it stands inside a sentence: [`show`], without a text in between where it is of a usual kind.
pub(super) fn append_shown(value: &Value, language: Language, json: &mut Vec<u8>) {
    match (value, language) {
        (Value::Captured(octets), _) => captured(octets.bytes(), json),
        (Value::Name(name), Language::English) => captured(name.as_bytes(), json),
        (Value::Number(short @ 0..UNGROUPED), _) => number(*short, json),
        (Value::Phrase(key), _) => escaped(phrase(key, language), json),
        _ => escaped(&show(value, language, encode::json), json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::Captured;
    use crate::span::Stamp;

    fn values() -> Vec<Value> {
        vec![
            Value::Captured(Captured::new(b"plain")),
            Value::Captured(Captured::new(b" \x01\"\xff\\<")),
            Value::from(""),
            Value::from("TLS 1.2"),
            Value::from("a\\b <\u{202e}"),
            Value::Number(0),
            Value::Number(UNGROUPED - 1),
            Value::Number(UNGROUPED),
            Value::Number(u64::MAX),
            Value::Phrase("client"),
            Value::Duration(std::time::Duration::from_millis(1_200)),
            Value::List(vec![Value::Number(1), Value::Phrase("client")]),
            Value::Note(Note::of("SYN")),
        ]
    }

    #[test]
    fn values_are_written_as_they_are_shown() {
        for value in values() {
            for language in Language::ALL {
                let (mut ours, mut theirs) = (Vec::new(), Vec::new());
                append_shown(&value, language, &mut ours);
                escaped(&show(&value, language, encode::json), &mut theirs);
                assert_eq!(String::from_utf8(ours), String::from_utf8(theirs), "{value:?}");
            }
        }
    }

    #[test]
    fn proof_is_written_as_it_is_told() {
        let mut written_at_once = 0;
        for template in crate::text::note_templates() {
            for value in values() {
                let names = template.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
                let mut note = Note::of(template);
                note.values = names.map(|(name, _)| (name, value.clone())).collect();
                for language in Language::ALL {
                    written_at_once += usize::from(append_note(&note, language, &mut Vec::new()).is_some());
                    let evidence = Evidence::frame(Stamp::default(), None, note.clone());
                    let mut json = Vec::new();
                    Proof {
                        evidence: &evidence,
                        language,
                    }
                    .append(&mut json);
                    let mut told = Vec::new();
                    proof(&evidence, language, encode::json).append(&mut told);
                    assert_eq!(String::from_utf8(json), String::from_utf8(told), "{note:?}");
                }
            }
        }
        assert!(written_at_once > 1_000, "{written_at_once}");
        let octets = Evidence::frame(Stamp::default(), None, &Captured::new(b"\xff\\<\"\x1b"));
        let (evidence, language) = (&octets, Language::English);
        let mut json = Vec::new();
        Proof { evidence, language }.append(&mut json);
        assert_eq!(json, br#""\\xff\\\\\u003c\"\u001b""#);
    }
}
