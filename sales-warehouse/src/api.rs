//! The HTTP interface. Every route of `/v1` needs a token with `sales:read`.

mod questions;
mod runs;

use std::{sync::Arc, time::Duration};

use auth::{Authorized, Verifier, scope::SalesRead};
use axum::{
    Router,
    extract::{FromRef, State},
    routing::get,
};
use serde::Serialize;
use service_kit::{
    Clock, Json, ProblemResponse, ProblemResult,
    http::{Bounds, standard_layers},
};

use crate::{
    Warehouse,
    freshness::{Freshness, freshness},
};

/// Longest that one request may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// What the routes work with; whoever puts a process together makes them.
#[derive(Clone)]
pub struct Deps {
    /// What is asked about.
    pub warehouse: Warehouse,
    /// Checks callers' tokens.
    pub verifier: Arc<Verifier>,
    /// Tells the time.
    pub clock: Clock,
}

impl FromRef<Deps> for Arc<Verifier> {
    fn from_ref(deps: &Deps) -> Self {
        Self::clone(&deps.verifier)
    }
}

/// Every route, with all layers. Serve it on a listener. Ready once each source has been read.
pub fn service(deps: Deps) -> Router {
    let of = deps.clone();
    let health =
        service_kit::health::router("sales-warehouse", env!("CARGO_PKG_VERSION"), move || {
            let deps = of.clone();
            async move { missing(&deps).await }
        });
    let routes = Router::new()
        .route("/v1/freshness", get(get_freshness))
        .route("/v1/etl/runs", get(runs::get_runs))
        .with_state(deps.clone())
        .merge(questions::routes(deps))
        .merge(health);
    let bounds = Bounds {
        max_body_bytes: contracts::limits::MAX_JSON_BODY_BYTES,
        deadline: DEADLINE,
    };
    standard_layers(routes, bounds)
}

async fn missing(deps: &Deps) -> Vec<String> {
    match freshness(&deps.warehouse, deps.clock.now()).await {
        Ok(sources) => sources
            .into_iter()
            .filter(|source| source.as_of.is_none())
            .map(|source| format!("{} has not been read yet", source.source))
            .collect(),
        Err(error) => {
            tracing::warn!(error = %error, dependency = "the warehouse", "not ready");
            vec!["the warehouse's database".to_owned()]
        }
    }
}

/// The answer of `GET /v1/freshness`.
#[derive(Debug, Serialize)]
struct FreshnessAnswer {
    sources: Vec<Freshness>,
}

/// How old each source's data is.
async fn get_freshness(
    _caller: Authorized<SalesRead>,
    State(deps): State<Deps>,
) -> ProblemResult<Json<FreshnessAnswer>> {
    let sources = freshness(&deps.warehouse, deps.clock.now())
        .await
        .map_err(|error| unavailable(&error))?;
    Ok(Json(FreshnessAnswer { sources }))
}

fn unavailable(cause: &sqlx::Error) -> ProblemResponse {
    ProblemResponse::unavailable("The warehouse's database", cause)
}
