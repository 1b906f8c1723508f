//! Do the indexes hold what they should? They may have been lost behind our back, and the store may
//! have been restored to an older state than theirs.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use contracts::{
    ImageId,
    index::{EngineStatus, IndexStatusAnswer, ManifestDigest},
};

use super::{Inner, PassError, held, index_document};
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
#[derive(Clone)]
struct Manifest {
    contents_version: i64,
    left_out: BTreeSet<ImageId>,
    documents: u64,
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

    /// Was everything in place, once? Or is there no hope that it will be?
    pub(super) fn complete(&self) -> bool {
        self.complete
    }

    /// Compares, and sees to it that what differs is mended. A lost index is mended by the embedder
    /// from another one if it can, else by pushing every document again.
    pub(super) async fn audit(&mut self, publisher: &Inner) -> Result<(), PassError> {
        if publisher.is_anything_waiting().await? {
            return Ok(());
        }
        let left_out = publisher.left_out().ids();
        let mut own = self.own_manifest(publisher, left_out).await?;
        let mut status = publisher.status().await?;
        let mut finding = compare(publisher, &own, &status).await?;
        if matches!(finding, Finding::Different) {
            tracing::warn!("the indexes differ from the content store; reconciling");
            publisher.embedder.reconcile().await?;
            status = publisher.status().await?;
            self.own = None; // A restore may have brought back a version's number with other contents.
            own = self.own_manifest(publisher, own.left_out).await?;
            finding = compare(publisher, &own, &status).await?;
            // A write in the meantime explains a difference.
            if publisher.is_anything_waiting().await? {
                return Ok(());
            }
        }
        if !own.left_out.is_empty() {
            let left_out = own.left_out.len();
            tracing::warn!(left_out, "compared without documents that are left out");
        }
        match finding {
            Finding::Equal if own.documents == 0 && !own.left_out.is_empty() => {
                // One refused document is the document's fault, all of them are somebody else's.
                tracing::error!("not one document is published: every one is left out");
                self.next = Some(Instant::now() + self.every);
                Ok(())
            }
            Finding::Equal => {
                self.complete = true;
                self.republished = false;
                self.next = Some(Instant::now() + self.every);
                Ok(())
            }
            Finding::Unknown => {
                tracing::warn!("no index answers; asking again at the next tick");
                Ok(())
            }
            Finding::Different => self.mend(publisher, &own, &status).await,
        }
    }

    /// The indexes cannot be mended from one another: they shall hold what the store holds.
    async fn mend(
        &mut self,
        publisher: &Inner,
        own: &Manifest,
        status: &IndexStatusAnswer,
    ) -> Result<(), PassError> {
        if self.republished {
            let held: Vec<(&str, u64)> = answering(status)
                .map(|index| (index.engine.as_str(), index.documents))
                .collect();
            tracing::error!(
                documents = own.documents,
                left_out = own.left_out.len(),
                ?held,
                "the indexes differ from the content store although everything was published \
                 again; serving what they hold"
            );
            // A service that finds most documents is better than one that never becomes ready.
            self.complete = true;
        }
        let strangers = if own.documents > 0 {
            held::delete_strangers(publisher).await?
        } else {
            // Rather the wrong database, or one that is yet to be restored.
            tracing::error!(
                "the content store is empty and the indexes are not; nothing is deleted from them"
            );
            0
        };
        if strangers > 0 {
            tracing::warn!(
                documents = strangers,
                "deleted from the indexes what the content store does not know"
            );
        }
        let documents = publisher.store.unacknowledge_all().await?;
        tracing::warn!(
            documents,
            "the indexes hold other documents; publishing all again"
        );
        // Look again right after it, but go round only once a period.
        self.next = self.republished.then(|| Instant::now() + self.every);
        self.republished = true;
        publisher.wake.notify_one();
        Ok(())
    }

    /// The digest of [`EngineStatus::manifest_sha256`] over the store's live documents; computed
    /// again only when the store has changed.
    async fn own_manifest(
        &mut self,
        publisher: &Inner,
        left_out: BTreeSet<ImageId>,
    ) -> Result<Manifest, StoreError> {
        let contents_version = publisher.store.contents_version().await?;
        let holds =
            |own: &&Manifest| own.contents_version == contents_version && own.left_out == left_out;
        if let Some(own) = self.own.as_ref().filter(holds) {
            return Ok(own.clone());
        }
        let (mut digest, mut documents) = (ManifestDigest::default(), 0);
        let mut after: Option<ImageId> = None;
        loop {
            let page = publisher.store.list(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for document in page.iter().filter(|one| !left_out.contains(&one.id)) {
                let hash = index_document(document).content_hash();
                digest.add(&document.id, &hash);
                documents += 1;
            }
        }
        let own = Manifest {
            contents_version,
            left_out,
            documents,
            sha256: digest.finish(),
        };
        self.own = Some(own.clone());
        Ok(own)
    }
}

async fn compare(
    publisher: &Inner,
    own: &Manifest,
    status: &IndexStatusAnswer,
) -> Result<Finding, PassError> {
    if answering(status).next().is_none() {
        return Ok(Finding::Unknown);
    }
    let all_hold = |sha256: &str| answering(status).all(|index| index.manifest_sha256 == sha256);
    if all_hold(&own.sha256) {
        return Ok(Finding::Equal);
    }
    if own.left_out.is_empty() {
        return Ok(Finding::Different);
    }
    let held = held::manifest(&publisher.embedder, &own.left_out).await?;
    Ok(if held.without == own.sha256 && all_hold(&held.whole) {
        Finding::Equal
    } else {
        Finding::Different
    })
}

fn answering(status: &IndexStatusAnswer) -> impl Iterator<Item = &EngineStatus> {
    status.indexes.iter().filter(|index| index.ready)
}
