//! `GET /v1/erasures`.

use auth::{Authorized, scope::ContentApprove};
use axum::extract::{Query, State, rejection::QueryRejection};
use contracts::{Problem, lifecycle::ErasurePage};
use serde::Deserialize;
use service_kit::{Json, ProblemResult};

use super::{AppState, paging};

/// Texts, so that a fault in each has a problem of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerQuery {
    cursor: Option<String>,
    limit: Option<String>,
}

/// The ledger of erasures, oldest first: ids and numbers, no content.
///
/// Each record holds the hash of the one before and its own, so that it can be checked.
#[utoipa::path(
    get,
    path = "/v1/erasures",
    tag = "content",
    security(("oauth2" = ["content:approve"])),
    params(
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, description = "50 when absent", minimum = 1, maximum = 200),
    ),
    responses(
        (status = 200, description = "One page", body = ErasurePage),
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
pub async fn ledger(
    _caller: Authorized<ContentApprove>,
    State(state): State<AppState>,
    query: Result<Query<LedgerQuery>, QueryRejection>,
) -> ProblemResult<Json<ErasurePage>> {
    let query = paging::query(query)?;
    let limit = paging::page_limit(query.limit.as_deref())?;
    let after = paging::position_in(query.cursor.as_deref())?;
    let records = state.store.erasures(after, limit).await?;
    let is_full = records.len() as u64 >= u64::from(limit);
    let last = records.last().filter(|_| is_full);
    Ok(Json(ErasurePage {
        next: last.map(|last| paging::after_position(last.sequence)),
        records,
    }))
}
