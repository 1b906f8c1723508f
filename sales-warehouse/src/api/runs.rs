//! `GET /v1/etl/runs`.

use auth::{Authorized, scope::SalesRead};
use axum::extract::{Query, State, rejection::QueryRejection};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use service_kit::{Json, ProblemResponse, ProblemResult};
use sqlx::types::Json as Column;

use super::{Deps, unavailable};

/// Runs in an answer, unless the caller asks for another number.
const DEFAULT_LIMIT: u32 = 20;
/// Most that it may ask for.
const MAX_LIMIT: u32 = 100;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    limit: Option<u32>,
}

/// The latest runs, newest first.
#[derive(Debug, Serialize)]
pub struct RunsAnswer {
    /// As in `etl.runs`, with a list `sources` of `etl.source_runs`. Times are RFC 3339, UTC.
    runs: Vec<serde_json::Value>,
}

/// What the ledger says of the latest runs.
pub async fn get_runs(
    _caller: Authorized<SalesRead>,
    State(deps): State<Deps>,
    page: Result<Query<Page>, QueryRejection>,
) -> ProblemResult<Json<RunsAnswer>> {
    let limit = page
        .ok()
        .map(|Query(page)| page.limit.unwrap_or(DEFAULT_LIMIT))
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(invalid_limit)?;
    let runs: Vec<Column<serde_json::Value>> = sqlx::query_scalar(include_str!("runs/latest.sql"))
        .bind(i64::from(limit))
        .fetch_all(deps.warehouse.reader())
        .await
        .map_err(|error| unavailable(&error))?;
    let runs = runs.into_iter().map(|Column(run)| run).collect();
    Ok(Json(RunsAnswer { runs }))
}

fn invalid_limit() -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::BAD_REQUEST,
        "invalid-query",
        "Invalid query",
        format!(
            "The only parameter is limit, a whole number from 1 to {MAX_LIMIT}; without it {DEFAULT_LIMIT} runs are shown."
        ),
    )
}
