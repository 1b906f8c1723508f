//! Puts the parts together.

use std::{sync::Arc, time::Duration};

use auth::Verifier;
use axum::Router;
use contracts::ModelId;
use futures::FutureExt;
use secrecy::ExposeSecret;
use service_kit::{
    CancellationToken, Clock,
    http::{Bounds, standard_layers},
    metrics::{HttpMetrics, Metrics},
};

use crate::{
    Config, Primary, api,
    index::{
        IndexError, VectorIndex,
        late::LateIndex,
        pgvector::{self, PgVectorIndex},
        qdrant::{self, QdrantIndex},
    },
    indexing::Indexer,
    metrics,
    model::{Embedder, fastembed::load_onnx_runtime, pool::SessionPool, source::LoadError},
    search::{Searcher, failover::Failover},
    state::Shared,
};

/// Longest that one request may take; a full batch of documents takes about three seconds.
const DEADLINE: Duration = Duration::from_secs(30);

/// Longest wait at the start for the only index that there is.
const PATIENCE: Duration = Duration::from_secs(10);

/// To be raised when what is stored for an unchanged document would change: the composition of the
/// searched text, the analyser, BM25's constants. Hashes of documents do not tell; a collection of
/// another name does, and is filled anew.
const INDEX_FORMAT: u32 = 1;

