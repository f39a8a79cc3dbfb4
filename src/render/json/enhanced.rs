//! An enhanced status code as JSON shows it, written without an allocation: every second reply has one.

use serde::{Serialize, Serializer};

use crate::render::json::schema::schema_like;
use crate::render::json::writer::ToJson;

/// Class, subject and detail (RFC 3463, section 2): "5.1.1".
#[derive(Clone, Copy, Debug)]
pub struct Enhanced(pub (u8, u16, u16));

impl ToJson for Enhanced {
    fn append(&self, json: &mut Vec<u8>) {
        let Self((class, subject, detail)) = *self;
        json.push(b'"');
        class.append(json);
        json.push(b'.');
        subject.append(json);
        json.push(b'.');
        detail.append(json);
        json.push(b'"');
    }
}

impl Serialize for Enhanced {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self((class, subject, detail)) = self;
        serializer.collect_str(&format_args!("{class}.{subject}.{detail}"))
    }
}

schema_like!(Enhanced is String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_written_with_its_dots() {
        for (code, text) in [
            ((5, 1, 1), "\"5.1.1\""),
            ((4, 7, 500), "\"4.7.500\""),
            ((255, 65535, 65535), "\"255.65535.65535\""),
        ] {
            let mut written = Vec::new();
            Enhanced(code).append(&mut written);
            assert_eq!(String::from_utf8(written).unwrap(), text);
            assert_eq!(serde_json::to_string(&Enhanced(code)).unwrap(), text);
        }
    }
}
