//! The HTTP interface. Every route needs a token: reading `content:read`, writing `index:write`.

mod bounds;
pub mod documents;
pub mod embeddings;
mod error;
pub mod index;
pub mod search;

use std::sync::Arc;

use auth::Verifier;
use axum::{
    Router,
    extract::FromRef,
    routing::{get, post, put},
};

use crate::{indexing::Indexer, model::Embedder, search::Searcher, state::Shared};

/// What handlers work with.
#[derive(Clone)]
pub struct AppState {
    /// For `/v1/embeddings`.
    pub embedder: Arc<dyn Embedder>,
    /// For writes.
    pub indexer: Arc<Indexer>,
    /// For searches.
    pub searcher: Arc<Searcher>,
    /// The generation.
    pub shared: Arc<Shared>,
    /// Checks tokens.
    pub verifier: Arc<Verifier>,
}

impl FromRef<AppState> for Arc<Verifier> {
    fn from_ref(state: &AppState) -> Self {
        Arc::clone(&state.verifier)
    }
}

/// All routes, health included.
pub fn router(state: AppState) -> Router {
    let indexer = Arc::clone(&state.indexer);
    let health = service_kit::health::router("embedder", env!("CARGO_PKG_VERSION"), move || {
        let indexer = Arc::clone(&indexer);
        async move { missing(&indexer).await }
    });
    Router::new()
        .route("/v1/embeddings", post(embeddings::create))
        .route(
            "/v1/documents",
            put(documents::put).delete(documents::delete),
        )
        .route("/v1/search", post(search::search))
        .route("/v1/index/status", get(index::status))
        .route("/v1/index/generation", get(index::generation))
        .route("/v1/index/documents", get(index::documents))
        .route("/v1/index/reconcile", post(index::reconcile))
        .with_state(state)
        .merge(health)
}

/// One index that answers is enough to serve. Nothing is read: anybody may ask.
async fn missing(indexer: &Indexer) -> Vec<String> {
    let mut missing = Vec::new();
    for index in indexer.indexes() {
        match index.entries(Vec::new()).await {
            Ok(_) => return Vec::new(),
            Err(_) => missing.push(format!("index {}", index.engine())),
        }
    }
    missing
}
