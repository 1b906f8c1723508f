//! The questions that are kept with what they should become: `eval/*.jsonl`.

use std::str::FromStr;

use contracts::Language;
use serde::{Deserialize, Serialize};
use time::Date;
use utoipa::ToSchema;

use crate::{MetricQuery, query::iso_day};

const VERIFIED: &str = include_str!("../eval/verified.jsonl");
/// By split and language: those of `dev` were added to as rules were.
const SPLITS: [(&str, &[&str]); 4] = [
    (
        "dev",
        &[
            include_str!("../eval/dev-es.jsonl"),
            include_str!("../eval/dev-more-es.jsonl"),
            include_str!("../eval/dev-fresh-es.jsonl"),
            include_str!("../eval/dev-third-es.jsonl"),
            include_str!("../eval/dev-content-es.jsonl"),
        ],
    ),
    (
        "dev",
        &[
            include_str!("../eval/dev-en.jsonl"),
            include_str!("../eval/dev-more-en.jsonl"),
            include_str!("../eval/dev-fresh-en.jsonl"),
            include_str!("../eval/dev-third-en.jsonl"),
            include_str!("../eval/dev-content-en.jsonl"),
        ],
    ),
    ("test", &[include_str!("../eval/test-es.jsonl")]),
    ("test", &[include_str!("../eval/test-en.jsonl")]),
];

/// When the verified questions are asked, and what the sample data are as of.
pub const REFERENCE_DAY: Date = time::macros::date!(2026 - 11 - 22);

/// A question whose rows were checked against SQL written by hand.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    /// Unique among them.
    pub id: String,
    /// Of the question.
    #[serde(rename = "lang")]
    pub language: Language,
    /// When it is asked; the rows of the SQL are as of then.
    #[serde(rename = "now", with = "iso_day", default = "reference_day")]
    pub today: Date,
    /// The question.
    pub text: String,
    /// What it becomes.
    pub query: MetricQuery,
    /// What gives its rows, as of 22 November 2026.
    #[serde(skip_serializing)]
    pub sql: String,
}

/// A question and what it should become.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Unique among them.
    pub id: String,
    /// Of the question.
    #[serde(rename = "lang")]
    pub language: Language,
    /// The question.
    pub text: String,
    /// What it should become.
    pub expect: Expected,
    /// When it is asked.
    #[serde(rename = "now", with = "iso_day", default = "reference_day")]
    pub today: Date,
}

impl FromStr for Judged {
    type Err = serde_json::Error;

    /// Reads one line of an evaluation file.
    fn from_str(line: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(line)
    }
}

/// What a question should become.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Whether it is an answer.
    pub kind: Outcome,
    /// The query of an answer.
    #[serde(default)]
    pub query: Option<MetricQuery>,
}

/// What a question can come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Rows.
    Answer,
    /// A question back.
    Clarify,
    /// Nothing that can be answered.
    Decline,
}

fn reference_day() -> Date {
    REFERENCE_DAY
}

/// The verified questions.
pub fn verified() -> Result<Vec<Verified>, serde_json::Error> {
    lines(VERIFIED)
}

/// The judged questions by split: `dev`, which rules may be tuned on, and `test`, which they may not.
pub fn judged() -> Result<Vec<(&'static str, Vec<Judged>)>, serde_json::Error> {
    let read = SPLITS.map(|(split, files)| lines(&files.concat()).map(|all| (split, all)));
    read.into_iter().collect()
}

fn lines<T: for<'a> Deserialize<'a>>(text: &str) -> Result<Vec<T>, serde_json::Error> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(serde_json::from_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Model, compile};

    #[test]
    fn what_is_printed_can_be_asked_again() {
        for (_, all) in judged().unwrap() {
            for query in all.into_iter().filter_map(|one| one.expect.query) {
                // As `ask --json` prints it: every part, with nulls.
                let printed = serde_json::to_string(&query).unwrap();
                let read: MetricQuery = serde_json::from_str(&printed).unwrap();
                assert_eq!(read, query, "{printed}");
            }
        }
    }

    #[test]
    fn every_kept_query_compiles() {
        let (model, today) = (Model::builtin(), REFERENCE_DAY);
        let of_verified = verified().unwrap();
        assert!(of_verified.len() >= 60, "{}", of_verified.len());
        for one in of_verified {
            compile(model, &one.query, one.language, today)
                .unwrap_or_else(|error| panic!("{}: {error}", one.id));
        }
        let mut questions = 0;
        for (split, all) in judged().unwrap() {
            for one in all {
                questions += 1;
                assert_eq!(
                    one.expect.query.is_some(),
                    one.expect.kind == Outcome::Answer
                );
                if let Some(query) = &one.expect.query {
                    compile(model, query, one.language, today)
                        .unwrap_or_else(|error| panic!("{split} {}: {error}", one.id));
                }
            }
        }
        assert!(questions >= 400, "{questions}");
    }
}
