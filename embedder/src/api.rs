//! The HTTP interface. Every route needs a token: reading `content:read`, writing `index:write`.

mod bounds;
pub mod documents;
pub mod embeddings;
mod error;
pub mod index;
pub mod search;

use std::{sync::Arc, time::Duration};

use auth::Verifier;
use axum::{
    Router,
    extract::FromRef,
    routing::{get, post, put},
};
use futures::future::join_all;
use service_kit::health::Lacking;

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
    let of = state.clone();
    let health = service_kit::health::router("embedder", env!("CARGO_PKG_VERSION"), move || {
        let state = of.clone();
        async move {
            let indexes = lacking(&state.indexer);
            let (mut lacking, keys) = futures::join!(indexes, state.verifier.degraded());
            lacking.degraded.extend(keys);
            lacking
        }
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

/// Longest that an index may take to say that it is there; whoever asks gives up after a second.
const PROBE: Duration = Duration::from_millis(600);

/// One index that answers is enough to serve; the others are named. Nothing is read: anybody may ask.
async fn lacking(indexer: &Indexer) -> Lacking {
    let probes = indexer.indexes().iter().map(async |index| {
        let probe = tokio::time::timeout(PROBE, index.entries(Vec::new())).await;
        (!matches!(probe, Ok(Ok(_)))).then(|| format!("index {}", index.engine()))
    });
    let away: Vec<String> = join_all(probes).await.into_iter().flatten().collect();
    if away.len() == indexer.indexes().len() {
        Lacking::from(away)
    } else {
        Lacking {
            degraded: away,
            ..Lacking::default()
        }
    }
}
