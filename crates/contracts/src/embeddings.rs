//! `POST /v1/embeddings`, in the shape that OpenAI's embeddings API made common.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Texts to embed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingsRequest {
    /// One text or up to 512.
    pub input: Input,
    /// Must be the model that is loaded, when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How vectors are written; `float` when absent.
    #[serde(default)]
    pub encoding_format: EncodingFormat,
    /// Must be the model's own, when given: vectors are not shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u32>,
    /// The end user, for the caller's own records; not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// One text or several.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Input {
    /// A single text.
    One(String),
    /// Several texts.
    Many(Vec<String>),
}

/// How vectors are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EncodingFormat {
    /// JSON numbers.
    #[default]
    Float,
    /// Little-endian f32, base64.
    Base64,
}

/// The vectors.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EmbeddingsAnswer {
    /// Always `list`.
    pub object: String,
    /// In the order of the input.
    pub data: Vec<EmbeddingItem>,
    /// The model that made them.
    pub model: String,
    /// Tokens read.
    pub usage: Usage,
}

/// One vector.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EmbeddingItem {
    /// Always `embedding`.
    pub object: String,
    /// Place in the input.
    pub index: u32,
    /// The vector.
    pub embedding: Vector,
}

/// A vector in the format asked for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Vector {
    /// JSON numbers.
    Float(Vec<f32>),
    /// Little-endian f32, base64.
    Base64(String),
}

/// Tokens read.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Of the input.
    pub prompt_tokens: u32,
    /// The same: nothing is generated.
    pub total_tokens: u32,
}
