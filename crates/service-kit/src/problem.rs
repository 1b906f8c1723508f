//! Problems as responses.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use contracts::{Problem, problem::PROBLEM_JSON};
use http::{HeaderValue, StatusCode, header};

/// A [`Problem`] on its way out. Handlers return `Result<T, E>` where `E: Into<ProblemResponse>`.
#[derive(Debug, Clone)]
pub struct ProblemResponse {
    problem: Box<Problem>,
    challenge: Option<HeaderValue>,
    retry_after_seconds: Option<u32>,
}

/// What most handlers return.
pub type ProblemResult<T> = Result<T, ProblemResponse>;

impl ProblemResponse {
    /// See [`Problem::new`].
    pub fn new(status: StatusCode, slug: &str, title: &str, detail: impl Into<String>) -> Self {
        Problem::new(status.as_u16(), slug, title, detail).into()
    }

    /// Adds a `WWW-Authenticate` challenge (RFC 6750 section 3).
    #[must_use]
    pub fn with_challenge(mut self, challenge: HeaderValue) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// Adds `Retry-After`, in seconds.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The body.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// A fault of ours: the cause goes to the log, never to the caller.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %cause, "request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Internal error",
            "The service failed to answer. The cause is in its log, under this request_id.",
        )
    }

    /// Something that we depend on does not answer.
    pub fn unavailable(what: &str, cause: &dyn std::fmt::Display) -> Self {
        tracing::warn!(error = %cause, dependency = what, "dependency unavailable");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Service unavailable",
            format!("{what} does not answer just now; try again in a few seconds."),
        )
        .with_retry_after(2)
    }
}

impl From<Problem> for ProblemResponse {
    fn from(problem: Problem) -> Self {
        Self {
            problem: Box::new(problem),
            challenge: None,
            retry_after_seconds: None,
        }
    }
}

/// A response's problem, for the layer that knows the request's id.
#[derive(Clone)]
struct Described(Box<Problem>);

/// The slug of the problem that a response holds, if it holds one.
pub fn slug_of(response: &Response) -> Option<&str> {
    let described: Option<&Described> = response.extensions().get();
    described.map(|Described(problem)| problem.slug())
}

/// Writes the request's id into the problem that a response holds, if it holds one.
pub(crate) fn name_request(mut response: Response, request_id: &str) -> Response {
    if let Some(Described(mut problem)) = response.extensions_mut().remove() {
        problem.request_id = Some(request_id.to_owned());
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = body(&problem);
        response.extensions_mut().insert(Described(problem));
    }
    response
}

fn body(problem: &Problem) -> Body {
    serde_json::to_vec(problem).unwrap_or_default().into()
}

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body(&self.problem)).into_response();
        response.extensions_mut().insert(Described(self.problem));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
