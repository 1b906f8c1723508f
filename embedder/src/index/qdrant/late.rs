//! A Qdrant server that need not be there at the start.

use async_trait::async_trait;
use contracts::{ImageId, ModelId};
use tokio::sync::OnceCell;

use super::{ENGINE, QdrantIndex, QdrantSettings};
use crate::index::{Candidate, Change, IndexEntry, IndexError, IndexQuery, Manifest, VectorIndex};

/// [`QdrantIndex`] as soon as the server is there. Until then every call fails at once, and each
/// comparison of the indexes ([`VectorIndex::manifest`]) tries to connect: what was missed meanwhile
/// is copied by that same comparison.
pub struct LateQdrantIndex {
    settings: QdrantSettings,
    model: ModelId,
    dimensions: usize,
    index: OnceCell<QdrantIndex>,
}

impl LateQdrantIndex {
    /// Tries to connect, and goes on without the server when nobody answers.
    ///
    /// # Errors
    /// Whatever does not mend itself: a refused key, an untrusted certificate, a server that is too old,
    /// another model's vectors.
    pub async fn open(
        settings: QdrantSettings,
        model: ModelId,
        dimensions: usize,
    ) -> Result<Self, IndexError> {
        let late = Self {
            settings,
            model,
            dimensions,
            index: OnceCell::new(),
        };
        match late.connect().await {
            Ok(_) => {}
            Err(error @ (IndexError::Away { .. } | IndexError::Deadline { .. })) => {
                tracing::error!(%error, "starting without this index; it is tried again and again");
            }
            Err(error) => return Err(error),
        }
        Ok(late)
    }

    async fn connect(&self) -> Result<&QdrantIndex, IndexError> {
        let connecting = || QdrantIndex::connect(&self.settings, &self.model, self.dimensions);
        self.index.get_or_try_init(|| Box::pin(connecting())).await
    }

    fn there(&self) -> Result<&QdrantIndex, IndexError> {
        self.index.get().ok_or_else(|| IndexError::Away {
            engine: ENGINE,
            reason: "not connected since the start".to_owned(),
        })
    }
}

#[async_trait]
impl VectorIndex for LateQdrantIndex {
    fn engine(&self) -> &'static str {
        ENGINE
    }

    fn version(&self) -> &str {
        self.index.get().map_or("unknown", VectorIndex::version)
    }

    async fn apply(&self, changes: Vec<Change>) -> Result<(), IndexError> {
        self.there()?.apply(changes).await
    }

    async fn candidates(&self, query: IndexQuery) -> Result<Vec<Candidate>, IndexError> {
        self.there()?.candidates(query).await
    }

    async fn manifest(&self) -> Result<Manifest, IndexError> {
        self.connect().await?.manifest().await
    }

    async fn maintain(&self) -> Result<(), IndexError> {
        self.there()?.maintain().await
    }

    async fn entries(&self, ids: Vec<ImageId>) -> Result<Vec<IndexEntry>, IndexError> {
        self.there()?.entries(ids).await
    }
}
