//! JSON bodies whose faults come back as problems.

use axum::{
    extract::{FromRequest, Request, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Serialize, de::DeserializeOwned};

use crate::{http::Bounds, problem::ProblemResponse};

/// Like `axum::Json`, but a body that does not parse is a [`contracts::Problem`] that says where.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S, T> FromRequest<S> for Json<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = ProblemResponse;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let bounds = request.extensions().get::<Bounds>().copied();
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(explain(&rejection, bounds)),
        }
    }
}

fn explain(rejection: &JsonRejection, bounds: Option<Bounds>) -> ProblemResponse {
    let status = rejection.status();
    let (slug, title) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => ("body-too-large", "Body too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported-media-type", "Unsupported media type"),
        StatusCode::UNPROCESSABLE_ENTITY => ("invalid-body", "Invalid body"),
        _ => ("malformed-json", "Malformed JSON"),
    };
    let detail = match bounds {
        Some(bounds) if status == StatusCode::PAYLOAD_TOO_LARGE => format!(
            "The body may have at most {} bytes here.",
            bounds.max_body_bytes
        ),
        _ => rejection.body_text(),
    };
    ProblemResponse::new(status, slug, title, detail)
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}
