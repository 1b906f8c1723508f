//! Multipart bodies: one image file, and what is said about it.

use axum::extract::{
    FromRequest, Multipart, Request,
    multipart::{Field, MultipartError, MultipartRejection},
};
use bytes::{Bytes, BytesMut};
use contracts::limits::{MAX_IMAGE_BYTES, MAX_JSON_BODY_BYTES};
use http::{HeaderMap, StatusCode, header};
use service_kit::ProblemResponse;
use tokio::sync::OwnedSemaphorePermit;

use super::AppState;

/// What the parts' own headers and boundaries may add.
const OVERHEAD_BYTES: usize = 16 * 1024;
/// Largest whole body.
pub const MAX_UPLOAD_BYTES: usize = MAX_IMAGE_BYTES as usize + MAX_JSON_BODY_BYTES + OVERHEAD_BYTES;

/// The parts of a body. What is not read yet is not in memory.
pub struct Upload {
    /// The part `image`.
    pub image: Bytes,
    /// The part `metadata`.
    pub metadata: Option<Bytes>,
    /// Held as long as they are.
    _leave: Option<OwnedSemaphorePermit>,
}

impl FromRequest<AppState> for Upload {
    type Rejection = ProblemResponse;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Self::Rejection> {
        if announced(request.headers()).is_some_and(|length| length > MAX_UPLOAD_BYTES as u64) {
            return Err(too_large());
        }
        let leave = state.lifecycle.intake.admit().await;
        let mut parts = Multipart::from_request(request, state)
            .await
            .map_err(|rejection| no_multipart(&rejection))?;
        let (mut image, mut metadata) = (None, None);
        while let Some(part) = parts.next_field().await.map_err(|error| broken(&error))? {
            match part.name() {
                Some("image") if image.is_none() => {
                    image = Some(read(part, MAX_IMAGE_BYTES as usize).await?);
                }
                Some("metadata") if metadata.is_none() => {
                    metadata = Some(read(part, MAX_JSON_BODY_BYTES).await?);
                }
                _ => {
                    return Err(invalid(
                        "Expected the parts image and metadata, each once, and no other.",
                    ));
                }
            }
        }
        let Some(image) = image else {
            return Err(invalid("The part image is missing: send the image file."));
        };
        Ok(Self {
            image,
            metadata,
            _leave: leave,
        })
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Stops as soon as there is too much.
async fn read(mut part: Field<'_>, most: usize) -> Result<Bytes, ProblemResponse> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = part.chunk().await.map_err(|error| broken(&error))? {
        if bytes.len() + chunk.len() > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn too_large() -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body-too-large",
        "Body too large",
        format!(
            "An image file may have at most {MAX_IMAGE_BYTES} bytes, its metadata at most \
             {MAX_JSON_BODY_BYTES}."
        ),
    )
}

fn no_multipart(rejection: &MultipartRejection) -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "Unsupported media type",
        format!(
            "{}: expected multipart/form-data with the parts image and metadata.",
            rejection.body_text()
        ),
    )
}

fn broken(error: &MultipartError) -> ProblemResponse {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    invalid(&format!("{}.", error.body_text()))
}

fn invalid(detail: &str) -> ProblemResponse {
    let status = StatusCode::BAD_REQUEST;
    ProblemResponse::new(
        status,
        "invalid-multipart",
        "Invalid multipart body",
        detail,
    )
}
