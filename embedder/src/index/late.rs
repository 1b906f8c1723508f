//! An index whose server need not be there at the start.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use contracts::ImageId;
use futures::future::BoxFuture;
use tokio::{sync::OnceCell, time::sleep};

use super::{Candidate, Change, IndexEntry, IndexError, IndexQuery, Manifest, VectorIndex};

/// Between two tries to connect while somebody waits for it.
const PAUSE: Duration = Duration::from_millis(250);

/// Connects, once more at each call.
type Connect<I> = Box<dyn Fn() -> BoxFuture<'static, Result<I, IndexError>> + Send + Sync>;

/// The index as soon as its server is there. Until then every call fails at once, and each
/// comparison of the indexes ([`VectorIndex::manifest`]) tries to connect: what was missed meanwhile
/// is copied by that same comparison.
pub struct LateIndex<I> {
    engine: &'static str,
    connect: Connect<I>,
    index: OnceCell<I>,
}

impl<I: VectorIndex> LateIndex<I> {
    /// Tries to connect for so long as `patience` says, once at least, and goes on without the server
    /// when nobody answers.
    ///
    /// # Errors
    /// Whatever does not mend itself: a refused key or password, an untrusted certificate, a server that
    /// is too old, another model's vectors.
    pub async fn open(
        engine: &'static str,
        patience: Duration,
        connect: impl Fn() -> BoxFuture<'static, Result<I, IndexError>> + Send + Sync + 'static,
    ) -> Result<Self, IndexError> {
        let late = Self {
            engine,
            connect: Box::new(connect),
            index: OnceCell::new(),
        };
        let begun = Instant::now();
        loop {
            match late.connected().await {
                Ok(_) => return Ok(late),
                Err(error @ (IndexError::Away { .. } | IndexError::Deadline { .. })) => {
                    if begun.elapsed() + PAUSE > patience {
                        tracing::error!(%error, "starting without this index; it is tried again and again");
                        return Ok(late);
                    }
                }
                Err(error) => return Err(error),
            }
            sleep(PAUSE).await;
        }
    }

    async fn connected(&self) -> Result<&I, IndexError> {
        self.index.get_or_try_init(|| (self.connect)()).await
    }

    fn there(&self) -> Result<&I, IndexError> {
        self.index.get().ok_or_else(|| IndexError::Away {
            engine: self.engine,
            reason: "not connected since the start".to_owned(),
        })
    }
}

#[async_trait]
impl<I: VectorIndex> VectorIndex for LateIndex<I> {
    fn engine(&self) -> &'static str {
        self.engine
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
        self.connected().await?.manifest().await
    }

    async fn maintain(&self) -> Result<(), IndexError> {
        self.there()?.maintain().await
    }

    async fn entries(&self, ids: Vec<ImageId>) -> Result<Vec<IndexEntry>, IndexError> {
        self.there()?.entries(ids).await
    }
}
