//! What `/readyz` finds missing.

use crate::{publisher::Publisher, store::ContentStore};

/// The parts without which the service cannot do its job.
///
/// Unpublished documents count only until everything that can be published was, once: later ones are the normal
/// course of things, and no reason to send callers elsewhere.
pub async fn missing(store: &(impl ContentStore + ?Sized), publisher: &Publisher) -> Vec<String> {
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
