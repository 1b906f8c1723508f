//! What the service is told from outside.

use std::{num::NonZeroUsize, path::PathBuf};

use secrecy::SecretString;

use crate::{model::source::ModelSource, search::Fusion};

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
    /// Weights and floors of the search.
    pub fusion: Fusion,
}
