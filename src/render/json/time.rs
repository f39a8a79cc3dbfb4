//! A point in time as JSON shows it, written without an allocation: a session holds dozens.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::time::{Rfc3339, Timestamp};

/// RFC 3339 in UTC with the capture's precision.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// The point in time.
    pub at: Timestamp,
    /// Fractional digits.
    pub digits: u8,
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Rfc3339::of(self.at, self.digits).as_str())
    }
}

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}
