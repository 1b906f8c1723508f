//! Our errors as problems: status and stable type are decided here, once.

use http::StatusCode;
use service_kit::ProblemResponse;

use crate::{embedder_client::EmbedderError, store::StoreError};

/// Why a request that made sense was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The search failed.
    #[error(transparent)]
    Embedder(#[from] EmbedderError),
    /// An image could not be turned into a rendition.
    #[error("the image cannot be rendered: {0}")]
    Rendition(#[from] images::ImageFault),
    /// A document names an image file that is not stored.
    #[error("the image file {0} is not stored")]
    LostImage(String),
    /// The thread that rendered died.
    #[error("rendering was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl From<&ApiError> for ProblemResponse {
    fn from(error: &ApiError) -> Self {
        match error {
            ApiError::Store(StoreError::Backend { .. }) => {
                Self::unavailable("The content store", error)
            }
            // Validation should have caught what the embedder blames on us.
            ApiError::Embedder(cause) if cause.blames_request() => Self::internal(error),
            ApiError::Embedder(_) => Self::unavailable("The search service", error),
            ApiError::Store(StoreError::Damaged { .. })
            | ApiError::Rendition(_)
            | ApiError::LostImage(_)
            | ApiError::Interrupted(_) => Self::internal(error),
        }
    }
}

impl From<ApiError> for ProblemResponse {
    fn from(error: ApiError) -> Self {
        (&error).into()
    }
}

impl From<StoreError> for ProblemResponse {
    fn from(error: StoreError) -> Self {
        ApiError::from(error).into()
    }
}

/// There is no such document.
pub fn no_such_content(id: &str) -> ProblemResponse {
    let shown: String = id
        .chars()
        .filter(|letter| !letter.is_control())
        .take(80)
        .collect();
    ProblemResponse::new(
        StatusCode::NOT_FOUND,
        "no-such-content",
        "No such content",
        format!(
            "There is no content with the id '{shown}'. Ids come with the answers of getContent."
        ),
    )
}

/// A query parameter that makes no sense.
pub fn invalid_parameter(slug: &str, title: &str, detail: impl Into<String>) -> ProblemResponse {
    ProblemResponse::new(StatusCode::BAD_REQUEST, slug, title, detail)
}
