//! Traces from service to service: W3C Trace Context comes in with each request and goes out with each call.
//!
//! A span is part of a trace if it has the field `otel.kind`. Log lines below it carry its ids.

use std::future::Future;

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use opentelemetry::{
    Context, KeyValue,
    propagation::TextMapPropagator as _,
    trace::{FutureExt as _, Status, TraceContextExt as _},
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::http::request_id;

/// A place in a trace, to go on from where a task of its own begins.
#[derive(Clone, Debug, Default)]
pub struct TraceContext(Context);

impl TraceContext {
    /// Where the caller is.
    pub fn current() -> Self {
        Self(Context::current())
    }

    /// Where the request is that this extension came with; outside any trace if it came with none.
    pub fn of(extensions: &http::Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Spans in this work become children of this place.
    pub async fn around<F: Future>(&self, work: F) -> F::Output {
        work.with_context(self.0.clone()).await
    }

    /// 32 hexadecimal digits; `None` outside any trace.
    pub fn trace_id(&self) -> Option<String> {
        let span = self.0.span();
        let context = span.span_context();
        context.is_valid().then(|| context.trace_id().to_string())
    }
}

/// Asked every few seconds by machines: as traces they would be most of what there is.
const NOT_TRACED: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// A request's span, the child of its caller's.
pub(crate) fn request_span(request: &Request) -> Span {
    if NOT_TRACED.contains(&request.uri().path()) {
        return tracing::info_span!(
            "request",
            method = %request.method(),
            path = request.uri().path(),
            request_id = request_id(request),
        );
    }
    // The query string stays out: descriptions and tokens have been known to travel there.
    let span = tracing::info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        request_id = request_id(request),
        subject = field::Empty,
        via = field::Empty,
        otel.kind = "server",
    );
    let caller = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
    // Without a subscriber there is nothing to be a child.
    drop(span.set_parent(caller));
    let own = span.context();
    let route = request.extensions().get::<MatchedPath>();
    match route.map(MatchedPath::as_str) {
        Some(route) => {
            own.span()
                .update_name(format!("{} {route}", request.method()));
            let route = KeyValue::new("http.route", route.to_owned());
            own.span().set_attribute(route);
        }
        // A name is one of few, and a path that no route takes is anything.
        None => own.span().update_name("no such route"),
    }
    span
}

/// Middleware: lets handlers find the place in the trace, and notes how the request ended.
pub(crate) async fn note(mut request: Request, next: Next) -> Response {
    let place = TraceContext::current();
    request.extensions_mut().insert(place.clone());
    let response = next.run(request).await;
    ended(&place.0, response.status());
    response
}

/// A call's span, and the headers that make what it calls a child of it.
pub(crate) fn call_span(peer: &'static str, request: &mut reqwest::Request) -> Span {
    let span = tracing::info_span!(
        "call",
        peer,
        otel.kind = "client",
        otel.name = format!("{} {peer}", request.method()),
    );
    let place = span.context();
    TraceContextPropagator::new()
        .inject_context(&place, &mut HeaderInjector(request.headers_mut()));
    span
}

/// Notes on a call's span what came of it.
pub(crate) fn called(span: &Span, answer: &reqwest::Result<reqwest::Response>) {
    match answer {
        Ok(response) => ended(&span.context(), response.status()),
        Err(_) => span.set_status(Status::error("no answer")),
    }
}

fn ended(place: &Context, status: http::StatusCode) {
    let span = place.span();
    let code = i64::from(status.as_u16());
    span.set_attribute(KeyValue::new("http.response.status_code", code));
    if status.is_server_error() {
        span.set_status(Status::error(status.as_str().to_owned()));
    }
}
