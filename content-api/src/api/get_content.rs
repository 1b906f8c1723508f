//! `POST /v1/getContent`.

use audit::Trail;
use auth::{Authorized, scope::ContentRead};
use axum::extract::State;
use contracts::{GetContentAnswer, GetContentRequest, Problem};
use serde_json::json;
use service_kit::{Json, ProblemResult};

use super::AppState;

/// Finds images that fit a description.
///
/// The description is in Spanish or English; so are the texts of the answer. An answer without
/// results says so in `no_match` and `message`: it is not an error.
#[utoipa::path(
    post,
    path = "/v1/getContent",
    tag = "content",
    security(("oauth2" = ["content:read"])),
    request_body = GetContentRequest,
    responses(
        (status = 200, description = "Images that fit, best first", body = GetContentAnswer),
        (status = 400, description = "malformed-json, invalid-description, invalid-limit, \
            invalid-min-score, invalid-filter or invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
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
pub async fn get_content(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
    trail: Trail,
    Json(request): Json<GetContentRequest>,
) -> ProblemResult<Json<GetContentAnswer>> {
    trail.note(|event| {
        event.question = Some(request.description.clone());
        event.plan = Some(json!({
            "filters": request.filters, "limit": request.limit, "language": request.language,
            "min_score": request.min_score,
        }));
    });
    let answer = state.finder.find(request).await?;
    trail.note(|event| {
        event.results = Some(answer.results.len() as u64);
        event.about = answer
            .results
            .iter()
            .map(|hit| hit.id.to_string())
            .collect();
        event.reason = answer.no_match.then(|| "no_match".to_owned());
    });
    Ok(Json(answer))
}
