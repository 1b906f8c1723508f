//! How often one client may come, and call one tool.

use std::num::NonZeroU32;

use auth::Caller;
use http::StatusCode;
use service_kit::{
    ProblemResponse,
    rate_limit::{RateLimiter, TooOften},
};

use crate::tools::GatewayTool;

/// Bounds for each client: a subject with the program that it uses. `None` is no bound. Each is how
/// many may come at once, and how many a minute from then on; each process counts for itself.
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
    requests: Option<RateLimiter>,
    calls: Option<RateLimiter>,
    writes: Option<RateLimiter>,
}

impl Limiters {
    pub(super) fn new(limits: Limits) -> Self {
        let of = |limit: Option<NonZeroU32>| limit.map(RateLimiter::per_minute);
        Self {
            requests: of(limits.requests_per_minute),
            calls: of(limits.calls_per_minute),
            writes: of(limits.writes_per_minute),
        }
    }

    /// Counts a request.
    pub(super) fn request(&self, caller: &Caller) -> Result<(), ProblemResponse> {
        count(self.requests.as_ref(), caller, "requests")
    }

    /// Counts a call of a tool.
    pub(super) fn call(&self, caller: &Caller, tool: GatewayTool) -> Result<(), ProblemResponse> {
        let limiter = if tool.writes() {
            &self.writes
        } else {
            &self.calls
        };
        count(limiter.as_ref(), caller, tool.name())
    }
}

fn count(
    limiter: Option<&RateLimiter>,
    caller: &Caller,
    what: &str,
) -> Result<(), ProblemResponse> {
    let Some(limiter) = limiter else {
        return Ok(());
    };
    let (subject, client) = (caller.subject(), caller.client_id());
    // Lengths first, so that no two different ones are written alike.
    let key = format!("{}:{}:{subject}{client}{what}", subject.len(), client.len());
    limiter.count(&key).map_err(|refused| {
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
