//! `/metrics`, in the text format of OpenMetrics, on an address of its own: it takes no token, so it stays inside
//! the cluster.
//!
//! A service registers what it measures in a [`Metrics`] that it made: there is no registry for everybody. Names
//! begin with the service and end with the unit (`_seconds`, `_bytes`, `_rows`; the encoder adds `_total` to
//! counters); what all services measure alike has no service in its name but in the label `service`. Label values
//! come from a fixed set, never from a request: each combination is a series that the collector keeps.

mod requests;

use std::{future::Future, sync::Arc, time::Duration};

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

/// What a service measures.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// With what every service has: `promptsales_build_info`, and its requests.
    pub fn new(service: &'static str, version: &'static str, requests: &HttpMetrics) -> Self {
        let mut registry = Registry::default();
        let build = Info::new([("service", service), ("version", version)]);
        registry.register("promptsales_build", "Which service, and its version", build);
        let label = ("service".into(), service.into());
        requests.register(registry.sub_registry_with_label(label));
        Self { registry }
    }

    /// Where a service registers its own.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// The route. `refresh` brings what is not counted as it happens level, before each scrape; scrapes wait
    /// for each other.
    pub fn router<F, Fut>(self, refresh: F) -> Router
    where
        F: Fn() -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let registry = Arc::new(Mutex::new(self.registry));
        let scrape = move || {
            let (registry, refresh) = (Arc::clone(&registry), refresh.clone());
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

fn encoded(registry: &Registry) -> Response {
    let mut text = String::new();
    match text::encode(&mut text, registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(error) => ProblemResponse::internal(&error).into_response(),
    }
}

#[cfg(test)]
mod tests;
