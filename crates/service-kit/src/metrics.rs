//! `/metrics`, in the text format of OpenMetrics, on an address of its own: it takes no token, so it stays inside
//! the cluster.
//!
//! A service registers what it measures in a [`Metrics`] that it made: there is no registry for everybody. Names
//! begin with the service and end with the unit (`_seconds`, `_bytes`, `_rows`; the encoder adds `_total` to
//! counters). Label values come from a fixed set, never from a request: each combination is a series that the
//! collector keeps.

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
    /// With the one metric that every service has: `promptsales_build_info`.
    pub fn new(service: &'static str, version: &'static str) -> Self {
        let mut registry = Registry::default();
        let build = Info::new([("service", service), ("version", version)]);
        registry.register("promptsales_build", "Which service, and its version", build);
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
        standard_layers(Router::new().route("/metrics", get(scrape)), bounds)
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
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use axum::body::Body;
    use http::{Request, StatusCode};
    use http_body_util::BodyExt;
    use prometheus_client::metrics::gauge::Gauge;
    use tower::ServiceExt;

    use super::*;

    async fn get(router: &Router, path: &str) -> (StatusCode, String, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap();
        let kind = kind.to_owned();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_scrape_is_refreshed_and_says_who_answers() {
        let mut metrics = Metrics::new("tester", "1.2.3");
        let scrapes = Gauge::<i64>::default();
        metrics
            .registry()
            .register("tester_scrapes", "So far", scrapes.clone());
        let router = metrics.router(move || {
            scrapes.inc();
            async {}
        });
        let (status, kind, first) = get(&router, "/metrics").await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, OPENMETRICS));
        let build = "promptsales_build_info{service=\"tester\",version=\"1.2.3\"} 1\n";
        assert!(first.contains(build), "{first}");
        assert!(first.contains("tester_scrapes 1\n"), "{first}");
        assert!(first.ends_with("# EOF\n"), "{first}");
        assert!(
            get(&router, "/metrics")
                .await
                .2
                .contains("tester_scrapes 2\n")
        );
        assert_eq!(get(&router, "/").await.0, StatusCode::NOT_FOUND);
    }
}
