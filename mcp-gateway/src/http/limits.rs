//! How often one client may come, and call one tool.

use std::{num::NonZeroU32, sync::Arc};

use auth::Caller;
use http::StatusCode;
use redis_link::SharedCounters;
use service_kit::{
    ProblemResponse,
    rate_limit::{LocalRateLimiter, Rate, RateLimiter, TooOften},
};

use crate::tools::GatewayTool;

/// Bounds for each client: a subject with the program that it uses. `None` is no bound. Each is how
/// many may come at once, and how many a minute from then on.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests of any kind.
    pub requests_per_minute: Option<NonZeroU32>,
    /// Calls of one tool that reads.
    pub calls_per_minute: Option<NonZeroU32>,
    /// Calls of one tool that writes.
    pub writes_per_minute: Option<NonZeroU32>,
}

impl Default for Limits {
    /// 1,200 requests, 600 calls of a tool, 60 of one that writes.
    fn default() -> Self {
        Self {
            requests_per_minute: NonZeroU32::new(1_200),
            calls_per_minute: NonZeroU32::new(600),
            writes_per_minute: NonZeroU32::new(60),
        }
    }
}

/// Counts.
#[derive(Debug)]
pub(super) struct Limiters {
    requests: Option<Arc<dyn RateLimiter>>,
    calls: Option<Arc<dyn RateLimiter>>,
    writes: Option<Arc<dyn RateLimiter>>,
}

impl Limiters {
    /// Counted with all replicas where there are `shared` counters, else in this process.
    pub(super) fn new(limits: Limits, shared: Option<&SharedCounters>) -> Self {
        let of = |name, limit: Option<NonZeroU32>| {
            let rate = Rate::per_minute(limit?);
            Some(match shared {
                Some(counters) => Arc::new(counters.limiter(name, rate)) as Arc<dyn RateLimiter>,
                None => Arc::new(LocalRateLimiter::new(rate)),
            })
        };
        Self {
            requests: of("mcp-requests", limits.requests_per_minute),
            calls: of("mcp-calls", limits.calls_per_minute),
            writes: of("mcp-writes", limits.writes_per_minute),
        }
    }

    /// Counts a request.
    pub(super) async fn request(&self, caller: &Caller) -> Result<(), ProblemResponse> {
        count(self.requests.as_deref(), caller, "requests").await
    }

    /// Counts a call of a tool.
    pub(super) async fn call(
        &self,
        caller: &Caller,
        tool: GatewayTool,
    ) -> Result<(), ProblemResponse> {
        let limiter = if tool.writes() {
            &self.writes
        } else {
            &self.calls
        };
        count(limiter.as_deref(), caller, tool.name()).await
    }
}

async fn count(
    limiter: Option<&dyn RateLimiter>,
    caller: &Caller,
    what: &str,
) -> Result<(), ProblemResponse> {
    let Some(limiter) = limiter else {
        return Ok(());
    };
    let (subject, client) = (caller.subject(), caller.client_id());
    // Lengths first, so that no two different ones are written alike.
    let key = format!("{}:{}:{subject}{client}{what}", subject.len(), client.len());
    limiter.count(&key).await.map_err(|refused| {
        tracing::warn!(
            subject,
            client_id = client,
            limited = what,
            "too many requests"
        );
        problem(what, refused)
    })
}

fn problem(what: &str, refused: TooOften) -> ProblemResponse {
    let seconds = refused.retry_after_seconds();
    ProblemResponse::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too-many-requests",
        "Too many requests",
        format!("This client came too often ({what}); try again in {seconds} seconds."),
    )
    .with_retry_after(seconds)
}
