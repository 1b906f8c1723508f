//! Both indexes and the search service over them, in this process, and filling them.

use std::{
    env, fs, num::NonZeroUsize, os::unix::fs::PermissionsExt, sync::Arc, thread, time::Instant,
};

use embedder::{
    Service,
    index::{
        VectorIndex,
        edge::EdgeIndex,
        pgvector::{HnswOptions, PgVectorIndex},
    },
    model::{Embedder, fastembed::load_onnx_runtime, pool::SessionPool, source::ModelSource},
    search::Fusion,
};
use indicatif::{ProgressBar, ProgressDrawTarget};
use local_runtime::{CacheDir, Options, Postgres, PostgresOptions, progress, provision};
use serde::Serialize;
use service_kit::Clock;

use crate::{
    Vectors,
    catalogue::Catalogue,
    memory::{self, Resident},
    say,
    vectors::{RandomClustered, Timed},
};

/// Documents in one push, as content-api's publisher has it.
const BATCH: u64 = 64;

/// What is measured.
pub struct Scene {
    pub service: Service,
    pub embedder: Arc<Timed>,
    /// Edge first: reading vectors back from it is quick.
    pub indexes: [Arc<dyn VectorIndex>; 2],
    postgres: Postgres,
    directory: tempfile::TempDir,
}

/// Documents in, as the search service takes them: embedded, weighed, in both indexes durably.
#[derive(Serialize)]
pub struct Fill {
    seconds: f64,
    documents_per_second: f64,
    embedding_seconds: f64,
    maintain_seconds: f64,
    /// The model's sessions, before anything is written.
    process_before: Resident,
    /// Those, the lexicons, the manifest and Edge.
    process: Resident,
    postgres_mib: Option<f64>,
    edge_disk_mib: f64,
    postgres_disk_mib: f64,
}

impl Scene {
    pub async fn set(vectors: Vectors) -> anyhow::Result<Self> {
        let variable = |name: &str| env::var(name).ok();
        let cache = CacheDir::resolve(None, &variable)?;
        let bars = progress::on_stderr();
        let parts = provision(&cache, &Options::from_env(&variable), bars.as_ref()).await?;
        let embedder: Arc<dyn Embedder> = match vectors {
            Vectors::Model => {
                load_onnx_runtime(&parts.onnxruntime)?;
                let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
                Arc::new(SessionPool::start(&ModelSource::Bundled, cores)?)
            }
            Vectors::RandomClustered => Arc::new(RandomClustered::default()),
        };
        let embedder = Arc::new(Timed::new(embedder));
        let directory = tempfile::tempdir()?;
        // The database server's user passes through when this runs as root.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o711))?;
        let options = PostgresOptions::new(directory.path().join("postgres"));
        let postgres = Postgres::start(&parts.postgres, options).await?;
        postgres.ensure_database("scale").await?;
        let (model, dimensions) = (embedder.model().clone(), embedder.dimensions());
        let edge = EdgeIndex::open(&directory.path().join("edge"), &model, dimensions)?;
        let url = postgres.url("scale");
        let pgvector = PgVectorIndex::connect(&url, &model, dimensions, HnswOptions::default());
        let indexes: [Arc<dyn VectorIndex>; 2] = [Arc::new(edge), Arc::new(pgvector.await?)];
        let service = Service::with(
            Arc::clone(&embedder) as _,
            indexes.to_vec(),
            Fusion::default(),
            &Clock::system(),
        )
        .await?;
        Ok(Self {
            service,
            embedder,
            indexes,
            postgres,
            directory,
        })
    }

    pub async fn fill(&self, catalogue: &Catalogue, documents: u64) -> anyhow::Result<Fill> {
        let process_before = memory::resident();
        say(&format!("writing {documents} documents"));
        let bar = ProgressBar::with_draw_target(Some(documents), ProgressDrawTarget::stderr());
        let began = Instant::now();
        for first in (0..documents).step_by(BATCH as usize) {
            let numbers = first..documents.min(first + BATCH);
            let batch: Vec<_> = numbers
                .map(|number| catalogue.document(number))
                .collect::<anyhow::Result<_>>()?;
            bar.inc(batch.len() as u64);
            self.service.indexer().put(batch).await?;
        }
        let seconds = began.elapsed().as_secs_f64();
        bar.finish_and_clear();
        say("tidying the indexes up, as a reconciliation does");
        let began = Instant::now();
        for index in &self.indexes {
            index.maintain().await?;
        }
        Ok(Fill {
            seconds,
            documents_per_second: documents as f64 / seconds,
            embedding_seconds: self.embedder.spent().as_secs_f64(),
            maintain_seconds: began.elapsed().as_secs_f64(),
            process_before,
            process: memory::resident(),
            postgres_mib: memory::of_family(self.postgres.pid()),
            edge_disk_mib: memory::on_disk(&self.directory.path().join("edge")),
            postgres_disk_mib: memory::on_disk(self.postgres.home()),
        })
    }

    /// Stops PostgreSQL and removes everything.
    pub async fn end(self) -> anyhow::Result<()> {
        drop(self.service);
        drop(self.indexes);
        Ok(self.postgres.stop().await?)
    }
}
