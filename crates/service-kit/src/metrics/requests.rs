//! Requests, as every service measures them: those that it serves, and those that it sends.
//!
//! The names are those of OpenTelemetry's semantic conventions for HTTP as Prometheus has them; every series carries
//! `service`. A route is its template, a method is one of those that HTTP knows, a status is its class: what a
//! caller makes up never becomes a series.

use std::{
    fmt,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::{Method, StatusCode};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

/// Upper bounds, in seconds. Among them what is promised: 0.4 for a cached answer, 2.5 for any other.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.4, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// For requests that no route takes.
const NO_ROUTE: &str = "none";
/// For requests whose caller left before the answer.
const ABANDONED: &str = "abandoned";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Served {
    method: &'static str,
    route: String,
    /// `2xx` and its like, or [`ABANDONED`].
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Sent {
    peer: &'static str,
    /// `2xx` and its like, `timeout` or `unreachable`.
    status: &'static str,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// One service's requests. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct HttpMetrics {
    active: Gauge,
    served: Histograms<Served>,
    sent: Histograms<Sent>,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        Self {
            active: Gauge::default(),
            served: Family::new_with_constructor(histogram),
            sent: Family::new_with_constructor(histogram),
        }
    }
}

/// Of durations of requests, or of what answers them.
pub fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

impl HttpMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_server_active_requests",
            "Requests that are being answered",
            self.active.clone(),
        );
        registry.register_with_unit(
            "http_server_request_duration",
            "How long requests took to be answered",
            Unit::Seconds,
            self.served.clone(),
        );
        registry.register_with_unit(
            "http_client_request_duration",
            "How long other services took to answer",
            Unit::Seconds,
            self.sent.clone(),
        );
    }

    /// How many requests are being answered.
    pub fn active(&self) -> i64 {
        self.active.get()
    }

    /// Counts a call of another service. `status` is `None` where it gave no answer in time.
    pub(crate) fn sent(
        &self,
        peer: &'static str,
        status: Result<StatusCode, bool>,
        took: Duration,
    ) {
        let status = match status {
            Ok(status) => class(status),
            Err(true) => "timeout",
            Err(false) => "unreachable",
        };
        let sent = self.sent.get_or_create(&Sent { peer, status });
        sent.observe(took.as_secs_f64());
    }

    /// Middleware: counts a request from its arrival until its answer begins.
    pub(crate) async fn measure(self, request: Request, next: Next) -> Response {
        let route = request.extensions().get::<MatchedPath>();
        let mut pending = Pending {
            method: known(request.method()),
            route: route.map_or(NO_ROUTE, MatchedPath::as_str).to_owned(),
            status: ABANDONED,
            began: Instant::now(),
            metrics: self,
        };
        pending.metrics.active.inc();
        let response = next.run(request).await;
        pending.status = class(response.status());
        response
    }
}

impl fmt::Debug for HttpMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("HttpMetrics");
        shown
            .field("active", &self.active())
            .finish_non_exhaustive()
    }
}

/// A request that has no answer yet. It is counted however it ends, its caller's leaving included.
struct Pending {
    method: &'static str,
    route: String,
    status: &'static str,
    began: Instant,
    metrics: HttpMetrics,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.metrics.active.dec();
        let labels = Served {
            method: self.method,
            route: std::mem::take(&mut self.route),
            status: self.status,
        };
        let served = self.metrics.served.get_or_create(&labels);
        served.observe(self.began.elapsed().as_secs_f64());
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// A client may write anything there.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
