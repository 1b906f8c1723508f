//! `POST /v1/getContent`: images that fit a description.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    content::{ImageFacts, Rendition, Rights},
    ids::{ImageId, ModelId},
    language::Language,
    search::{Filters, Reason},
};

/// What a marketer looks for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetContentRequest {
    /// The picture in words, in Spanish or English; 1 to 2,000 characters.
    #[schema(
        example = "zapatillas rojas para correr al amanecer",
        min_length = 1,
        max_length = 2000
    )]
    pub description: String,
    /// Most results, 1 to 100; 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100, default = 10)]
    pub limit: Option<i64>,
    /// Language of the description and of the answer's texts; guessed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Conditions that every result fulfils.
    #[serde(default)]
    pub filters: Filters,
    /// Least score of every result, 0 to 1, instead of the calibrated floor for the best one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub min_score: Option<f32>,
}

/// Images that fit, best first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GetContentAnswer {
    /// Best first.
    pub results: Vec<ContentHit>,
    /// No image fits: `results` is empty and `message` says so.
    pub no_match: bool,
    /// A sentence in the answer's language.
    pub message: String,
    /// Language of the texts below.
    pub language: Language,
    /// The engine that served it.
    pub engine: String,
    /// The model that made the vectors.
    pub model: ModelId,
    /// Served from the cache.
    pub cached: bool,
    /// Milliseconds on the server.
    pub took_ms: f64,
}

/// One image that fits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentHit {
    /// Which document.
    pub id: ImageId,
    /// 0 to 1, comparable across queries.
    pub score: f32,
    /// Why it fits.
    pub reason: Reason,
    /// In the answer's language.
    pub title: String,
    /// In the answer's language.
    pub description: String,
    /// In the answer's language, for a screen reader.
    pub alt: String,
    /// In the answer's language.
    pub hashtags: Vec<String>,
    /// Channels that it fits.
    pub channels: Vec<String>,
    /// Where the original is fetched.
    pub image_url: String,
    /// Facts of the original.
    pub image: ImageFacts,
    /// Smaller sizes and other formats.
    pub renditions: Vec<Rendition>,
    /// Who may use it, where and until when.
    pub rights: Rights,
}
