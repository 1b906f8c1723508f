//! Lines for HTTP requests.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use http::{HeaderMap, Method, StatusCode};
use service_kit::{http::REQUEST_ID, problem};

use crate::{Audit, Event, Outcome, Trail};

/// Lines a minute about requests whose caller is not known: whoever has no token must not fill the disk.
const STRANGERS_A_MINUTE: u32 = 600;
const MINUTE: Duration = Duration::from_secs(60);

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
    let recorder = Recorder {
        audit: audit.clone(),
        recording,
        strangers: Arc::default(),
    };
    router.layer(middleware::from_fn(move |request, next| {
        record(recorder.clone(), request, next)
    }))
}

#[derive(Clone)]
struct Recorder {
    audit: Audit,
    recording: Recording,
    strangers: Arc<Mutex<Strangers>>,
}

/// Refusals of callers that are not known, in the minute that began then.
#[derive(Default)]
struct Strangers {
    began: Option<Instant>,
    told: u32,
    left_out: u64,
}

impl Strangers {
    /// Whether one more gets a line, and how many of the minute before got none.
    fn one_more(&mut self, now: Instant) -> (bool, u64) {
        let mut left_out = 0;
        if self.began.is_none_or(|began| now - began >= MINUTE) {
            left_out = self.left_out;
            *self = Self {
                began: Some(now),
                ..Self::default()
            };
        }
        if self.told < STRANGERS_A_MINUTE {
            self.told += 1;
            return (true, left_out);
        }
        self.left_out += 1;
        (false, left_out)
    }
}

async fn record(recorder: Recorder, mut request: Request, next: Next) -> Response {
    let trail = Trail::default();
    request.extensions_mut().insert(trail.clone());
    let writes = recorder.recording == Recording::Writes
        && !matches!(
            *request.method(),
            Method::GET | Method::HEAD | Method::OPTIONS
        );
    let mut pending = Pending {
        recorder,
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
    recorder: Recorder,
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
        if event.subject.is_none() && outcome != Outcome::Allowed && !self.is_told() {
            return;
        }
        self.write(Event {
            outcome: event.outcome.or(Some(outcome)),
            status: Some(status.as_u16()),
            reason: event.reason.clone().or(slug),
            ..event
        });
    }

    fn is_told(&self) -> bool {
        let (told, left_out) = {
            let strangers = self.recorder.strangers.lock();
            let mut strangers = strangers.unwrap_or_else(PoisonError::into_inner);
            strangers.one_more(Instant::now())
        };
        if left_out > 0 {
            let mut event = Event::new("refuse callers that are not known");
            event.outcome = Some(Outcome::Refused);
            event.results = Some(left_out);
            self.recorder.audit.record(event);
        }
        told
    }

    fn write(&self, event: Event) {
        let took = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.recorder.audit.record(Event {
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
        if event.subject.is_none() && !self.is_told() {
            return;
        }
        self.write(Event {
            outcome: Some(Outcome::Failed),
            reason: Some("given up".to_owned()),
            ..event
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_get_so_many_lines_a_minute_and_one_for_the_others() {
        let (mut strangers, began) = (Strangers::default(), Instant::now());
        for _ in 0..STRANGERS_A_MINUTE {
            assert_eq!(strangers.one_more(began), (true, 0));
        }
        for _ in 0..3 {
            let last = began + MINUTE - Duration::from_millis(1);
            assert_eq!(strangers.one_more(last), (false, 0));
        }
        assert_eq!(strangers.one_more(began + MINUTE), (true, 3));
        assert_eq!(strangers.one_more(began + MINUTE), (true, 0));
    }
}
