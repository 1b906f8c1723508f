//! Our errors as problems: status and stable type are decided here, once.

use axum::http::StatusCode;
use service_kit::ProblemResponse;

use crate::{index::IndexError, indexing::IndexingError, model::EmbedError, search::SearchError};

/// A request that is well-formed JSON but asks for something impossible.
pub fn invalid(slug: &str, title: &str, detail: impl Into<String>) -> ProblemResponse {
    ProblemResponse::new(StatusCode::BAD_REQUEST, slug, title, detail)
}

/// The model's faults.
pub fn from_embed(error: &EmbedError) -> ProblemResponse {
    match error {
        EmbedError::Overloaded { .. } => ProblemResponse::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "overloaded",
            "Overloaded",
            error.to_string(),
        )
        .with_retry_after(1),
        EmbedError::Stopped => ProblemResponse::unavailable("the embedding model", error),
        EmbedError::Model(_) => ProblemResponse::internal(error),
    }
}

/// The indexes' faults.
pub fn from_index(error: &IndexError) -> ProblemResponse {
    match error {
        IndexError::Engine { .. } | IndexError::Away { .. } | IndexError::Deadline { .. } => {
            ProblemResponse::unavailable("the search index", error)
        }
        IndexError::ModelMismatch { .. } => ProblemResponse::internal(error),
    }
}

/// A write's faults.
pub fn from_indexing(error: IndexingError) -> ProblemResponse {
    match error {
        IndexingError::Embed(error) => from_embed(&error),
        IndexingError::Refused(error) => from_index(&error),
    }
}

/// A search's faults.
pub fn from_search(error: SearchError) -> ProblemResponse {
    match error {
        SearchError::Embed(error) => from_embed(&error),
        SearchError::Index(error) => from_index(&error),
        SearchError::UnknownEngine { .. } => {
            invalid("unknown-engine", "Unknown engine", error.to_string())
        }
    }
}
