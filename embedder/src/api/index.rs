//! `GET /v1/index/status`, `/v1/index/generation` and `/v1/index/documents`, and
//! `POST /v1/index/reconcile`.

use auth::{
    Authorized,
    scope::{ContentRead, IndexWrite},
};
use axum::extract::{Query, State, rejection::QueryRejection};
use contracts::{
    ImageId,
    index::{HeldDocumentsAnswer, IndexGenerationAnswer, IndexStatusAnswer, ReconcileAnswer},
    limits::{DEFAULT_HELD_DOCUMENTS, MAX_HELD_DOCUMENTS},
};
use serde::Deserialize;
use service_kit::{Json, ProblemResult};

use super::{
    AppState,
    error::{from_index, invalid},
};

/// Which page of the documents held.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldQuery {
    /// Only ids after this one.
    after: Option<ImageId>,
    /// Documents on the page.
    limit: Option<u32>,
}

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

/// The generation and the model, without a look into the indexes: cheap enough for every tick.
pub async fn generation(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
) -> Json<IndexGenerationAnswer> {
    Json(IndexGenerationAnswer {
        model: state.embedder.model().clone(),
        generation: state.shared.generation(),
    })
}

/// What the indexes hold together, page by page.
pub async fn documents(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
    query: Result<Query<HeldQuery>, QueryRejection>,
) -> ProblemResult<Json<HeldDocumentsAnswer>> {
    let Query(HeldQuery { after, limit }) = query.map_err(|rejection| {
        let detail = format!(
            "{}. Expected 'after', an id, and 'limit', or neither.",
            rejection.body_text()
        );
        invalid("invalid-query", "Invalid query", detail)
    })?;
    let limit = limit.unwrap_or(DEFAULT_HELD_DOCUMENTS);
    if !(1..=MAX_HELD_DOCUMENTS).contains(&limit) {
        let detail = format!("Limit {limit} is not in 1 to {MAX_HELD_DOCUMENTS}.");
        return Err(invalid("invalid-limit", "Invalid limit", detail));
    }
    let documents = state.indexer.held(after.as_ref(), limit as usize).await;
    Ok(Json(HeldDocumentsAnswer { documents }))
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
