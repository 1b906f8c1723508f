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
    /// What is away although it can do its job: something else stands in for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degraded: Vec<String>,
}

/// What a service lacks.
#[derive(Clone, Debug, Default)]
pub struct Lacking {
    /// To do its job.
    pub missing: Vec<String>,
    /// To do it with everything that it was given.
    pub degraded: Vec<String>,
}

impl From<Vec<String>> for Lacking {
    fn from(missing: Vec<String>) -> Self {
        Self {
            missing,
            degraded: Vec::new(),
        }
    }
}

type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Lacking> + Send>> + Send + Sync>;

/// Both endpoints. `lacking` names what the service lacks, as [`Lacking`] or as a list of what is
/// missing; nothing missing means ready.
pub fn router<F, Fut>(service: &'static str, version: &'static str, lacking: F) -> Router
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Into<Lacking>> + Send + 'static,
{
    let check: Check = Arc::new(move || {
        let lacking = lacking();
        Box::pin(async move { lacking.await.into() })
    });
    Router::new().route("/livez", get(|| async { "ok" })).route(
        "/readyz",
        get(move || {
            let check = Arc::clone(&check);
            async move { readyz(service, version, check().await) }
        }),
    )
}

fn readyz(service: &str, version: &str, lacking: Lacking) -> Response {
    let Lacking { missing, degraded } = lacking;
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
        degraded,
    };
    (status, axum::Json(body)).into_response()
}
