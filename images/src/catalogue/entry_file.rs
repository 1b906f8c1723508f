//! The TOML file that describes one image.

use std::{collections::BTreeMap, ops::Range};

use contracts::{
    ImageId, Language, LocalisedText, Rights,
    content::{Orientation, Status},
};
use serde::Deserialize;
use toml::value::Datetime;

/// As written by hand. Unknown keys are errors, so that a misspelt one is noticed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryFile {
    pub id: ImageId,
    pub status: Status,
    pub orientation: Orientation,
    pub themes: Vec<String>,
    pub campaign_themes: Vec<String>,
    pub channels: Vec<String>,
    pub audience: Vec<String>,
    rights: RightsTable,
    es: Option<LocalisedText>,
    en: Option<LocalisedText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RightsTable {
    licence: String,
    holder: String,
    from: Datetime,
    until: Option<Datetime>,
    territories: Vec<String>,
}

impl EntryFile {
    /// Reads one file; the error is one line that names the line where reading stopped.
    pub fn parse(contents: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(contents)
            .map_err(|error| format!("is not UTF-8 from byte {} on", error.valid_up_to()))?;
        toml::from_str(text).map_err(|error| {
            let message = error.message().trim().replace('\n', ", ");
            match error.span() {
                Some(Range { start, .. }) => {
                    let before = text.as_bytes().get(..start).unwrap_or_default();
                    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
                    format!("line {line}: {message}")
                }
                None => message,
            }
        })
    }

    /// Rights as on the wire.
    pub fn rights(&self) -> Rights {
        Rights {
            licence: self.rights.licence.clone(),
            holder: self.rights.holder.clone(),
            from: self.rights.from.to_string(),
            until: self.rights.until.map(|until| until.to_string()),
            territories: self.rights.territories.clone(),
        }
    }

    /// The languages that are there. That all are is for validation to say.
    pub fn into_text(self) -> BTreeMap<Language, LocalisedText> {
        [(Language::Es, self.es), (Language::En, self.en)]
            .into_iter()
            .filter_map(|(language, text)| Some((language, text?)))
            .collect()
    }
}
