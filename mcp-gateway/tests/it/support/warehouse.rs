//! A double of sales-warehouse: it checks tokens as the true one does, records what it was asked,
//! and answers as a test wants it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use auth::{Authorized, Verifier, scope::SalesRead};
use axum::{
    Json, Router,
    extract::{FromRef, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use contracts::Problem;
use http::{StatusCode, Uri};
use local_idp::LocalIdp;
use serde_json::{Value, json};
use service_kit::{CancellationToken, Clock, ProblemResponse, listen};
use url::Url;

use super::Trust;

/// A status and a body; `None` for never.
pub type Said = Option<(StatusCode, Value)>;
type Mind = Box<dyn Fn(&Uri, &Value) -> Said + Send + Sync>;

/// The double.
#[derive(Clone)]
pub struct Warehouse {
    pub base: Url,
    inner: Arc<Inner>,
}

struct Inner {
    trust: Trust,
    verifier: Arc<Verifier>,
    mind: Mutex<Mind>,
    asked: Mutex<Vec<(String, Value)>>,
    takes: Mutex<Duration>,
}

impl FromRef<Warehouse> for Arc<Verifier> {
    fn from_ref(warehouse: &Warehouse) -> Self {
        Arc::clone(&warehouse.inner.verifier)
    }
}

impl Warehouse {
    pub async fn start(
        idp: &LocalIdp,
        (trust, http, stop): (Trust, reqwest::Client, CancellationToken),
    ) -> Self {
        let listener = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let config = trust.checks(idp);
        let warehouse = Self {
            base,
            inner: Arc::new(Inner {
                trust,
                verifier: Arc::new(Verifier::new(config, http, Clock::system())),
                mind: Mutex::new(Box::new(|_, _| declined("out_of_scope"))),
                asked: Mutex::default(),
                takes: Mutex::default(),
            }),
        };
        let router = Router::new()
            .route("/v1/questions", post(body))
            .route("/v1/metrics/query", post(body))
            .route("/v1/metrics", get(catalogue))
            .route("/v1/freshness", get(catalogue))
            .with_state(warehouse.clone());
        tokio::spawn(listen::serve(listener, router, stop));
        warehouse
    }

    /// How it answers from now on: by the address and the body.
    pub fn answers(&self, mind: impl Fn(&Uri, &Value) -> Said + Send + Sync + 'static) {
        *self.inner.mind.lock().unwrap() = Box::new(mind);
    }

    /// Each answer takes so long from now on.
    pub fn takes(&self, time: Duration) {
        *self.inner.takes.lock().unwrap() = time;
    }

    /// Paths and bodies of every call so far.
    pub fn asked(&self) -> Vec<(String, Value)> {
        self.inner.asked.lock().unwrap().clone()
    }

    async fn say(&self, uri: &Uri, body: &Value) -> Response {
        let asked = (uri.to_string(), body.clone());
        self.inner.asked.lock().unwrap().push(asked);
        let takes = *self.inner.takes.lock().unwrap();
        tokio::time::sleep(takes).await;
        let said = (self.inner.mind.lock().unwrap())(uri, body);
        match said {
            Some((status, body)) if status.is_success() => Json(body).into_response(),
            Some((StatusCode::SERVICE_UNAVAILABLE, _)) => {
                ProblemResponse::unavailable("The database", &"a secret cause").into_response()
            }
            Some((status, body)) => {
                let detail = body.as_str().unwrap_or_default();
                let problem =
                    Problem::new(status.as_u16(), "invalid-query", "Invalid query", detail);
                ProblemResponse::from(problem).into_response()
            }
            None => std::future::pending().await,
        }
    }
}

async fn body(
    State(warehouse): State<Warehouse>,
    caller: Authorized<SalesRead>,
    uri: Uri,
    Json(body): Json<Value>,
) -> Response {
    warehouse.inner.trust.hear("warehouse", &caller);
    warehouse.say(&uri, &body).await
}

async fn catalogue(
    State(warehouse): State<Warehouse>,
    caller: Authorized<SalesRead>,
    uri: Uri,
) -> Response {
    warehouse.inner.trust.hear("warehouse", &caller);
    warehouse.say(&uri, &Value::Null).await
}

fn said(kind: &str, sentence: &str) -> Value {
    json!({
        "kind": kind, "reason": null,
        "evidence": {"explained": 1.0, "metric": true, "dimension": true},
        "language": "en", "query": null, "columns": [], "rows": [], "sentence": sentence, "sql": null,
        "choices": [], "interpretation": null, "notes": [], "truncated": false, "freshness": [],
        "chart": null,
    })
}

/// Rows with these columns, to a query that groups by the columns that are no metric.
pub fn answered(columns: &[&str], rows: Value) -> Said {
    let mut answer = said("answer", "The sentence.");
    answer["columns"] = columns
        .iter()
        .map(|name| json!({"name": name, "label": name, "unit": null, "type": "text"}))
        .collect();
    answer["rows"] = rows;
    let metric = |name: &&&str| ["roas", "revenue", "spend", "clicks"].contains(*name);
    let names = |metrics: bool| {
        columns
            .iter()
            .filter(|name| metric(name) == metrics)
            .collect::<Vec<_>>()
    };
    answer["query"] = json!({"metrics": names(true), "dimensions": names(false)});
    answer["sql"] = json!("SELECT 1");
    answer["interpretation"] = json!({"text": "As understood", "time": "", "filters": [],
        "definitions": [{"metric": "roas", "label": "ROAS", "unit": "ratio", "description": "Revenue by spend."}]});
    answer["freshness"] = json!([{"source": "promptads", "as_of": "2026-11-22T12:00:00Z", "age_seconds": 9, "stale": false}]);
    Some((StatusCode::OK, answer))
}

/// A question back, with choices by label and metric.
pub fn asked_back(reason: &str, choices: &[(&str, &str)]) -> Said {
    let mut answer = said("clarify", "Which measure?");
    answer["reason"] = reason.into();
    answer["evidence"] = json!({"explained": 1.0, "metric": false, "dimension": true});
    answer["choices"] = choices
        .iter()
        .map(|(label, metric)| json!({"label": label, "query": {"metrics": [metric]}}))
        .collect();
    Some((StatusCode::OK, answer))
}

/// A refusal.
pub fn declined(reason: &str) -> Said {
    let mut answer = said("decline", "That is not in the warehouse.");
    answer["reason"] = reason.into();
    answer["evidence"] = json!({"explained": 0.2, "metric": false, "dimension": false});
    Some((StatusCode::OK, answer))
}

/// 503.
pub fn unavailable() -> Said {
    Some((StatusCode::SERVICE_UNAVAILABLE, Value::Null))
}
