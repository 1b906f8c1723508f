//! The double's campaigns: as content-api keeps them, and as a test wants them.

use std::sync::{Arc, Mutex};

use auth::{
    Authorized,
    scope::{CampaignsWrite, ContentRead},
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use contracts::Problem;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use service_kit::ProblemResponse;

use super::content_api::ContentApi;

/// What is registered, and what was asked.
#[derive(Clone, Default)]
pub struct Campaigns(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// Key and body.
    registered: Vec<(String, Value)>,
    checked: Vec<Value>,
    log: Vec<Value>,
    fault: Option<Problem>,
}

#[derive(Deserialize)]
struct Dry {
    #[serde(default)]
    dry_run: bool,
}

#[derive(Deserialize)]
struct Page {
    cursor: Option<String>,
    limit: usize,
}

impl Campaigns {
    pub fn router() -> Router<ContentApi> {
        Router::new()
            .route("/v1/campaigns", post(register))
            .route("/v1/campaigns/{id}/log", get(log))
    }

    /// Keys and bodies of what was written, each once.
    pub fn registered(&self) -> Vec<(String, Value)> {
        self.0.lock().unwrap().registered.clone()
    }

    /// Bodies of the dry runs.
    pub fn checked(&self) -> Vec<Value> {
        self.0.lock().unwrap().checked.clone()
    }

    /// Every write and dry run is refused with this.
    pub fn refuse(&self, fault: Option<Problem>) {
        self.0.lock().unwrap().fault = fault;
    }

    /// What happened to the campaign `summer`.
    pub fn log(&self, entries: Vec<Value>) {
        self.0.lock().unwrap().log = entries;
    }
}

async fn register(
    State(api): State<ContentApi>,
    caller: Authorized<CampaignsWrite>,
    Query(query): Query<Dry>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    api.trust.hear("campaigns", &caller);
    let mut kept = api.campaigns.0.lock().unwrap();
    if let Some(fault) = &kept.fault {
        return ProblemResponse::from(fault.clone()).into_response();
    }
    if query.dry_run {
        kept.checked.push(body);
        return StatusCode::NO_CONTENT.into_response();
    }
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    if !kept.registered.iter().any(|(known, _)| *known == key) {
        kept.registered.push((key, body.clone()));
    }
    let mut campaign = body;
    for (name, value) in [
        ("id", json!("summer")),
        ("revision", json!(1)),
        ("created_at", json!("2026-11-23T10:00:00Z")),
        ("updated_at", json!("2026-11-23T10:00:00Z")),
    ] {
        campaign[name] = value;
    }
    (StatusCode::CREATED, Json(campaign)).into_response()
}

async fn log(
    State(api): State<ContentApi>,
    _caller: Authorized<ContentRead>,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Response {
    if id != "summer" {
        let problem = Problem::new(404, "no-such-campaign", "No such campaign", "None.");
        return ProblemResponse::from(problem).into_response();
    }
    let kept = api.campaigns.0.lock().unwrap();
    let begin = page.cursor.map_or(0, |cursor| cursor[2..].parse().unwrap());
    let entries: Vec<_> = kept.log.iter().skip(begin).take(page.limit).collect();
    let end = begin + entries.len();
    let next = (end < kept.log.len()).then(|| format!("p.{end}"));
    Json(json!({"entries": entries, "next": next})).into_response()
}
