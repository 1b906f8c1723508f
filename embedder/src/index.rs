//! The `VectorIndex` port: documents with their vectors in, candidates out.
//!
//! An adapter is one file beside [`pgvector`]. It stores what it is given and retrieves by nearness
//! and by filter; it scores nothing for good. Candidates come back with their vectors, and
//! [`crate::search`] computes every score in one place, so that a failover from one engine to the
//! other does not change an answer. The contract tests in `tests/it/index_contract.rs` run on every
//! adapter; a new one is added there.
//!
//! Deletions leave tombstones (an entry without vectors), so that an index which missed one can
//! learn of it from the other. The greater revision wins; at the same revision, the tombstone.

#[cfg(feature = "edge")]
pub mod edge;
pub mod late;
pub mod manifest;
pub mod memory;
pub mod pgvector;
pub mod point;
pub mod qdrant;

use async_trait::async_trait;
use contracts::{ContentHash, Filters, ImageId, Language, content::Status, index::IndexDocument};
use serde::{Deserialize, Serialize};

pub use manifest::{Manifest, ManifestEntry};

use crate::lexical::SparseVector;

/// One value per language.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PerLanguage<T> {
    /// For Spanish.
    pub es: T,
    /// For English.
    pub en: T,
}

impl<T> PerLanguage<T> {
    /// Makes one value for each language.
    pub fn from_fn(mut make: impl FnMut(Language) -> T) -> Self {
        Self {
            es: make(Language::Es),
            en: make(Language::En),
        }
    }

    /// The value for one language.
    pub fn get(&self, language: Language) -> &T {
        match language {
            Language::Es => &self.es,
            Language::En => &self.en,
        }
    }

    /// Both, with their language.
    pub fn iter(&self) -> impl Iterator<Item = (Language, &T)> {
        Language::ALL
            .into_iter()
            .map(|language| (language, self.get(language)))
    }
}

/// A document as both engines hold it: enough to search it, and to copy it to the other engine
/// without embedding it again.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexEntry {
    /// What was pushed.
    pub document: IndexDocument,
    /// Of `document`.
    pub content_hash: ContentHash,
    /// Unit vectors of the model.
    pub dense: PerLanguage<Vec<f32>>,
    /// BM25 document weights.
    pub sparse: PerLanguage<SparseVector>,
}

impl IndexEntry {
    /// Its line in a manifest.
    pub fn manifest_entry(&self) -> ManifestEntry {
        ManifestEntry {
            revision: self.document.revision,
            content_hash: Some(self.content_hash.clone()),
        }
    }
}

/// A deletion to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// Which document.
    pub id: ImageId,
    /// The revision that deleted it.
    pub revision: i64,
}

impl Tombstone {
    /// Its line in a manifest.
    pub fn manifest_entry(&self) -> ManifestEntry {
        ManifestEntry {
            revision: self.revision,
            content_hash: None,
        }
    }
}

/// One change to an index.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Insert or replace.
    Put(Box<IndexEntry>),
    /// Replace by a tombstone.
    Delete(Tombstone),
}

/// What to retrieve.
#[derive(Clone, Debug)]
pub struct IndexQuery {
    /// The query's unit vector, compared with both languages' vectors; absent to search by words.
    pub dense: Option<Vec<f32>>,
    /// Query term weights per language, IDF included; empty to search by meaning.
    pub sparse: PerLanguage<SparseVector>,
    /// Conditions on every candidate.
    pub filters: Filters,
    /// Only documents in this state.
    pub status: Status,
    /// Candidates per list: each of up to two dense and two sparse lists.
    pub depth: usize,
}

/// A retrieved document with what is needed to score it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Which document.
    pub id: ImageId,
    /// Its unit vectors.
    pub dense: PerLanguage<Vec<f32>>,
    /// Its BM25 document weights.
    pub sparse: PerLanguage<SparseVector>,
}

/// Stores vectors and finds the nearest. Made for one model; its collection's name carries that
/// model's id, so vectors of two models never meet.
#[async_trait]
pub trait VectorIndex: Send + Sync {
    /// `qdrant-edge`, `qdrant` or `pgvector`.
    fn engine(&self) -> &'static str;

    /// The engine's version.
    fn version(&self) -> &str;

    /// Applies the changes durably, all or none, in order. An older revision is skipped silently.
    async fn apply(&self, changes: Vec<Change>) -> Result<(), IndexError>;

    /// The union of the lists that the query asks for, unordered.
    async fn candidates(&self, query: IndexQuery) -> Result<Vec<Candidate>, IndexError>;

    /// What it holds: every id with content hash and revision, tombstones included.
    async fn manifest(&self) -> Result<Manifest, IndexError>;

    /// Tidies up: builds what searches of a large collection need and drops what was replaced.
    /// Called now and then, between writes. Engines that do so by themselves do nothing here.
    async fn maintain(&self) -> Result<(), IndexError> {
        Ok(())
    }

    /// Whole entries, for copying to another index. Unknown ids and tombstones are left out.
    async fn entries(&self, ids: Vec<ImageId>) -> Result<Vec<IndexEntry>, IndexError>;
}

/// Why an index did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It cannot be reached, or failed inside; another may still answer.
    #[error("{engine}: {reason}")]
    Engine {
        /// Which engine.
        engine: &'static str,
        /// What it said.
        reason: String,
    },
    /// Nobody answers where it should be; that may pass.
    #[error("{engine}: {reason}")]
    Away {
        /// Which engine.
        engine: &'static str,
        /// What went wrong.
        reason: String,
    },
    /// It took too long.
    #[error("{engine} did not answer within {millis} ms")]
    Deadline {
        /// Which engine.
        engine: &'static str,
        /// The bound.
        millis: u128,
    },
    /// Its vectors are not the loaded model's.
    #[error(
        "{engine} holds vectors of {found}, but the loaded model is {expected}; re-index, or load that model"
    )]
    ModelMismatch {
        /// Which engine.
        engine: &'static str,
        /// What it holds.
        found: String,
        /// What is loaded.
        expected: String,
    },
}

impl IndexError {
    /// A fault of the engine's.
    pub fn engine(engine: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Engine {
            engine,
            reason: reason.to_string(),
        }
    }
}
