//! Measuring search against judged queries: `embedder/eval/search.jsonl`.

pub mod metrics;

use std::collections::BTreeMap;

use contracts::{ImageId, Language};
use serde::Deserialize;

/// A query with the documents that fit it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct JudgedQuery {
    /// Unique in the set.
    pub id: String,
    /// What it is written in.
    pub language: Language,
    /// `plain`, `synonym`, `mood`, `colour`, `brief`, `typo` or `none`.
    pub kind: String,
    /// The same need in the other language.
    #[serde(default)]
    pub twin: Option<String>,
    /// What a person typed.
    pub text: String,
    /// Grades: 3 just that, 2 usable, 1 a stretch; what is not named is 0.
    pub relevant: BTreeMap<ImageId, u8>,
}

/// A grade from which on a marketer would use the image.
pub const USABLE: u8 = 2;

impl JudgedQuery {
    /// No image fits: the right answer is an empty one.
    pub fn expects_nothing(&self) -> bool {
        self.relevant.is_empty()
    }

    /// The grade of one document.
    pub fn grade(&self, id: &ImageId) -> u8 {
        self.relevant.get(id).copied().unwrap_or(0)
    }
}

/// Reads JSON lines; an error names the line.
pub fn parse(lines: &str) -> Result<Vec<JudgedQuery>, String> {
    lines
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}", number + 1))
        })
        .collect()
}

/// The project's own judged set.
pub fn judged_set() -> Vec<JudgedQuery> {
    parse(include_str!("../eval/search.jsonl")).expect("the set is part of the source and tested")
}
