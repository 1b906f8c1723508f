//! Lines for HTTP requests.

use std::time::Instant;

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use http::{HeaderMap, Method, StatusCode};
use service_kit::{http::REQUEST_ID, problem};

use crate::{Audit, Event, Outcome, Trail};

/// Which requests get a line besides those that are refused or fail, and those of whose answer the
/// handler noted something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// Those that may change something: every method but GET, HEAD and OPTIONS.
    Writes,
    /// No others.
    NotedOnly,
}

/// Gives each request a [`Trail`], and a line to those that [`Recording`] and their answers call for.
/// Put it around `service_kit::http::standard_layers`, whose refusals are then told too.
pub fn record_requests(router: Router, audit: &Audit, recording: Recording) -> Router {
    let audit = audit.clone();
    router.layer(middleware::from_fn(move |request, next| {
        record(audit.clone(), recording, request, next)
    }))
}

async fn record(audit: Audit, recording: Recording, mut request: Request, next: Next) -> Response {
    let trail = Trail::default();
    request.extensions_mut().insert(trail.clone());
    let writes = recording == Recording::Writes
        && !matches!(
            *request.method(),
            Method::GET | Method::HEAD | Method::OPTIONS
        );
    let mut pending = Pending {
        audit,
        trail,
        // The query stays out, as in the log.
        action: format!("{} {}", request.method(), request.uri().path()),
        request_id: request_id(request.headers()),
        began: Instant::now(),
        writes,
        done: false,
    };
    let response = next.run(request).await;
    // The one that it was given, where it came without.
    pending.request_id = request_id(response.headers()).or(pending.request_id.take());
    pending.end(
        response.status(),
        problem::slug_of(&response).map(str::to_owned),
    );
    response
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?;
    id.to_str().ok().map(str::to_owned)
}

/// A request that is being worked on. One that is given up, at its deadline or by a caller who hangs
/// up, or that panics, has a line too.
struct Pending {
    audit: Audit,
    trail: Trail,
    action: String,
    request_id: Option<String>,
    began: Instant,
    writes: bool,
    done: bool,
}

impl Pending {
    fn end(&mut self, status: StatusCode, slug: Option<String>) {
        self.done = true;
        let outcome = if status.is_server_error() {
            Outcome::Failed
        } else if status.is_client_error() {
            Outcome::Refused
        } else {
            Outcome::Allowed
        };
        let (event, noted) = self.trail.taken();
        // A path that is not there is nobody's request: whoever tries them all must not fill the disk.
        let unknown = matches!(
            status,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
        ) && event.subject.is_none();
        if unknown || !(noted || self.writes || outcome != Outcome::Allowed) {
            return;
        }
        self.write(Event {
            outcome: event.outcome.or(Some(outcome)),
            status: Some(status.as_u16()),
            reason: event.reason.clone().or(slug),
            ..event
        });
    }

    fn write(&self, event: Event) {
        let took = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.audit.record(Event {
            action: self.action.clone(),
            request_id: self.request_id.clone(),
            took_ms: Some(took),
            ..event
        });
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let (event, _) = self.trail.taken();
        self.write(Event {
            outcome: Some(Outcome::Failed),
            reason: Some("given up".to_owned()),
            ..event
        });
    }
}
