//! What `/readyz` finds missing.

use service_kit::health::Lacking;

use crate::{api::AppState, publisher::Publisher, store::ContentStore};

/// What the service lacks.
pub async fn lacking(state: &AppState) -> Lacking {
    Lacking {
        missing: missing(state.store.as_ref(), &state.publisher).await,
        degraded: state.verifier.degraded().await,
    }
}

/// The parts without which the service cannot do its job.
///
/// Unpublished documents count only until everything that can be published was, once: later ones are the normal
/// course of things, and no reason to send callers elsewhere.
async fn missing(store: &(impl ContentStore + ?Sized), publisher: &Publisher) -> Vec<String> {
    let mut missing = Vec::new();
    let unpublished = store.unpublished().await;
    if unpublished.is_err() {
        missing.push("store".to_owned());
    }
    let progress = publisher.progress();
    if !progress.embedder_reached {
        missing.push("embedder".to_owned());
    }
    if !progress.complete {
        missing.push("unpublished documents".to_owned());
    }
    missing
}
