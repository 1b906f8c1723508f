//! What the tool takes.

use contracts::limits::MAX_QUERY_CHARS;
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    routing::Route,
    tools::{
        arguments::{TextLanguage, complaint, parse},
        refusal::Refusal,
    },
};

const USAGE: &str = "ask takes: question (text of 1 to 2000 characters, required), language (es or en; \
    guessed when absent), route (content, warehouse or both; chosen by the question when absent).";

/// Arguments of ask.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// In Spanish or English, in the user's own words, complete in itself.
    #[schemars(length(min = 1, max = 2000))]
    #[schemars(
        example = "muéstrame las imágenes de las campañas con mejor ROAS del trimestre pasado"
    )]
    pub(crate) question: String,
    /// Of the question and the answer; guessed when absent.
    #[serde(default)]
    #[schemars(with = "TextLanguage")]
    pub(crate) language: Option<TextLanguage>,
    /// Set it only to a choice that an earlier answer offered and the user made.
    #[serde(default)]
    #[schemars(with = "ChosenRoute")]
    pub(crate) route: Option<ChosenRoute>,
}

/// A route that a user can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChosenRoute {
    Content,
    Warehouse,
    Both,
}

impl From<ChosenRoute> for Route {
    fn from(chosen: ChosenRoute) -> Self {
        match chosen {
            ChosenRoute::Content => Self::Content,
            ChosenRoute::Warehouse => Self::Warehouse,
            ChosenRoute::Both => Self::Both,
        }
    }
}

impl Arguments {
    pub(crate) fn parse(arguments: JsonObject) -> Result<Self, Refusal> {
        let parsed: Self = parse(arguments, USAGE)?;
        if parsed.question.trim().is_empty() {
            return Err(complaint("question: it is blank", USAGE));
        }
        let length = parsed.question.chars().count();
        if length > MAX_QUERY_CHARS {
            let what =
                format!("question: {length} characters given, expected at most {MAX_QUERY_CHARS}");
            return Err(complaint(&what, USAGE));
        }
        Ok(parsed)
    }
}
