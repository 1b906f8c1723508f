//! Searching the indexes: the embedder's `POST /v1/search`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    content::{Orientation, Status},
    ids::{ImageId, ModelId},
    language::Language,
};

/// Conditions that every hit fulfils; they are part of the retrieval, not a sieve after it.
///
/// Within one list any value suffices; the lists all apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Filters {
    /// Subjects, such as `sport`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub themes: Vec<String>,
    /// Kinds of campaign, such as `back-to-school`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub campaign_themes: Vec<String>,
    /// Channels, such as `email`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// Audiences, such as `families`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    /// Any of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub orientation: Vec<Orientation>,
    /// An ISO 3166-1 alpha-2 code: only images that may be used there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "CR")]
    pub territory: Option<String>,
    /// An ISO 8601 day: only images whose rights cover it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    pub usable_on: Option<String>,
}

/// Which evidence decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SearchMode {
    /// Meaning: nearness of embeddings.
    Dense,
    /// Words: BM25.
    Lexical,
    /// Both, weighted.
    #[default]
    Fused,
}

/// A search over one index.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// What to look for, in Spanish or English.
    pub text: String,
    /// The text's language, where the caller knows it; else it is guessed from the words.
    #[serde(default)]
    pub language: Option<Language>,
    /// Most hits to return.
    pub limit: u32,
    /// Conditions.
    #[serde(default)]
    pub filters: Filters,
    /// Only documents in this state; approved ones when absent.
    #[serde(default)]
    pub status: Option<Status>,
    /// Which evidence decides.
    #[serde(default)]
    pub mode: SearchMode,
    /// Ask this engine and no other (for evaluation); the primary with failover when absent.
    #[serde(default)]
    pub engine: Option<String>,
    /// Overrides the calibrated floor, 0 to 1. 0 returns the nearest hits however far they are.
    #[serde(default)]
    pub min_score: Option<f32>,
}

/// The hits of a search.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SearchAnswer {
    /// Best first. The first one is at or above the floor; without `min_score` in the request, the
    /// others may be up to a fifth below it.
    pub hits: Vec<SearchHit>,
    /// Nothing reached the floor, so there are no hits.
    pub no_match: bool,
    /// The floor that was applied.
    pub floor: f32,
    /// The language that the text was taken to be in.
    pub language: Language,
    /// The engine that served it.
    pub engine: String,
    /// The model that made the vectors.
    pub model: ModelId,
    /// Grows with every write to the indexes.
    pub generation: i64,
    /// Milliseconds spent embedding the text.
    pub embed_ms: f64,
}

/// One document found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SearchHit {
    /// Which document.
    pub id: ImageId,
    /// 0 to 1, comparable across queries.
    pub score: f32,
    /// Why it was found.
    pub reason: Reason,
}

/// Why a document was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// Cosine similarity of meanings, -1 to 1: the mean over the document's two languages.
    pub dense: f32,
    /// BM25 score divided by the query's own best possible score, 0 to 1.
    pub lexical: f32,
    /// The query's words that the document's text contains, as the query wrote them.
    pub matched_terms: Vec<String>,
}
