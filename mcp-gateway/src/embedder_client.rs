//! Calling the embedder.

use contracts::embeddings::{EmbeddingsAnswer, EmbeddingsRequest, EncodingFormat, Input, Vector};
use serde::{Deserialize, Serialize};

use crate::{
    origin::Origin,
    upstream::{Fault, Upstream, UpstreamError},
};

/// The embedder's HTTP interface.
#[derive(Debug)]
pub(crate) struct EmbedderClient {
    upstream: Upstream,
}

/// A text's vector, and the model that made it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Embedding {
    pub(crate) model: String,
    pub(crate) vector: Vec<f32>,
}

impl EmbedderClient {
    pub(crate) fn new(upstream: Upstream) -> Self {
        Self { upstream }
    }

    /// `POST /v1/embeddings` of one text.
    pub(crate) async fn embed(
        &self,
        text: &str,
        origin: &Origin,
    ) -> Result<Embedding, UpstreamError> {
        let request = EmbeddingsRequest {
            input: Input::One(text.to_owned()),
            model: None,
            encoding_format: EncodingFormat::Float,
            dimensions: None,
            user: None,
        };
        let answer: EmbeddingsAnswer = self
            .upstream
            .post(&["v1", "embeddings"], &request, origin)
            .await?;
        let vector = answer.data.into_iter().next().map(|item| item.embedding);
        match vector {
            Some(Vector::Float(vector)) if vector.iter().all(|x| x.is_finite()) => Ok(Embedding {
                model: answer.model,
                vector,
            }),
            _ => Err(self
                .upstream
                .failed(Fault::Unexpected("no vector of numbers".to_owned()))),
        }
    }
}
