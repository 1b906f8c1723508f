//! The `Embedder` port: texts in, unit vectors out.
//!
//! An adapter is one file beside [`fastembed`]: implement [`Embedder`], give it a [`ModelId`] that
//! changes whenever its vectors would, and add its source to [`source::ModelSource`]. Queueing and
//! batching sit above the adapter, in [`pool`].

pub mod fastembed;
pub mod pool;
mod queue;
pub mod source;

use async_trait::async_trait;
use contracts::ModelId;

/// A vector of [`Embedder::dimensions`] numbers, of length 1.
pub type Embedding = Vec<f32>;

/// The embedding of one text, and what it cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedded {
    /// The vector.
    pub embedding: Embedding,
    /// Tokens that the model read, special ones included.
    pub tokens: u32,
}

/// Turns texts into vectors. Cheap to call with one text; a large batch is split inside.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// The model, by the name that collections carry.
    fn model(&self) -> &ModelId;

    /// Numbers in one vector.
    fn dimensions(&self) -> usize;

    /// One embedding per text, in the order of the texts. A text longer than the model reads is cut.
    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Embedded>, EmbedError>;
}

/// Why texts could not be embedded.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// More work is queued than can be answered in time.
    #[error("the embedding queue is full: {queued} texts wait; try again shortly")]
    Overloaded {
        /// Texts waiting.
        queued: usize,
    },
    /// The model refused or failed.
    #[error("the embedding model failed: {0}")]
    Model(String),
    /// The workers are gone: the service is stopping.
    #[error("the embedding workers have stopped")]
    Stopped,
}
