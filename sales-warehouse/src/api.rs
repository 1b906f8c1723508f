//! The HTTP interface. Every route of `/v1` needs a token with `sales:read`.

mod freshness;
mod openapi;
mod questions;
mod runs;

use std::{sync::Arc, time::Duration};

use auth::Verifier;
use axum::{Router, extract::FromRef};
use service_kit::{
    Clock, ProblemResponse,
    health::Lacking,
    http::{Bounds, standard_layers},
    metrics::HttpMetrics,
};
use url::Url;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Warehouse;

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
    /// Where callers reach this service; named in the OpenAPI document.
    pub public_url: Url,
    /// Where they get tokens; named there too.
    pub token_url: Url,
    /// Counts requests.
    pub requests: HttpMetrics,
}

impl FromRef<Deps> for Arc<Verifier> {
    fn from_ref(deps: &Deps) -> Self {
        Self::clone(&deps.verifier)
    }
}

/// Every route, with all layers. Serve it on a listener. Ready once each source has been read.
pub fn service(deps: Deps) -> Router {
    let requests = deps.requests.clone();
    let of = deps.clone();
    let health =
        service_kit::health::router("sales-warehouse", env!("CARGO_PKG_VERSION"), move || {
            let deps = of.clone();
            async move {
                Lacking {
                    missing: missing(&deps).await,
                    degraded: deps.verifier.degraded().await,
                }
            }
        });
    let document = openapi::base(&deps.token_url, &deps.public_url);
    let (v1, document) = OpenApiRouter::with_openapi(document)
        .routes(routes!(freshness::get_freshness))
        .routes(routes!(runs::get_runs))
        .with_state(deps.clone())
        .merge(questions::routes(deps))
        .split_for_parts();
    let routes = v1
        .route("/openapi.json", service_kit::openapi::route(&document))
        .merge(health);
    let bounds = Bounds {
        max_body_bytes: contracts::limits::MAX_JSON_BODY_BYTES,
        deadline: DEADLINE,
    };
    standard_layers(routes, bounds, &requests)
}

async fn missing(deps: &Deps) -> Vec<String> {
    match crate::freshness::freshness(&deps.warehouse, deps.clock.now()).await {
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

fn unavailable(cause: &sqlx::Error) -> ProblemResponse {
    ProblemResponse::unavailable("The warehouse's database", cause)
}
