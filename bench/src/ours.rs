//! The embedder itself, as the service uses it: through the queue, sessions in a pool.

use std::{
    num::NonZeroUsize,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;
use embedder::model::{
    Embedder, fastembed::load_onnx_runtime, pool::SessionPool, source::ModelSource,
};

use crate::stats::Latency;

/// Untimed queries before the timed ones: `WARM_UP_QUERIES` of `peers.py`.
const WARM_UP_QUERIES: usize = 20;
/// Most timed queries: `MAX_QUERIES` of `peers.py`.
const MAX_QUERIES: usize = 5_000;
/// Texts per bulk call: `SLICE` of `peer_adapters.py`.
const SLICE: usize = 256;
/// Untimed texts before a bulk measurement: `COMMON_BATCH` of `peer_adapters.py`.
const WARM_UP_TEXTS: usize = 16;

/// Loads ONNX Runtime; once, before any [`Ours`].
pub fn load_runtime(onnxruntime: &Path) -> anyhow::Result<()> {
    Ok(load_onnx_runtime(onnxruntime)?)
}

/// A pool of single-threaded sessions of the bundled model.
pub struct Ours {
    pool: SessionPool,
}

impl Ours {
    /// As many sessions as a peer gets threads.
    pub fn start(sessions: NonZeroUsize) -> anyhow::Result<Self> {
        let pool = SessionPool::start(&ModelSource::Bundled, sessions)?;
        Ok(Self { pool })
    }

    /// One text per call, one call at a time, from string to vector, for this long.
    pub async fn query(&self, queries: &[String], seconds: f64) -> anyhow::Result<Latency> {
        for text in queries.iter().cycle().take(WARM_UP_QUERIES) {
            self.pool.embed(vec![text.clone()]).await?;
        }
        let mut times = Vec::new();
        let begun = Instant::now();
        for text in queries.iter().cycle().take(MAX_QUERIES) {
            let started = Instant::now();
            self.pool.embed(vec![text.clone()]).await?;
            times.push(started.elapsed());
            if begun.elapsed() > Duration::from_secs_f64(seconds) {
                break;
            }
        }
        Latency::of(&times).context("there are no queries to time")
    }

    /// Texts per second over as many calls of 256 texts as begin within this time.
    pub async fn bulk(&self, texts: &[String], seconds: f64) -> anyhow::Result<f64> {
        let mut endless = texts.iter().cycle();
        let mut next = |count| endless.by_ref().take(count).cloned().collect::<Vec<_>>();
        self.pool.embed(next(WARM_UP_TEXTS)).await?;
        let mut done = 0;
        let started = Instant::now();
        loop {
            done += self.pool.embed(next(SLICE)).await?.len();
            let elapsed = started.elapsed().as_secs_f64();
            if elapsed >= seconds {
                return Ok(done as f64 / elapsed);
            }
        }
    }

    /// The vectors of these texts.
    pub async fn vectors(&self, texts: &[String]) -> anyhow::Result<Vec<Vec<f64>>> {
        let embedded = self.pool.embed(texts.to_vec()).await?.into_iter();
        Ok(embedded
            .map(|item| item.embedding.into_iter().map(f64::from).collect())
            .collect())
    }
}
