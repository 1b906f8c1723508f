//! `/metrics`, in the text format of OpenMetrics, on an address of its own: it takes no token, so it stays inside
//! the cluster.
//!
//! A service registers what it measures in a [`Metrics`] that it made: there is no registry for everybody. Names
//! begin with the service and end with the unit (`_seconds`, `_bytes`, `_rows`; the encoder adds `_total` to
//! counters); what all services measure alike has no service in its name but in the label `service`. Label values
//! come from a fixed set, never from a request: each combination is a series that the collector keeps.

mod requests;

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::header;
use prometheus_client::{encoding::text, metrics::info::Info, registry::Registry};
use tokio::sync::Mutex;

use crate::{
    http::{Bounds, standard_layers},
    problem::ProblemResponse,
};

pub use prometheus_client;
pub use requests::{HttpMetrics, histogram};

/// As the specification names it.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Longest that one scrape may take: collectors give up after ten seconds.
const DEADLINE: Duration = Duration::from_secs(9);

/// Brings what is not counted as it happens level.
type Refresh = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What a service measures. A library makes it; whoever puts the process together adds what is the process's.
pub struct Metrics {
    service: &'static str,
    registry: Registry,
    refresh: Refresh,
}

impl Metrics {
    /// With what every service has: `promptsales_build_info`, and its requests.
    pub fn new(service: &'static str, version: &'static str, requests: &HttpMetrics) -> Self {
        let mut metrics = Self {
            service,
            registry: Registry::default(),
            refresh: Arc::new(|| Box::pin(async {})),
        };
        let build = Info::new([("service", service), ("version", version)]);
        let about = "Which service, and its version";
        metrics.registry.register("promptsales_build", about, build);
        requests.register(metrics.common());
        metrics
    }

    /// Where a service registers its own.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// Where what all services measure alike is registered: every series carries `service`.
    pub fn common(&mut self) -> &mut Registry {
        let label = ("service".into(), self.service.into());
        self.registry.sub_registry_with_label(label)
    }

    /// Has what is not counted as it happens brought level before each scrape.
    pub fn refreshed_by<F, Fut>(mut self, refresh: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.refresh = Arc::new(move || Box::pin(refresh()));
        self
    }

    /// The route, for an address of its own: it takes no token. Scrapes wait for each other.
    pub fn router(self) -> Router {
        let (registry, refresh) = (Arc::new(Mutex::new(self.registry)), self.refresh);
        let scrape = move || {
            let (registry, refresh) = (Arc::clone(&registry), Arc::clone(&refresh));
            async move {
                let registry = registry.lock().await;
                refresh().await;
                encoded(&registry)
            }
        };
        let bounds = Bounds {
            max_body_bytes: 0,
            deadline: DEADLINE,
        };
        // Scrapes are no load of the service's.
        let unseen = HttpMetrics::default();
        standard_layers(
            Router::new().route("/metrics", get(scrape)),
            bounds,
            &unseen,
        )
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

fn encoded(registry: &Registry) -> Response {
    let mut text = String::new();
    match text::encode(&mut text, registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(error) => ProblemResponse::internal(&error).into_response(),
    }
}

#[cfg(test)]
mod tests;
