//! What happened.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::Serialize;
use serde_json::Value;

/// Longest text of an event, in characters; longer ones are cut, and end with an ellipsis.
const MAX_TEXT: usize = 2_000;
/// Most ids that an event is about.
const MAX_ABOUT: usize = 20;
/// Largest plan, as JSON in bytes; of a larger one only its size is kept.
const MAX_PLAN: usize = 8 * 1024;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Allowed,
    /// It was not to be done: not by them, not so often, not like that.
    Refused,
    /// It could not be done.
    Failed,
}

/// One thing that somebody asked for. Absent fields are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Event {
    /// What was asked for: method and path, or a tool's name.
    pub action: String,
    /// How it ended; allowed where nobody says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// HTTP's status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why not: a problem's slug, or a few words of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// With which program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Through which gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Ties lines of several services together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// In their words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Where the question went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What was made of it, and ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Value>,
    /// What it is about: ids, such as a campaign's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
    /// How many rows or results the answer has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<u64>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
}

impl Event {
    /// Something that was asked for.
    pub fn new(action: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            ..Self::default()
        }
    }

    /// Within bounds: a line is read and kept whole.
    pub(crate) fn bounded(mut self) -> Self {
        let texts = [
            &mut self.reason,
            &mut self.subject,
            &mut self.client_id,
            &mut self.via,
            &mut self.request_id,
            &mut self.question,
            &mut self.route,
        ];
        for text in texts.into_iter().flatten() {
            shorten(text);
        }
        shorten(&mut self.action);
        self.about.truncate(MAX_ABOUT);
        self.about.iter_mut().for_each(shorten);
        if let Some(plan) = &self.plan {
            let bytes = plan.to_string().len();
            if bytes > MAX_PLAN {
                self.plan = Some(serde_json::json!({"omitted_bytes": bytes}));
            }
        }
        self
    }
}

fn shorten(text: &mut String) {
    if let Some((cut, _)) = text.char_indices().nth(MAX_TEXT) {
        text.truncate(cut);
        text.push('…');
    }
}

/// What becomes known of a request while it is worked on. Clones share it.
///
/// As an extractor it is the request's own; where nobody records, notes on it go nowhere.
#[derive(Clone, Debug, Default)]
pub struct Trail(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    event: Event,
    /// A handler had something to say.
    by_handler: bool,
}

impl Trail {
    /// Notes something: the question, the plan, the results.
    pub fn note(&self, change: impl FnOnce(&mut Event)) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.by_handler = true;
        change(&mut noted.event);
    }

    /// Notes who asks, which alone is no reason for a line.
    pub fn asked_by(&self, subject: &str, client_id: &str, via: Option<&str>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.event.subject = Some(subject.to_owned());
        noted.event.client_id = Some(client_id.to_owned());
        noted.event.via = via.map(str::to_owned);
    }

    /// Everything so far, and whether a handler noted any of it.
    pub fn taken(&self) -> (Event, bool) {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (noted.event.clone(), noted.by_handler)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Trail {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}
