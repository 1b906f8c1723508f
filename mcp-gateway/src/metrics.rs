//! What the gateway measures, for `/metrics`: its requests, the calls of its tools, and where questions went.

use std::time::Duration;

use redis_link::SharedCounters;
use service_kit::metrics::{
    HttpMetrics, Metrics, histogram,
    prometheus_client::{
        metrics::{counter::Counter, family::Family, histogram::Histogram},
        registry::Unit,
    },
};

use crate::{routing::Route, tools::GatewayTool};

/// `tool`, and `outcome`.
type ToolCall = [(&'static str, &'static str); 2];
/// `route`.
type Routed = [(&'static str, &'static str); 1];

/// Every metric, as handles on what a registry holds. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct GatewayMetrics {
    /// Served, and sent to the services behind.
    pub(crate) requests: HttpMetrics,
    calls: Family<ToolCall, Histogram, fn() -> Histogram>,
    routed: Family<Routed, Counter>,
}

impl Default for GatewayMetrics {
    fn default() -> Self {
        Self {
            requests: HttpMetrics::default(),
            calls: Family::new_with_constructor(histogram),
            routed: Family::default(),
        }
    }
}

impl GatewayMetrics {
    /// A call of a tool has ended; `outcome` is `ok`, or a refusal's kind.
    pub(crate) fn called(&self, tool: GatewayTool, outcome: &'static str, took: Duration) {
        let labels = [("tool", tool.name()), ("outcome", outcome)];
        let calls = self.calls.get_or_create(&labels);
        calls.observe(took.as_secs_f64());
    }

    /// A question went there.
    pub(crate) fn routed(&self, route: Route) {
        self.routed
            .get_or_create(&[("route", route.as_str())])
            .inc();
    }

    /// All of it. Shared counters of rates, where there are any, are told of too.
    pub(crate) fn all(&self, counters: Option<&SharedCounters>) -> Metrics {
        let mut metrics = Metrics::new("mcp-gateway", env!("CARGO_PKG_VERSION"), &self.requests);
        let registry = metrics.registry().sub_registry_with_prefix("mcp_gateway");
        registry.register_with_unit(
            "tool_call_duration",
            "How long calls of tools took, by how they ended",
            Unit::Seconds,
            self.calls.clone(),
        );
        registry.register(
            "questions_routed",
            "Questions of ask, by the system that they were taken for",
            self.routed.clone(),
        );
        if let Some(counters) = counters {
            counters.register(registry);
        }
        metrics
    }
}
