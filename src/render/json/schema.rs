//! Values that are written by hand have the schema of what they are written as.

/// `schema_like!(Text<'a> is String)`: in schemas the one is the other.
macro_rules! schema_like {
    ($name:ident $(<$life:lifetime $(, $type:ident $(: $bound:path)?)*>)? is $like:ty) => {
        impl $(<$life $(, $type $(: $bound)?)*>)? schemars::JsonSchema for $name $(<$life $(, $type)*>)? {
            fn inline_schema() -> bool {
                <$like>::inline_schema()
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                <$like>::schema_name()
            }

            fn schema_id() -> std::borrow::Cow<'static, str> {
                <$like>::schema_id()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                <$like>::json_schema(generator)
            }
        }
    };
}
pub(super) use schema_like;
