//! An enhanced status code as JSON shows it, written without an allocation: every second reply has one.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

/// Class, subject and detail (RFC 3463, section 2): "5.1.1".
#[derive(Clone, Copy, Debug)]
pub struct Enhanced(pub (u8, u16, u16));

/// Longest text: "255.65535.65535".
const LONGEST: usize = 15;

impl Serialize for Enhanced {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self((class, subject, detail)) = *self;
        let mut text = [b'.'; LONGEST];
        let mut length = 0;
        let mut number = itoa::Buffer::new();
        for part in [u16::from(class), subject, detail] {
            let digits = number.format(part).as_bytes();
            if let Some(place) = text.get_mut(length..length + digits.len()) {
                place.copy_from_slice(digits);
            }
            length += digits.len() + 1;
        }
        let text = text.get(..length - 1).unwrap_or_default();
        serializer.serialize_str(std::str::from_utf8(text).unwrap_or_default())
    }
}

impl JsonSchema for Enhanced {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Enhanced".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

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
            assert_eq!(serde_json::to_string(&Enhanced(code)).unwrap(), text);
        }
    }
}
