//! What the standard has no place for: JSON in `custom_extensions` of one vendor.
//! `sales-warehouse/semantic/extensions.schema.json` says the same to editors.

use std::collections::BTreeMap;

use contracts::Language;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::document::CustomExtension;

/// The vendor under whose name it stands.
pub const VENDOR: &str = "PROMPTSALES";

/// Finds and reads the extension. None at all reads as an empty one.
pub fn read<T: DeserializeOwned>(extensions: &[CustomExtension]) -> Result<T, String> {
    let mut ours = extensions.iter().filter(|one| one.vendor_name == VENDOR);
    let data = ours.next().map_or("{}", |one| one.data.as_str());
    if ours.next().is_some() {
        return Err(format!("has two extensions of {VENDOR}: keep one"));
    }
    serde_json::from_str(data).map_err(|error| format!("its {VENDOR} extension: {error}"))
}

/// One text in each language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// English.
    pub en: String,
    /// Spanish.
    pub es: String,
}

impl Label {
    /// The one in a language.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Es => &self.es,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    #[allow(dead_code, reason = "for readers of the file")]
    pub grain: String,
    #[serde(default)]
    pub time: Option<String>,
    #[serde(default)]
    pub paths: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub rollups: Vec<Rollup>,
    #[serde(default)]
    pub bridge: bool,
}

/// The same rows, added up: a table with the dataset's columns but some.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollup {
    pub source: String,
    /// Fields that were added up.
    pub sums: Vec<String>,
    /// Fields that it does not have.
    #[serde(default)]
    pub without: Vec<String>,
    /// Its rows are those of a month, with the first day of it as their time.
    #[serde(default)]
    pub by_month: bool,
    /// The field that tells its rows apart.
    #[serde(default)]
    pub key: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    pub label: Label,
    #[serde(default)]
    pub entity: bool,
    #[serde(default)]
    pub values: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub missing: Vec<String>,
    #[serde(default)]
    pub drill: Option<String>,
    #[serde(default)]
    pub unreached: Option<Label>,
    #[serde(default)]
    pub display: Option<Display>,
}

/// The column that has a member's name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Display {
    Same(String),
    Each(Label),
}

impl Display {
    pub fn column(&self, language: Language) -> &str {
        match self {
            Self::Same(column) => column,
            Self::Each(columns) => columns.get(language),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    pub label: Label,
    pub description: Translation,
    pub unit: super::Unit,
    #[serde(rename = "type")]
    pub kind: super::Kind,
    #[serde(default)]
    pub better: Better,
    #[serde(default)]
    pub dataset: Option<String>,
    #[serde(default)]
    pub time: Option<String>,
    #[serde(default)]
    pub numerator: Option<String>,
    #[serde(default)]
    pub denominator: Option<String>,
    #[serde(default)]
    pub of: Option<String>,
    #[serde(default)]
    pub interval: Option<Interval>,
    #[serde(default)]
    pub alternatives: Vec<Alternative>,
}

/// Of the standard's `description`, which is in English.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Translation {
    pub es: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    #[default]
    Higher,
    Lower,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    pub from: String,
    pub to: String,
    pub expression: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    pub expression: String,
    #[serde(default)]
    pub time: Option<String>,
}
