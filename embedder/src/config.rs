//! What the service is told from outside.

use std::{num::NonZeroUsize, path::PathBuf};

use secrecy::SecretString;

use crate::{
    index::{pgvector::HnswOptions, qdrant::QdrantSettings},
    model::source::ModelSource,
    search::Fusion,
};

/// The index that is asked first. All are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Primary {
    /// Qdrant, in process or as a server, where there is one.
    #[default]
    Qdrant,
    /// pgvector.
    Pgvector,
}

/// Settings of one embedder.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the model comes from.
    pub model: ModelSource,
    /// The ONNX Runtime shared library.
    pub onnxruntime: PathBuf,
    /// Workers with a single-threaded session each, at best one per core.
    pub sessions: NonZeroUsize,
    /// PostgreSQL with pgvector; holds a password in production.
    pub database_url: SecretString,
    /// The directory of Qdrant Edge, where that engine is wanted.
    pub edge_directory: Option<PathBuf>,
    /// The Qdrant server, where there is one.
    pub qdrant: Option<QdrantSettings>,
    /// How pgvector's indexes are built and searched.
    pub hnsw: HnswOptions,
    /// Which index is asked first.
    pub primary: Primary,
    /// Weights and floors of the search.
    pub fusion: Fusion,
}
