//! An Open Semantic Interchange document, 0.1.1, strictly: a key that the standard does not have is an error.

use serde::Deserialize;

/// What stands in `version`.
pub const VERSION: &str = "0.1.1";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub version: String,
    pub semantic_model: Vec<SemanticModel>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SemanticModel {
    #[allow(
        dead_code,
        reason = "the standard wants it; the files together are one model"
    )]
    pub name: String,
    #[serde(default)]
    #[allow(dead_code, reason = "for readers of the file")]
    pub description: Option<String>,
    pub datasets: Vec<Dataset>,
    #[serde(default)]
    pub relationships: Vec<Relationship>,
    #[serde(default)]
    pub metrics: Vec<Metric>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    pub name: String,
    pub source: String,
    #[serde(default)]
    pub primary_key: Vec<String>,
    #[serde(default)]
    pub unique_keys: Vec<Vec<String>>,
    #[serde(default)]
    #[allow(dead_code, reason = "for readers of the file")]
    pub description: Option<String>,
    #[serde(default)]
    pub fields: Vec<Field>,
    #[serde(default)]
    pub custom_extensions: Vec<CustomExtension>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub name: String,
    pub expression: Expression,
    #[serde(default)]
    pub dimension: Option<Dimension>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub ai_context: AiContext,
    #[serde(default)]
    pub custom_extensions: Vec<CustomExtension>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    #[serde(default)]
    pub is_time: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relationship {
    pub name: String,
    pub from: String,
    pub to: String,
    pub from_columns: Vec<String>,
    pub to_columns: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    pub name: String,
    pub expression: Expression,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub ai_context: AiContext,
    #[serde(default)]
    pub custom_extensions: Vec<CustomExtension>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expression {
    dialects: Vec<DialectExpression>,
}

impl Expression {
    /// In the one dialect that is used here.
    pub fn ansi(&self) -> Option<&str> {
        let ours = |one: &&DialectExpression| one.dialect == "ANSI_SQL";
        let found = self.dialects.iter().find(ours)?;
        Some(&found.expression)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DialectExpression {
    dialect: String,
    expression: String,
}

/// The standard lets `ai_context` hold more than this, so it does not deny other keys.
#[derive(Debug, Default, Deserialize)]
pub struct AiContext {
    #[serde(default)]
    pub synonyms: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomExtension {
    pub vendor_name: String,
    pub data: String,
}
