//! A double of the embedder: a vector of no model that the router was fitted with.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use auth::{Authorized, Verifier, scope::ContentRead};
use axum::{
    Json, Router,
    extract::{FromRef, State},
    response::{IntoResponse, Response},
    routing::post,
};
use local_idp::LocalIdp;
use serde_json::{Value, json};
use service_kit::{CancellationToken, Clock, ProblemResponse, listen};
use url::Url;

use super::Trust;

/// The double.
#[derive(Clone)]
pub struct Embedder {
    pub base: Url,
    verifier: Arc<Verifier>,
    away: Arc<AtomicBool>,
    trust: Trust,
}

impl FromRef<Embedder> for Arc<Verifier> {
    fn from_ref(embedder: &Embedder) -> Self {
        Arc::clone(&embedder.verifier)
    }
}

impl Embedder {
    pub async fn start(
        idp: &LocalIdp,
        (trust, http, stop): (Trust, reqwest::Client, CancellationToken),
    ) -> Self {
        let listener = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let config = trust.checks(idp);
        let embedder = Self {
            base: format!("http://{}", listener.local_addr().unwrap())
                .parse()
                .unwrap(),
            verifier: Arc::new(Verifier::new(config, http, Clock::system())),
            away: Arc::default(),
            trust,
        };
        let router = Router::new()
            .route("/v1/embeddings", post(embed))
            .with_state(embedder.clone());
        tokio::spawn(listen::serve(listener, router, stop));
        embedder
    }

    /// It answers 503 from now on.
    pub fn go_away(&self) {
        self.away.store(true, Ordering::SeqCst);
    }
}

async fn embed(
    State(embedder): State<Embedder>,
    caller: Authorized<ContentRead>,
    Json(request): Json<Value>,
) -> Response {
    embedder.trust.hear("embedder", &caller);
    assert!(request["input"].is_string(), "{request}");
    if embedder.away.load(Ordering::SeqCst) {
        return ProblemResponse::unavailable("The model", &"a secret cause").into_response();
    }
    Json(json!({
        "object": "list",
        "model": "test-model",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.6, 0.8]}],
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }))
    .into_response()
}
