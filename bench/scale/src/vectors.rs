//! Vectors for the texts: the model's, or made-up ones where only the indexes are of interest.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use contracts::{ContentHash, ModelId};
use embedder::model::{EmbedError, Embedded, Embedder};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// Of the bundled model.
const DIMENSIONS: usize = 384;
const CLUSTERS: u64 = 1_000;
/// How far a vector lies from the middle of its cluster, which has the length 1.
const SPREAD: f32 = 0.7;

/// Gaussian clusters on the sphere: a text's vector depends on its letters, and means nothing.
pub struct RandomClustered(ModelId);

impl Default for RandomClustered {
    fn default() -> Self {
        Self(ModelId::new("random-clustered-v1"))
    }
}

#[async_trait]
impl Embedder for RandomClustered {
    fn model(&self) -> &ModelId {
        &self.0
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Embedded>, EmbedError> {
        let embedded = |text: String| {
            let digest = ContentHash::of(&text);
            let number = u64::from_str_radix(&digest.as_str()[..16], 16).unwrap_or_default();
            let middle = gaussian(number % CLUSTERS);
            let noise = gaussian(number.max(CLUSTERS));
            let sum = middle.iter().zip(&noise).map(|(a, b)| a + SPREAD * b);
            let embedding = unit(sum.collect());
            Embedded {
                embedding,
                tokens: 0,
            }
        };
        Ok(texts.into_iter().map(embedded).collect())
    }
}

/// A direction in which any is as likely as any other.
fn gaussian(seed: u64) -> Vec<f32> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = || (f64::from(dice.next_u32()) + 0.5) / 2_f64.powi(32);
    // Box and Muller 1958.
    let normal = |_| {
        let radius = (-2.0 * uniform().ln()).sqrt();
        (radius * (std::f64::consts::TAU * uniform()).cos()) as f32
    };
    unit((0..DIMENSIONS).map(normal).collect())
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

/// Another embedder, and how long it took in all.
pub struct Timed {
    inner: Arc<dyn Embedder>,
    spent: Mutex<Duration>,
}

impl Timed {
    pub fn new(inner: Arc<dyn Embedder>) -> Self {
        let spent = Mutex::default();
        Self { inner, spent }
    }

    pub fn spent(&self) -> Duration {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Embedder for Timed {
    fn model(&self) -> &ModelId {
        self.inner.model()
    }

    fn dimensions(&self) -> usize {
        self.inner.dimensions()
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Embedded>, EmbedError> {
        let began = Instant::now();
        let embedded = self.inner.embed(texts).await;
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner) += began.elapsed();
        embedded
    }
}
