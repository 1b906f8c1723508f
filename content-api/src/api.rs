//! The HTTP interface. Every route of `/v1` needs a token with `content:read`.

pub mod documents;
pub mod get_content;
pub mod health;
pub mod images;
mod preconditions;

use std::sync::Arc;

use auth::Verifier;
use axum::extract::FromRef;

use crate::{finder::Finder, publisher::Publisher, renditions::Renditions, store::ContentStore};

/// What handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// Checks tokens.
    pub verifier: Arc<Verifier>,
    /// Has the documents.
    pub store: Arc<dyn ContentStore>,
    /// Answers getContent.
    pub finder: Arc<Finder>,
    /// Makes renditions.
    pub renditions: Arc<Renditions>,
    /// Knows what is still unpublished.
    pub publisher: Publisher,
}

impl FromRef<AppState> for Arc<Verifier> {
    fn from_ref(state: &AppState) -> Self {
        Self::clone(&state.verifier)
    }
}
