//! The layers that every router wears.

use std::{any::Any, time::Duration};

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
    trace::TraceLayer,
};

use crate::{
    leftover::read_leftover,
    metrics::HttpMetrics,
    problem::{ProblemResponse, name_request},
    trace,
};

/// Ties a request to its log lines; taken from the caller or made here.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bounds for one router.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Longest that a handler may take.
    pub deadline: Duration,
}

/// Adds request ids, tracing, metrics, a body limit, a deadline, and answers instead of dropped
/// connections when a handler panics, a route does not exist or a request is refused before its body is
/// read.
pub fn standard_layers(router: Router, bounds: Bounds, metrics: &HttpMetrics) -> Router {
    let metrics = metrics.clone();
    let measured = middleware::from_fn(move |request: Request, next: Next| {
        metrics.clone().measure(request, next)
    });
    let deadline = middleware::from_fn(move |request: Request, next: Next| {
        within(bounds.deadline, request, next)
    });
    let leftover = middleware::from_fn(move |request: Request, next: Next| {
        read_leftover(bounds.max_body_bytes, request, next)
    });
    let named = middleware::from_fn(|request: Request, next: Next| async move {
        let id = request_id(&request).to_owned();
        let response = next.run(request).await;
        if id.is_empty() {
            return response;
        }
        name_request(response, &id)
    });
    router
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(
            ServiceBuilder::new()
                .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
                .layer(TraceLayer::new_for_http().make_span_with(trace::request_span))
                .layer(measured)
                .layer(middleware::from_fn(trace::note))
                .layer(PropagateRequestIdLayer::new(REQUEST_ID))
                .layer(SetResponseHeaderLayer::if_not_present(
                    header::X_CONTENT_TYPE_OPTIONS,
                    HeaderValue::from_static("nosniff"),
                ))
                .layer(named)
                .layer(CatchPanicLayer::custom(panicked))
                .layer(DefaultBodyLimit::max(bounds.max_body_bytes))
                .layer(Extension(bounds))
                .layer(leftover)
                .layer(deadline),
        )
}

/// Middleware: a deadline of their own for routes that need less time than the longest one. Use with
/// `axum::middleware::from_fn`.
pub async fn within(deadline: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(deadline, next.run(request)).await {
        Ok(response) => response,
        Err(_) => timed_out(deadline),
    }
}

pub(crate) fn request_id(request: &Request) -> &str {
    let id = request.extensions().get::<RequestId>();
    id.and_then(|id| id.header_value().to_str().ok())
        .unwrap_or_default()
}

async fn no_such_route(request: Request) -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::NOT_FOUND,
        "no-such-route",
        "No such route",
        format!("There is nothing at {}.", request.uri().path()),
    )
}

async fn wrong_method(request: Request) -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "Method not allowed",
        format!(
            "{} does not take {}.",
            request.uri().path(),
            request.method()
        ),
    )
}

fn timed_out(deadline: Duration) -> Response {
    ProblemResponse::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "deadline-exceeded",
        "Deadline exceeded",
        format!(
            "The answer took longer than {} seconds and was given up.",
            deadline.as_secs()
        ),
    )
    .with_retry_after(2)
    .into_response()
}

fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    let cause = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    ProblemResponse::internal(&cause).into_response()
}
