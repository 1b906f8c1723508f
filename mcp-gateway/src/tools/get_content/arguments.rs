//! What the tool takes.

use contracts::{
    Filters, GetContentRequest, Language, content::Orientation, limits::MAX_QUERY_CHARS,
};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tools::{
    arguments::{self, TextLanguage, parse},
    refusal::Refusal,
};

/// Most results of one call: an assistant reads all of them.
pub(crate) const MAX_RESULTS: usize = 20;
const DEFAULT_RESULTS: i64 = 5;

/// Added to every complaint, so that an assistant need not look the schema up again.
const USAGE: &str = "getContent takes: description (text of 1 to 2000 characters, required), limit \
    (a whole number from 1 to 20; 5 when absent), language (es or en; guessed when absent), filters \
    (an object with themes, campaign_themes, channels, audience, orientation, territory, usable_on).";

/// Arguments of getContent.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// The picture in words, in Spanish or English: what is seen, colours, mood.
    #[schemars(length(min = 1, max = 2000))]
    #[schemars(example = "zapatillas rojas para correr al amanecer")]
    description: String,
    /// Most images to return; 5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64", range(min = 1, max = 20))]
    limit: Option<i64>,
    /// Language of the description and of the answer's texts; guessed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "TextLanguage")]
    language: Option<TextLanguage>,
    /// Conditions that every image fulfils. Set them only when the user asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ContentFilters")]
    filters: Option<ContentFilters>,
}

/// Within one list any value suffices; all lists apply.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ContentFilters {
    /// Subjects, such as `sport`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    themes: Vec<String>,
    /// Kinds of campaign, such as `back-to-school`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    campaign_themes: Vec<String>,
    /// Channels, such as `email`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    channels: Vec<String>,
    /// Audiences, such as `families`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audience: Vec<String>,
    /// Any of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    orientation: Vec<Shape>,
    /// An ISO 3166-1 alpha-2 code: only images that may be used there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = "^[A-Z]{2}$"))]
    territory: Option<String>,
    /// An ISO 8601 day such as 2026-05-31: only images whose rights cover it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    usable_on: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Shape {
    Landscape,
    Portrait,
    Square,
}

impl Arguments {
    /// Reads and checks what this gateway can judge: shapes, the limit, the description's length.
    /// Which themes and channels exist, content-api knows.
    pub(crate) fn parse(arguments: JsonObject) -> Result<Self, Refusal> {
        let parsed: Self = parse(arguments, USAGE)?;
        let limit = parsed.limit.unwrap_or(DEFAULT_RESULTS);
        if !(1..=MAX_RESULTS as i64).contains(&limit) {
            return Err(complaint(&format!(
                "limit: {limit} given, expected 1 to {MAX_RESULTS}"
            )));
        }
        if parsed.description.trim().is_empty() {
            return Err(complaint(
                "description: it is blank; expected the picture in words",
            ));
        }
        let length = parsed.description.chars().count();
        if length > MAX_QUERY_CHARS {
            return Err(complaint(&format!(
                "description: {length} characters given, expected at most {MAX_QUERY_CHARS}"
            )));
        }
        Ok(parsed)
    }

    /// As content-api takes it.
    pub(crate) fn into_request(self) -> GetContentRequest {
        GetContentRequest {
            description: self.description,
            limit: Some(self.limit.unwrap_or(DEFAULT_RESULTS)),
            language: self.language.map(Language::from),
            filters: self.filters.unwrap_or_default().into(),
            min_score: None,
        }
    }
}

impl From<ContentFilters> for Filters {
    fn from(filters: ContentFilters) -> Self {
        Self {
            themes: filters.themes,
            campaign_themes: filters.campaign_themes,
            channels: filters.channels,
            audience: filters.audience,
            orientation: filters
                .orientation
                .into_iter()
                .map(Orientation::from)
                .collect(),
            territory: filters.territory,
            usable_on: filters.usable_on,
        }
    }
}

impl From<Shape> for Orientation {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Landscape => Self::Landscape,
            Shape::Portrait => Self::Portrait,
            Shape::Square => Self::Square,
        }
    }
}

fn complaint(what: &str) -> Refusal {
    arguments::complaint(what, USAGE)
}
