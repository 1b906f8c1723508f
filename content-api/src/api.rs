//! The HTTP interface. Every route of `/v1` needs a token; its OpenAPI document says with which scope.

pub mod campaigns;
pub mod changes;
pub mod changes_of_content;
pub mod contents;
pub mod documents;
pub mod erasures;
pub mod get_content;
pub mod health;
pub mod images;
mod paging;
mod preconditions;
pub mod similar;
pub mod upload;

use std::sync::Arc;

use auth::Verifier;
use axum::extract::FromRef;

use crate::{
    campaigns::Campaigns, finder::Finder, lifecycle::Lifecycle, publisher::Publisher,
    renditions::Renditions, store::Store,
};

/// What handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// Checks tokens.
    pub verifier: Arc<Verifier>,
    /// Has the documents.
    pub store: Arc<dyn Store>,
    /// Answers getContent.
    pub finder: Arc<Finder>,
    /// Writes content.
    pub lifecycle: Arc<Lifecycle>,
    /// Registers campaigns.
    pub campaigns: Arc<Campaigns>,
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
