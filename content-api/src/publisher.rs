//! The outbox: brings changes of the content store to the embedder, which writes the indexes.
//!
//! The outbox is the store itself: a document whose revision is ahead of the acknowledged one is
//! still to be sent. It is acknowledged after the embedder took it, so a crash in between sends it
//! twice, and the embedder recognises the second time by revision and content hash.

mod audit;
mod held;
mod left_out;
mod mapping;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use contracts::{
    ImageId,
    index::{HeldRevision, IndexStatusAnswer},
};
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
use left_out::{LeftOut, Why};

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
    left_out: Mutex<LeftOut>,
    progress: watch::Sender<Progress>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Passes ended, failed ones included.
    pub passes: u64,
    /// The embedder answered in the last pass.
    pub embedder_reached: bool,
    /// Since it started, the indexes were seen to hold everything at least once, or they could not
    /// be brought to.
    pub complete: bool,
}

/// The passes that end, one after the other.
pub struct Passes(watch::Receiver<Progress>);

impl Passes {
    /// Completes with the end of a pass that was not told of yet.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            // Its publisher is gone.
            std::future::pending().await
        }
    }
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
            left_out: Mutex::new(LeftOut::new(rhythm.audit)),
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

    /// Completes once every change that can be published is acknowledged and the indexes were seen
    /// to hold everything, see [`Progress::complete`]. While the embedder is away that may be never:
    /// give it a time limit where that matters.
    pub async fn drained(&self) {
        let mut progress = self.0.progress.subscribe();
        loop {
            let complete = progress.borrow_and_update().complete;
            if complete && matches!(self.0.is_anything_waiting().await, Ok(false)) {
                return;
            }
            if progress.changed().await.is_err() {
                return;
            }
        }
    }

    /// Changes that the indexes are not known to hold, what cannot be published included.
    pub async fn unpublished(&self) -> Result<u64, StoreError> {
        self.0.store.unpublished().await
    }

    /// Tells of the passes that end from now on.
    pub fn passes(&self) -> Passes {
        let mut progress = self.0.progress.subscribe();
        progress.mark_unchanged();
        Passes(progress)
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
        let seen = self.embedder.generation().await?;
        self.index.refresh(seen.generation, &seen.model);
        if auditor.is_due(Instant::now()) {
            auditor.audit(self).await?;
        }
        Ok(())
    }

    /// How the indexes stand. The embedder reads all of each for it.
    async fn status(&self) -> Result<IndexStatusAnswer, EmbedderError> {
        let status = self.embedder.status().await?;
        self.index.refresh(status.generation, &status.model);
        Ok(status)
    }

    /// One walk over everything that is pending. What the embedder refuses stays pending and does
    /// not hold up what comes after it.
    async fn push_pending(&self) -> Result<(), PassError> {
        self.left_out().begin_walk(Instant::now());
        let mut after: Option<ImageId> = None;
        loop {
            let page = self.store.pending(after.as_ref(), BATCH).await?;
            let Some(last) = page.last() else {
                self.left_out().end_walk(Instant::now());
                return Ok(());
            };
            after = Some(last.id().clone());
            let page = self.left_out().admit(page);
            if !page.is_empty() {
                self.publish(page).await?;
            }
        }
    }

    /// Is anything pending that will be sent?
    async fn is_anything_waiting(&self) -> Result<bool, StoreError> {
        if self.store.unpublished().await? == 0 {
            return Ok(false);
        }
        let mut after: Option<ImageId> = None;
        loop {
            let page = self.store.pending(after.as_ref(), BATCH).await?;
            let Some(last) = page.last() else {
                return Ok(false);
            };
            after = Some(last.id().clone());
            let left_out = self.left_out();
            if !page.iter().all(|change| left_out.holds(change)) {
                return Ok(true);
            }
        }
    }

    async fn publish(&self, page: Vec<Pending>) -> Result<(), PassError> {
        match self.push(&page).await {
            Ok(ahead) => self.settle(&page, &ahead).await,
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
            Ok(ahead) => self.settle(&one, &ahead).await,
            Err(error) if error.blames_request() => {
                self.left_out().note(&one[0], Why::Refused, error);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Pushes, and returns what the indexes hold newer.
    async fn push(&self, page: &[Pending]) -> Result<Vec<HeldRevision>, EmbedderError> {
        let mut documents = Vec::new();
        let mut deletions = Vec::new();
        for change in page {
            match change {
                Pending::Put(document) => documents.push(index_document(document)),
                Pending::Delete(deletion) => deletions.push(deletion.clone()),
                // Never admitted.
                Pending::Unreadable { .. } => {}
            }
        }
        let mut ahead = Vec::new();
        if !documents.is_empty() {
            let answer = self.embedder.put(documents).await?;
            self.index.observe(answer.generation, None);
            ahead.extend(answer.ahead);
        }
        if !deletions.is_empty() {
            let answer = self.embedder.delete(deletions).await?;
            self.index.observe(answer.generation, None);
            ahead.extend(answer.ahead);
        }
        Ok(ahead)
    }

    /// Acknowledges what was taken. What the indexes hold newer goes above it and is sent again: the
    /// store is the truth, also when it was restored to an older state than theirs.
    async fn settle(&self, page: &[Pending], ahead: &[HeldRevision]) -> Result<(), PassError> {
        let held_newer = |change: &&Pending| ahead.iter().any(|held| held.id == *change.id());
        let (newer, taken): (Vec<&Pending>, Vec<&Pending>) = page.iter().partition(held_newer);
        if !taken.is_empty() {
            self.acknowledge(&taken).await?;
        }
        if newer.is_empty() {
            return Ok(());
        }
        let held: Vec<(ImageId, i64)> = ahead
            .iter()
            .map(|held| (held.id.clone(), held.revision))
            .collect();
        let documents = self.store.raise_revision(&held).await?;
        for change in newer {
            if ahead
                .iter()
                .any(|held| held.id == *change.id() && held.revision == i64::MAX)
            {
                let reason = "there is no revision above the one held";
                self.left_out().note(change, Why::Outranked, reason);
            }
        }
        if documents > 0 {
            tracing::warn!(
                documents,
                "the indexes hold newer revisions than the content store; publishing above them"
            );
            self.wake.notify_one();
        }
        Ok(())
    }

    async fn acknowledge(&self, taken: &[&Pending]) -> Result<(), PassError> {
        let accepted: Vec<(ImageId, i64)> = taken
            .iter()
            .map(|change| (change.id().clone(), change.revision()))
            .collect();
        self.store.acknowledge(&accepted).await?;
        tracing::info!(documents = accepted.len(), "published");
        Ok(())
    }

    /// Not to be held across an await.
    fn left_out(&self) -> MutexGuard<'_, LeftOut> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner)
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
