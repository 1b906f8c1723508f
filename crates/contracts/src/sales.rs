//! Questions about sales and their answers: sales-warehouse's `POST /v1/questions`,
//! `POST /v1/metrics/query` and `GET /v1/metrics`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{Language, MetricQuery};

/// A question in words.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// In Spanish or English, 1 to 2,000 characters.
    pub text: String,
    /// Of the question and the answer; guessed when left out.
    #[serde(default)]
    pub language: Option<Language>,
    /// Stop before the database is asked.
    #[serde(default)]
    pub plan_only: bool,
    /// What "now" is; the service's clock when left out.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub now: Option<OffsetDateTime>,
    /// Draw the rows, where there is something to draw.
    #[serde(default)]
    pub chart: Option<ChartFormat>,
}

/// How a chart is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChartFormat {
    /// `image/svg+xml`.
    Svg,
    /// `image/png`.
    Png,
}

/// What a question came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerKind {
    /// Rows.
    Answer,
    /// A question back, with choices.
    Clarify,
    /// Nothing that the warehouse could answer.
    Decline,
}

/// How far a question was understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// Of its words, fillers aside, the part that something explains, 0 to 1.
    pub explained: f64,
    /// Whether it names a metric.
    pub metric: bool,
    /// Whether it names a dimension or a member of one.
    pub dimension: bool,
}

/// A way to go on after a question back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// What the user reads.
    pub label: String,
    /// What it would ask; null where that takes another question.
    pub query: Option<MetricQuery>,
}

/// The answer to a question, as a caller reads it. What does not apply is null or empty. The
/// warehouse writes it from types of its own, and holds them against this one in its tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SalesAnswer {
    /// What it came to.
    pub kind: AnswerKind,
    /// Why it is no answer, as a code such as `missing_measure` or `out_of_scope`.
    #[serde(default)]
    pub reason: Option<String>,
    /// How far the question was understood; null for a metric query.
    #[serde(default)]
    pub evidence: Option<Evidence>,
    /// Of the words in it.
    pub language: Language,
    /// What was understood.
    pub query: Option<MetricQuery>,
    /// What each row has.
    pub columns: Vec<Column>,
    /// In order; a cell is null, a text or a number.
    pub rows: Vec<Vec<Value>>,
    /// The answer, the question back, or why there is none.
    pub sentence: String,
    /// The statement that gave the rows.
    pub sql: Option<String>,
    /// What a question back offers.
    pub choices: Vec<Choice>,
    /// Where to go on from an answer.
    #[serde(default)]
    pub next: Vec<Choice>,
    /// What was understood, in words.
    pub interpretation: Option<Interpretation>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
    /// Whether there are more rows.
    pub truncated: bool,
    /// How old the data of each source is.
    pub freshness: Vec<SourceFreshness>,
    /// A picture, if one was asked for and there is something to draw.
    pub chart: Option<Chart>,
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// For programs: a metric, a dimension or `time`, or one of these with a suffix.
    pub name: String,
    /// For people.
    pub label: String,
    /// Of a metric, such as `USD` or `fraction`.
    pub unit: Option<String>,
    /// `text`, `date`, `integer` or `number`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// What was understood, so that a reader can see whether it is what was meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interpretation {
    /// All of it in one line.
    pub text: String,
    /// The days that count.
    pub time: String,
    /// Each filter.
    pub filters: Vec<String>,
    /// What each metric means.
    pub definitions: Vec<Definition>,
}

/// What a metric means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// The metric.
    pub metric: String,
    /// What people read.
    pub label: String,
    /// What one of it is.
    pub unit: String,
    /// In a sentence.
    pub description: String,
}

/// How old one source's data is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceFreshness {
    /// `promptads`, `promptcrm` or `promptcontent`.
    pub source: String,
    /// RFC 3339; null if it never was read.
    pub as_of: Option<String>,
    /// Seconds since then.
    pub age_seconds: Option<u64>,
    /// Older than it should be, or never read.
    pub stale: bool,
}

/// A picture in an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// `image/svg+xml` or `image/png`.
    pub media_type: String,
    /// The file, in base64.
    pub data: String,
}

/// What can be asked about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Every metric.
    pub metrics: Vec<MetricEntry>,
    /// Every dimension.
    pub dimensions: Vec<DimensionEntry>,
    /// A page of the members of the dimension that was asked for.
    pub members: Option<MembersPage>,
    /// Questions whose rows were checked against SQL written by hand.
    pub verified: Vec<VerifiedQuestion>,
}

/// One metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricEntry {
    /// As queries name it.
    pub name: String,
    /// What people read.
    pub label: String,
    /// What is counted, in a sentence.
    pub description: String,
    /// What one of it is.
    pub unit: String,
    /// How it adds up.
    pub kind: String,
    /// Whether less of it is better, as of costs.
    pub lower_is_better: bool,
    /// What it is called, in both languages.
    pub synonyms: Vec<String>,
    /// What it can be grouped and filtered by.
    pub dimensions: Vec<String>,
}

/// One dimension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DimensionEntry {
    /// As queries name it.
    pub name: String,
    /// What people read.
    pub label: String,
    /// What a member is, in a sentence.
    pub description: String,
    /// What it is called, in both languages.
    pub synonyms: Vec<String>,
    /// How many members it has.
    pub members: usize,
}

/// A page of a dimension's members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MembersPage {
    /// Whose.
    pub dimension: String,
    /// On all pages.
    pub total: usize,
    /// How many come before this page.
    pub offset: usize,
    /// In the order of the database.
    pub items: Vec<MemberEntry>,
}

/// One member of a dimension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberEntry {
    /// As filters name it.
    pub code: String,
    /// What it is called, in any language.
    pub names: Vec<String>,
}

/// A question whose rows were checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerifiedQuestion {
    /// Unique among them.
    pub id: String,
    /// Of the question.
    #[serde(rename = "lang")]
    pub language: Language,
    /// The day on which it is asked.
    pub now: String,
    /// The question.
    pub text: String,
    /// What it becomes.
    pub query: MetricQuery,
}
