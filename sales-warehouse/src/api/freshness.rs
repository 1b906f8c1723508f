//! `GET /v1/freshness`.

use auth::{Authorized, scope::SalesRead};
use axum::extract::State;
use contracts::Problem;
use serde::Serialize;
use service_kit::{Json, ProblemResult};
use utoipa::ToSchema;

use super::{Deps, unavailable};
use crate::freshness::{Freshness, freshness};

/// Of every source, how old its data are.
#[derive(Debug, Serialize, ToSchema)]
pub struct FreshnessAnswer {
    /// In the order in which a run reads them.
    sources: Vec<Freshness>,
}

/// How old each source's data are.
///
/// What was committed at a source by `as_of` is in the warehouse.
#[utoipa::path(
    get,
    path = "/v1/freshness",
    tag = "warehouse",
    security(("oauth2" = ["sales:read"])),
    responses(
        (status = 200, description = "One entry a source", body = FreshnessAnswer),
        (status = 400, description = "invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn get_freshness(
    _caller: Authorized<SalesRead>,
    State(deps): State<Deps>,
) -> ProblemResult<Json<FreshnessAnswer>> {
    let sources = freshness(&deps.warehouse, deps.clock.now())
        .await
        .map_err(|error| unavailable(&error))?;
    Ok(Json(FreshnessAnswer { sources }))
}
