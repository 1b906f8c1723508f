//! The outbox: brings changes of the content store to the embedder, which writes the indexes.
//!
//! The outbox is the store itself: a document whose revision is ahead of the acknowledged one is
//! still to be sent. It is acknowledged after the embedder took it, so a crash in between sends it
//! twice, and the embedder recognises the second time by revision and content hash.

mod audit;
mod mapping;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use contracts::ImageId;
use service_kit::CancellationToken;
use tokio::sync::{Notify, watch};

pub use mapping::index_document;

use crate::{
    config::PublishingRhythm,
    embedder_client::{EmbedderClient, EmbedderError},
    index_view::IndexView,
    store::{ContentStore, Pending, StoreError},
};
use audit::Auditor;

/// Documents in one push.
const BATCH: u32 = 64;

/// Publishes until stopped. Clones share one outbox; only one of them should [`run`](Self::run).
#[derive(Clone)]
pub struct Publisher(Arc<Inner>);

struct Inner {
    store: Arc<dyn ContentStore>,
    embedder: Arc<EmbedderClient>,
    index: Arc<IndexView>,
    rhythm: PublishingRhythm,
    wake: Notify,
    progress: watch::Sender<Progress>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Passes ended, failed ones included.
    pub passes: u64,
    /// The embedder answered in the last pass.
    pub embedder_reached: bool,
    /// Since it started, the indexes were seen to hold everything at least once.
    pub complete: bool,
}

/// Why a pass broke off. The next one takes up where it was.
#[derive(Debug, thiserror::Error)]
enum PassError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Embedder(#[from] EmbedderError),
}

impl Publisher {
    /// Publishes from `store` to `embedder`; what it learns of the indexes goes to `index`.
    pub fn new(
        store: Arc<dyn ContentStore>,
        embedder: Arc<EmbedderClient>,
        index: Arc<IndexView>,
        rhythm: PublishingRhythm,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            embedder,
            index,
            rhythm,
            wake: Notify::new(),
            progress: watch::Sender::default(),
        }))
    }

    /// To be called after each write to the store; without it, the next tick finds the change.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        *self.0.progress.borrow()
    }

    /// Completes once every change is acknowledged and the indexes were seen to hold everything.
    /// While the embedder is away that may be never: give it a time limit where that matters.
    pub async fn drained(&self) {
        let mut progress = self.0.progress.subscribe();
        loop {
            let complete = progress.borrow_and_update().complete;
            if complete && matches!(self.0.store.unpublished().await, Ok(0)) {
                return;
            }
            if progress.changed().await.is_err() {
                return;
            }
        }
    }

    /// Publishes until `stop` is cancelled. Stopping in the middle of a push loses nothing.
    pub async fn run(&self, stop: CancellationToken) {
        stop.run_until_cancelled(self.0.publish_forever()).await;
    }
}

impl Inner {
    async fn publish_forever(&self) {
        let mut auditor = Auditor::new(self.rhythm.audit);
        let mut retry = self.rhythm.first_retry;
        loop {
            match self.pass(&mut auditor).await {
                Ok(()) => {
                    retry = self.rhythm.first_retry;
                    self.report(true, auditor.complete());
                    tokio::select! {
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep(self.rhythm.tick) => {}
                    }
                }
                Err(error) => {
                    self.report(!matches!(error, PassError::Embedder(_)), auditor.complete());
                    tracing::warn!(%error, retry_ms = retry.as_millis(), "publishing failed");
                    retry = self.pause(retry).await;
                }
            }
        }
    }

    /// Waits, and returns the next longer wait. A wake-up does not shorten it: what is away stays
    /// away however much there is to send.
    async fn pause(&self, retry: Duration) -> Duration {
        tokio::time::sleep(retry).await;
        (retry * 2).min(self.rhythm.longest_retry)
    }

    async fn pass(&self, auditor: &mut Auditor) -> Result<(), PassError> {
        self.push_pending().await?;
        let status = self.embedder.status().await?;
        self.index.refresh(status.generation, &status.model);
        if auditor.is_due(Instant::now()) {
            auditor.audit(self, status).await?;
        }
        Ok(())
    }

    /// One walk over everything that is pending. What the embedder refuses stays pending and does
    /// not hold up what comes after it.
    async fn push_pending(&self) -> Result<(), PassError> {
        let mut after: Option<ImageId> = None;
        loop {
            let page = self.store.pending(after.as_ref(), BATCH).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.id().clone());
            self.publish(page).await?;
        }
    }

    async fn publish(&self, page: Vec<Pending>) -> Result<(), PassError> {
        match self.push(&page).await {
            Ok(()) => self.acknowledge(&page).await,
            Err(error) if error.blames_request() => {
                for one in page {
                    self.publish_alone(one).await?;
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn publish_alone(&self, one: Pending) -> Result<(), PassError> {
        let one = [one];
        match self.push(&one).await {
            Ok(()) => self.acknowledge(&one).await,
            Err(error) if error.blames_request() => {
                tracing::error!(
                    %error, id = %one[0].id(),
                    "the embedder refuses this document; it stays out of the indexes until it is \
                     written anew"
                );
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn push(&self, page: &[Pending]) -> Result<(), EmbedderError> {
        let mut documents = Vec::new();
        let mut deletions = Vec::new();
        for change in page {
            match change {
                Pending::Put(document) => documents.push(index_document(document)),
                Pending::Delete(deletion) => deletions.push(deletion.clone()),
            }
        }
        if !documents.is_empty() {
            let answer = self.embedder.put(documents).await?;
            self.index.observe(answer.generation, None);
        }
        if !deletions.is_empty() {
            let answer = self.embedder.delete(deletions).await?;
            self.index.observe(answer.generation, None);
        }
        Ok(())
    }

    async fn acknowledge(&self, page: &[Pending]) -> Result<(), PassError> {
        let accepted: Vec<(ImageId, i64)> = page
            .iter()
            .map(|change| (change.id().clone(), change.revision()))
            .collect();
        self.store.acknowledge(&accepted).await?;
        tracing::info!(documents = accepted.len(), "published");
        Ok(())
    }

    fn report(&self, embedder_reached: bool, complete: bool) {
        self.progress.send_modify(|progress| {
            let passes = progress.passes + 1;
            *progress = Progress {
                passes,
                embedder_reached,
                complete,
            };
        });
    }
}