/// What a collection is named by: the model, and how its documents were made ready.
fn collection(model: &ModelId) -> ModelId {
    ModelId::new(format!("{model}-f{INDEX_FORMAT}"))
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No model.
    #[error(transparent)]
    Model(#[from] LoadError),
    /// No index.
    #[error("no index can be opened: {0}")]
    Index(#[from] IndexError),
    /// The loading thread died.
    #[error("loading the model was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// A started embedder: its routes, and the work that goes on beside them.
pub struct Service {
    embedder: Arc<dyn Embedder>,
    indexer: Arc<Indexer>,
    searcher: Arc<Searcher>,
    shared: Arc<Shared>,
    requests: HttpMetrics,
}

impl Service {
    /// Loads the model, opens the indexes, and brings them level with one another.
    ///
    /// A configured index that cannot be had or holds another model's vectors is a fault to mend at
    /// start; but a server that is away is not waited for, unless there is no other index. What is
    /// away, then or later, is answered for by the others.
    pub async fn start(config: Config, clock: &Clock) -> Result<Self, StartError> {
        let fusion = config.fusion;
        let (embedder, indexes) = Box::pin(load(config)).await?;
        Ok(Self::with(embedder, indexes, fusion, clock).await?)
    }

    /// The indexes of a configuration as they are, for a look into them while no service runs on them:
    /// nothing is brought level.
    pub async fn open(config: Config) -> Result<Vec<Arc<dyn VectorIndex>>, StartError> {
        let (_, indexes) = Box::pin(load(config)).await?;
        Ok(indexes)
    }

    /// The same over parts that exist already: for tests, and for other embedders and indexes.
    pub async fn with(
        embedder: Arc<dyn Embedder>,
        indexes: Vec<Arc<dyn VectorIndex>>,
        fusion: crate::search::Fusion,
        clock: &Clock,
    ) -> Result<Self, IndexError> {
        let shared = Arc::new(Shared::new(clock));
        let indexer = Arc::new(Indexer::new(
            Arc::clone(&embedder),
            indexes.clone(),
            Arc::clone(&shared),
        ));
        indexer.reconcile().await?;
        let searcher = Arc::new(Searcher::new(
            Arc::clone(&embedder),
            Failover::new(indexes),
            Arc::clone(&shared),
            fusion,
        ));
        Ok(Self {
            embedder,
            indexer,
            searcher,
            shared,
            requests: HttpMetrics::default(),
        })
    }

    /// The HTTP routes, protected by `verifier`.
    pub fn router(&self, verifier: Arc<Verifier>) -> Router {
        let state = api::AppState {
            embedder: Arc::clone(&self.embedder),
            indexer: Arc::clone(&self.indexer),
            searcher: Arc::clone(&self.searcher),
            shared: Arc::clone(&self.shared),
            verifier,
        };
        let bounds = Bounds {
            max_body_bytes: contracts::limits::MAX_INTERNAL_BODY_BYTES,
            deadline: DEADLINE,
        };
        standard_layers(api::router(state), bounds, &self.requests)
    }

    /// What it measures, for an address of its own.
    pub fn metrics(&self) -> Metrics {
        let (indexer, searcher) = (Arc::clone(&self.indexer), Arc::clone(&self.searcher));
        metrics::all(indexer, searcher, &self.requests)
    }

    /// The work beside the requests: keeps the indexes level until stopped.
    pub async fn run_background(&self, stop: CancellationToken) {
        Arc::clone(&self.indexer).keep_reconciled(stop).await;
    }

    /// The writer, for maintenance and tests.
    pub fn indexer(&self) -> &Indexer {
        &self.indexer
    }

    /// The searcher, for evaluation and tests.
    pub fn searcher(&self) -> &Searcher {
        &self.searcher
    }
}

/// Loads the model and opens the indexes, the primary first.
async fn load(
    config: Config,
) -> Result<(Arc<dyn Embedder>, Vec<Arc<dyn VectorIndex>>), StartError> {
    let Config {
        model,
        onnxruntime,
        sessions,
        database_url,
        edge_directory,
        qdrant,
        hnsw,
        primary,
        fusion: _,
    } = config;
    let pool = tokio::task::spawn_blocking(move || {
        load_onnx_runtime(&onnxruntime)?;
        SessionPool::start(&model, sessions)
    })
    .await??;
    let embedder: Arc<dyn Embedder> = Arc::new(pool);
    let mut indexes: Vec<Arc<dyn VectorIndex>> = Vec::new();
    if let Some(directory) = edge_directory {
        indexes.extend(open_edge(directory, embedder.as_ref()).await?);
    }
    let (model, dimensions) = (collection(embedder.model()), embedder.dimensions());
    if let Some(settings) = qdrant {
        let model = model.clone();
        let connect = move || {
            let (settings, model) = (settings.clone(), model.clone());
            let connecting =
                async move { QdrantIndex::connect(&settings, &model, dimensions).await };
            connecting.boxed()
        };
        let opening = LateIndex::open(qdrant::ENGINE, Duration::ZERO, connect);
        indexes.push(Arc::new(Box::pin(opening).await?));
    }
    let patience = if indexes.is_empty() {
        PATIENCE
    } else {
        Duration::ZERO
    };
    let connect = move || {
        let (url, model) = (database_url.clone(), model.clone());
        let connecting = async move {
            let url = url.expose_secret();
            PgVectorIndex::connect(url, &model, dimensions, hnsw).await
        };
        connecting.boxed()
    };
    let opening = LateIndex::open(pgvector::ENGINE, patience, connect);
    let pgvector = Box::pin(opening).await?;
    match primary {
        Primary::Qdrant => indexes.push(Arc::new(pgvector)),
        Primary::Pgvector => indexes.insert(0, Arc::new(pgvector)),
    }
    Ok((embedder, indexes))
}

#[cfg(feature = "edge")]
async fn open_edge(
    directory: std::path::PathBuf,
    embedder: &dyn Embedder,
) -> Result<Option<Arc<dyn VectorIndex>>, StartError> {
    let (model, dimensions) = (collection(embedder.model()), embedder.dimensions());
    let index = tokio::task::spawn_blocking(move || {
        crate::index::edge::EdgeIndex::open(&directory, &model, dimensions)
    })
    .await??;
    Ok(Some(Arc::new(index)))
}

#[cfg(not(feature = "edge"))]
async fn open_edge(
    directory: std::path::PathBuf,
    _embedder: &dyn Embedder,
) -> Result<Option<Arc<dyn VectorIndex>>, StartError> {
    Err(StartError::Index(IndexError::engine(
        "qdrant-edge",
        format!(
            "a directory is configured ({}), but this binary was built without the engine",
            directory.display()
        ),
    )))
}
