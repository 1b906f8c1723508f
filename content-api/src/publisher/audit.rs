//! Do the indexes hold what they should? They may have been lost behind our back.

use std::time::{Duration, Instant};

use contracts::{ImageId, index::IndexStatusAnswer};
use sha2::{Digest, Sha256};

use super::{Inner, PassError, index_document};
use crate::store::StoreError;

/// Documents read at a time.
const PAGE: u32 = 256;

/// Decides when to compare, and remembers what it found.
pub(super) struct Auditor {
    every: Duration,
    /// `None`: at the next opportunity.
    next: Option<Instant>,
    complete: bool,
    /// The last audit made everything pending again.
    republished: bool,
    own: Option<Manifest>,
}

/// What the indexes should hold.
struct Manifest {
    contents_version: i64,
    sha256: String,
}

enum Finding {
    /// Every index that answers holds what it should.
    Equal,
    /// At least one holds something else.
    Different,
    /// None answers, so nothing is known.
    Unknown,
}

impl Auditor {
    pub(super) fn new(every: Duration) -> Self {
        Self {
            every,
            next: None,
            complete: false,
            republished: false,
            own: None,
        }
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next.is_none_or(|next| now >= next)
    }

    /// Was everything in place, once?
    pub(super) fn complete(&self) -> bool {
        self.complete
    }

    /// Compares, and sees to it that what differs is mended. A lost index is mended by the embedder
    /// from another one if it can, else by pushing every document again.
    pub(super) async fn audit(
        &mut self,
        publisher: &Inner,
        status: IndexStatusAnswer,
    ) -> Result<(), PassError> {
        if publisher.store.unpublished().await? > 0 {
            return Ok(());
        }
        let mut finding = self.compare(publisher, &status).await?;
        if matches!(finding, Finding::Different) {
            tracing::warn!("the indexes differ from the content store; reconciling");
            publisher.embedder.reconcile().await?;
            let status = publisher.embedder.status().await?;
            publisher.index.refresh(status.generation, &status.model);
            finding = self.compare(publisher, &status).await?;
            // A write in the meantime explains a difference.
            if publisher.store.unpublished().await? > 0 {
                return Ok(());
            }
        }
        let now = Instant::now();
        match finding {
            Finding::Equal => {
                self.complete = true;
                self.republished = false;
                self.next = Some(now + self.every);
            }
            Finding::Unknown => tracing::warn!("no index answers; asking again at the next tick"),
            Finding::Different => {
                let documents = publisher.store.unacknowledge_all().await?;
                tracing::warn!(
                    documents,
                    "the indexes lack documents; publishing all again"
                );
                // Look again right after it, but go round only once a period.
                self.next = self.republished.then_some(now + self.every);
                self.republished = true;
                publisher.wake.notify_one();
            }
        }
        Ok(())
    }

    async fn compare(
        &mut self,
        publisher: &Inner,
        status: &IndexStatusAnswer,
    ) -> Result<Finding, StoreError> {
        let own = self.own_manifest(publisher).await?;
        let mut answering = status.indexes.iter().filter(|index| index.ready).peekable();
        if answering.peek().is_none() {
            return Ok(Finding::Unknown);
        }
        let equal = answering.all(|index| index.manifest_sha256 == own);
        Ok(if equal {
            Finding::Equal
        } else {
            Finding::Different
        })
    }

    /// The digest of [`contracts::index::EngineStatus::manifest_sha256`] over the store's live
    /// documents; computed again only when the store has changed.
    async fn own_manifest(&mut self, publisher: &Inner) -> Result<String, StoreError> {
        let contents_version = publisher.store.contents_version().await?;
        if let Some(own) = self
            .own
            .as_ref()
            .filter(|own| own.contents_version == contents_version)
        {
            return Ok(own.sha256.clone());
        }
        let mut digest = Sha256::new();
        let mut after: Option<ImageId> = None;
        loop {
            let page = publisher.store.list(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for document in &page {
                let hash = index_document(document).content_hash();
                digest.update(format!("{} {hash}\n", document.id));
            }
        }
        let sha256 = hex::encode(digest.finalize());
        self.own = Some(Manifest {
            contents_version,
            sha256: sha256.clone(),
        });
        Ok(sha256)
    }
}
