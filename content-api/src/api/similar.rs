//! `POST /v1/content/{id}/similar`.

use auth::{Authorized, scope::ContentRead};
use axum::extract::{Path, State, rejection::PathRejection};
use contracts::{GetContentAnswer, Problem, lifecycle::SimilarRequest};
use service_kit::{Json, ProblemResult};

use super::{AppState, contents::content_id, documents::find};

/// Finds images whose texts mean much the same as a document's, itself left out.
#[utoipa::path(
    post,
    path = "/v1/content/{id}/similar",
    tag = "content",
    security(("oauth2" = ["content:read"])),
    params(("id" = String, Path, description = "The document's slug")),
    request_body = SimilarRequest,
    responses(
        (status = 200, description = "Images that are alike, the most alike first",
            body = GetContentAnswer),
        (status = 400, description = "malformed-json, invalid-limit, invalid-min-score, \
            invalid-filter or invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no-such-content",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "body-too-large",
            body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "unsupported-media-type",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "invalid-body",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn similar(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    Json(request): Json<SimilarRequest>,
) -> ProblemResult<Json<GetContentAnswer>> {
    let id = content_id(id)?;
    let document = find(state.store.as_ref(), id.as_str()).await?;
    state.finder.similar(document, request).await.map(Json)
}
