//! JSON schemas of arguments and results, in the plainest form that assistants take.

use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::{JsonSchema, generate::SchemaSettings, transform::RestrictFormats};
use serde_json::Value;

/// What a tool takes.
pub(crate) fn input<T: JsonSchema>() -> Arc<JsonObject> {
    generate::<T>(SchemaSettings::draft2020_12())
}

/// What a tool returns in `structuredContent`.
pub(crate) fn output<T: JsonSchema>() -> Arc<JsonObject> {
    generate::<T>(SchemaSettings::draft2020_12().for_serialize())
}

fn generate<T: JsonSchema>(settings: SchemaSettings) -> Arc<JsonObject> {
    // Not every client follows `$ref`, and strict validators stumble over formats such as `uint32`.
    let settings = settings
        .with(|settings| settings.inline_subschemas = true)
        .with_transform(RestrictFormats::default());
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let Value::Object(mut object) = schema.to_value() else {
        return Arc::default();
    };
    // 2020-12 is the protocol's default dialect, and the type's name tells an assistant nothing.
    for noise in ["$schema", "title", "description"] {
        object.remove(noise);
    }
    Arc::new(object)
}
