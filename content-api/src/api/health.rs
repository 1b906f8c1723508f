//! What `/readyz` finds missing.

use service_kit::health::Lacking;

use crate::api::AppState;

/// What the service lacks.
///
/// Unpublished documents count only until everything that can be published was, once: later ones are the normal
/// course of things, and no reason to send callers elsewhere. From then on an embedder that is away is none either:
/// searches that are not cached fail, and documents, images, campaigns, writes and the change feed go on.
pub async fn lacking(state: &AppState) -> Lacking {
    let mut lacking = Lacking {
        missing: Vec::new(),
        degraded: state.verifier.degraded().await,
    };
    if state.store.unpublished().await.is_err() {
        lacking.missing.push("store".to_owned());
    }
    let progress = state.publisher.progress();
    if !progress.complete {
        lacking.missing.push("unpublished documents".to_owned());
    }
    if !progress.embedder_reached {
        let whether_ready = if progress.complete {
            &mut lacking.degraded
        } else {
            &mut lacking.missing
        };
        whether_ready.push("embedder".to_owned());
    }
    lacking
}
