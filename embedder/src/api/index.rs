//! `GET /v1/index/status` and `POST /v1/index/reconcile`.

use auth::{
    Authorized,
    scope::{ContentRead, IndexWrite},
};
use axum::extract::State;
use contracts::index::{IndexStatusAnswer, ReconcileAnswer};
use service_kit::{Json, ProblemResult};

use super::{AppState, error::from_index};

/// How every engine stands.
pub async fn status(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
) -> Json<IndexStatusAnswer> {
    Json(IndexStatusAnswer {
        model: state.embedder.model().clone(),
        dimensions: state.embedder.dimensions() as u32,
        generation: state.shared.generation(),
        indexes: state.indexer.status().await,
    })
}

/// Repairs whichever index lags from the other.
pub async fn reconcile(
    _caller: Authorized<IndexWrite>,
    State(state): State<AppState>,
) -> ProblemResult<Json<ReconcileAnswer>> {
    state
        .indexer
        .reconcile()
        .await
        .map(Json)
        .map_err(|error| from_index(&error))
}
