//! `GET /v1/content/{id}`.

use auth::{Authorized, scope::ContentRead};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use contracts::{ContentDocument, ImageId, Problem};
use http::{HeaderMap, StatusCode, header};
use service_kit::{Json, ProblemResponse, ProblemResult};

use super::{AppState, preconditions::not_modified};
use crate::{error::no_such_content, store::ContentStore};

/// A caller may keep a document, but asks each time whether it still holds.
const REVALIDATE: &str = "private, no-cache";

/// One content document, whatever its status.
#[utoipa::path(
    get,
    path = "/v1/content/{id}",
    tag = "content",
    security(("oauth2" = ["content:read"])),
    params(
        ("id" = String, Path, description = "The document's slug"),
        ("If-None-Match" = Option<String>, Header, description = "An ETag held already"),
    ),
    responses(
        (status = 200, description = "The document; `ETag` is its revision", body = ContentDocument,
            headers(("ETag" = String, description = "The revision"))),
        (status = 304, description = "The caller holds this revision"),
        (status = 400, description = "invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no-such-content",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn get_document(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> ProblemResult<Response> {
    let Path(id) = id.map_err(|_| no_such_content("that is not UTF-8"))?;
    let document = find(state.store.as_ref(), &id).await?;
    let etag = etag(document.revision);
    let validators = validators(document.revision);
    if not_modified(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, validators).into_response());
    }
    Ok((validators, Json(document)).into_response())
}

/// The entity tag of a revision.
pub(super) fn etag(revision: i64) -> String {
    format!("\"{revision}\"")
}

/// What goes with something of that revision.
pub(super) fn validators(revision: i64) -> [(header::HeaderName, String); 2] {
    [
        (header::ETAG, etag(revision)),
        (header::CACHE_CONTROL, REVALIDATE.to_owned()),
    ]
}

/// The live document of that id. Text that is no id names no document either.
pub(super) async fn find(
    store: &(impl ContentStore + ?Sized),
    id: &str,
) -> Result<ContentDocument, ProblemResponse> {
    let parsed: ImageId = id.parse().map_err(|_| no_such_content(id))?;
    store
        .get(std::slice::from_ref(&parsed))
        .await?
        .pop()
        .ok_or_else(|| no_such_content(id))
}
