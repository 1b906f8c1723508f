//! `GET /v1/etl/runs`.

use auth::{Authorized, scope::SalesRead};
use axum::extract::{Query, State, rejection::QueryRejection};
use contracts::Problem;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use service_kit::{Json, ProblemResponse, ProblemResult};
use sqlx::types::Json as Column;
use time::OffsetDateTime;
use utoipa::ToSchema;

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
#[derive(Debug, Serialize, ToSchema)]
pub struct RunsAnswer {
    /// As in `etl.runs`, with a list `sources` of `etl.source_runs`.
    #[schema(value_type = Vec<Run>)]
    runs: Vec<serde_json::Value>,
}

/// One try to bring the warehouse level.
#[derive(ToSchema)]
#[allow(dead_code)] // Only its schema is used: PostgreSQL writes the answer.
struct Run {
    /// Its number in the ledger.
    run_id: i64,
    /// `running`; `succeeded`; `failed`, at least one source did not make it; `skipped`, another run was at
    /// work; `interrupted`, it was stopped before its end.
    status: String,
    started_at: OffsetDateTime,
    /// Null while it runs.
    #[schema(required)]
    finished_at: Option<OffsetDateTime>,
    /// Whether something had changed since the marts were refreshed last.
    marts_refreshed: bool,
    /// Finished campaigns whose books were closed.
    campaigns_closed: i32,
    /// What went wrong, if something did.
    #[schema(required)]
    message: Option<String>,
    /// Of every source that it came to.
    sources: Vec<SourceRun>,
}

/// One source in one run. Counts are rows.
#[derive(ToSchema)]
#[allow(dead_code)] // Only its schema is used.
struct SourceRun {
    /// `promptads`, `promptcrm` or `promptcontent`.
    source: String,
    /// `succeeded` or `failed`.
    status: String,
    /// Whether everything was read rather than what changed.
    read_all: bool,
    /// The source's clock when its snapshot was taken.
    #[schema(required)]
    as_of: Option<OffsetDateTime>,
    duration_ms: i64,
    rows_read: i64,
    inserted: i64,
    updated: i64,
    deleted: i64,
    /// Rows that break a rule.
    quarantined: i64,
    /// Whether counts and sums agree with the source's; null if nothing changed.
    #[schema(required)]
    reconciled: Option<bool>,
    /// What a person should know and that stopped nothing.
    notices: Vec<String>,
    /// Why it failed.
    #[schema(required)]
    error: Option<String>,
}

/// How the latest runs went.
#[utoipa::path(
    get,
    path = "/v1/etl/runs",
    tag = "warehouse",
    security(("oauth2" = ["sales:read"])),
    params(("limit" = Option<u32>, Query, description = "Most runs to show, 20 when absent",
        minimum = 1, maximum = 100)),
    responses(
        (status = 200, description = "Newest first", body = RunsAnswer),
        (status = 400, description = "invalid-query or invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
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
