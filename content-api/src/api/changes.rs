//! `GET /v1/changes`.

use auth::{Authorized, scope::ContentRead};
use axum::extract::{Query, State, rejection::QueryRejection};
use contracts::{Problem, changes::ChangesAnswer, limits::MAX_CHANGES};
use serde::Deserialize;
use service_kit::{Json, ProblemResult};

use super::{AppState, paging};

/// Changes on a page when the caller names no limit.
const DEFAULT_CHANGES: u32 = 200;

/// Texts, so that a fault in each has a problem of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangesQuery {
    after: Option<String>,
    limit: Option<String>,
}

/// What changed in documents, campaigns and their use of documents: complete and in order.
///
/// Begin without `after`; then send `next` of the answer before, and keep it. Each thing stands in the
/// feed once, as it is now, at the place of its last change; what was deleted stands there as such.
#[utoipa::path(
    get,
    path = "/v1/changes",
    tag = "campaigns",
    security(("oauth2" = ["content:read"])),
    params(
        ("after" = Option<String>, Query, description = "`next` of an earlier answer"),
        ("limit" = Option<u32>, Query, description = "200 when absent", minimum = 1, maximum = 1000),
    ),
    responses(
        (status = 200, description = "One page; without changes when there are none yet",
            body = ChangesAnswer),
        (status = 400, description = "invalid-cursor, invalid-limit, invalid-query or \
            invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn changes(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
    query: Result<Query<ChangesQuery>, QueryRejection>,
) -> ProblemResult<Json<ChangesAnswer>> {
    let query = paging::query(query)?;
    let limit = paging::limit(query.limit.as_deref(), DEFAULT_CHANGES, MAX_CHANGES)?;
    let after = paging::position_in(query.after.as_deref())?;
    let changes = state.store.changes(after, limit).await?;
    let last = changes.last().map_or(after, |last| last.position);
    Ok(Json(ChangesAnswer {
        // Unreadable things are left out, so that a short page may be followed by more.
        more: !changes.is_empty(),
        next: ChangesAnswer::cursor_after(last),
        changes,
    }))
}
