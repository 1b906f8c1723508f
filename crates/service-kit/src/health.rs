//! `/livez` and `/readyz`.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

/// What `/readyz` says.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Readiness {
    /// The service's name.
    pub service: String,
    /// Its version.
    pub version: String,
    /// Can it do its job now?
    pub ready: bool,
    /// What is missing, when not.
    pub missing: Vec<String>,
}

type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Vec<String>> + Send>> + Send + Sync>;

/// Both endpoints. `missing` names what the service lacks to do its job; empty means ready.
pub fn router<F, Fut>(service: &'static str, version: &'static str, missing: F) -> Router
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Vec<String>> + Send + 'static,
{
    let check: Check = Arc::new(move || Box::pin(missing()));
    Router::new().route("/livez", get(|| async { "ok" })).route(
        "/readyz",
        get(move || {
            let check = Arc::clone(&check);
            async move { readyz(service, version, check().await) }
        }),
    )
}

fn readyz(service: &str, version: &str, missing: Vec<String>) -> Response {
    let ready = missing.is_empty();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = Readiness {
        service: service.to_owned(),
        version: version.to_owned(),
        ready,
        missing,
    };
    (status, axum::Json(body)).into_response()
}
