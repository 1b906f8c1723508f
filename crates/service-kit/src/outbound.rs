//! Calls of other services.

use std::time::Instant;

use reqwest::{RequestBuilder, Response};
use tracing::Instrument as _;

use crate::{metrics::HttpMetrics, trace};

/// A service that is called over HTTP: what every call of it has, whoever makes it.
#[derive(Clone, Debug)]
pub struct Peer {
    name: &'static str,
    metrics: HttpMetrics,
}

impl Peer {
    /// `name` is what it is called in metrics and traces, such as `content-api`. `metrics` are the caller's.
    pub fn new(name: &'static str, metrics: HttpMetrics) -> Self {
        Self { name, metrics }
    }

    /// Sends a request as part of the caller's trace, and measures how long its answer takes to begin.
    ///
    /// # Errors
    /// As [`RequestBuilder::send`]: no connection, or no answer in time. Any status is an answer.
    pub async fn send(&self, request: RequestBuilder) -> reqwest::Result<Response> {
        let (client, request) = request.build_split();
        let mut request = request?;
        let span = trace::call_span(self.name, &mut request);
        let began = Instant::now();
        let answer = client.execute(request).instrument(span.clone()).await;
        trace::called(&span, &answer);
        let status = match &answer {
            Ok(response) => Ok(response.status()),
            Err(error) => Err(error.is_timeout()),
        };
        self.metrics.sent(self.name, status, began.elapsed());
        answer
    }
}
