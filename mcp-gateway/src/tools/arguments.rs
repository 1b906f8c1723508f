//! Reading a tool's arguments.

use contracts::Language;
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::tools::{refusal::Refusal, stored_text::clean};

/// A language on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TextLanguage {
    Es,
    En,
}

impl From<TextLanguage> for Language {
    fn from(language: TextLanguage) -> Self {
        match language {
            TextLanguage::Es => Self::Es,
            TextLanguage::En => Self::En,
        }
    }
}

/// Reads arguments, or names the field that does not hold. `usage` follows every complaint, so that
/// an assistant need not look the schema up again.
pub(crate) fn parse<T: DeserializeOwned>(arguments: JsonObject, usage: &str) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        match error.path().to_string().as_str() {
            "." => complaint(&error.into_inner().to_string(), usage),
            path => complaint(&format!("{path}: {}", error.inner()), usage),
        }
    })
}

/// What was wrong, and what would be right.
pub(crate) fn complaint(what: &str, usage: &str) -> Refusal {
    // What was given may be long; the usage after it must still be read.
    let what = clean(what, 400);
    Refusal::Arguments(format!("Invalid arguments: {what}. {usage}"))
}
