//! What the indexes hold, document by document.

use std::collections::BTreeSet;

use contracts::{
    ImageId,
    index::{Deletion, HeldDocument, ManifestDigest},
    limits::MAX_DOCUMENTS_PER_PUSH,
};

use super::{Inner, PassError};
use crate::embedder_client::{EmbedderClient, EmbedderError};

/// Documents read at a time; those of a page may all have to be deleted.
const PAGE: u32 = MAX_DOCUMENTS_PER_PUSH as u32;

/// Digests of what the indexes hold together, as
/// [`contracts::index::EngineStatus::manifest_sha256`] has them.
pub(super) struct HeldManifest {
    /// Of every document.
    pub whole: String,
    /// Of all but those that were to be left out.
    pub without: String,
}

/// Walks through everything that the indexes hold.
struct Pages<'a> {
    embedder: &'a EmbedderClient,
    after: Option<ImageId>,
}

impl<'a> Pages<'a> {
    fn of(embedder: &'a EmbedderClient) -> Self {
        let after = None;
        Self { embedder, after }
    }

    async fn next(&mut self) -> Result<Option<Vec<HeldDocument>>, EmbedderError> {
        let page = self.embedder.held(self.after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        self.after = Some(last.id.clone());
        Ok(Some(page))
    }
}

/// Reads what the indexes hold, with and without what is left out of publishing: of that they may
/// hold an older version, which cannot be told from here.
pub(super) async fn manifest(
    embedder: &EmbedderClient,
    left_out: &BTreeSet<ImageId>,
) -> Result<HeldManifest, EmbedderError> {
    let (mut whole, mut without) = (ManifestDigest::default(), ManifestDigest::default());
    let mut pages = Pages::of(embedder);
    while let Some(page) = pages.next().await? {
        for held in page {
            whole.add(&held.id, &held.content_hash);
            if !left_out.contains(&held.id) {
                without.add(&held.id, &held.content_hash);
            }
        }
    }
    Ok(HeldManifest {
        whole: whole.finish(),
        without: without.finish(),
    })
}

/// Deletes what the indexes hold and the store has never heard of, as after it was restored from a
/// backup, and says how many there were. Rows never leave the store, so whatever was published by
/// it is known there.
pub(super) async fn delete_strangers(publisher: &Inner) -> Result<u64, PassError> {
    let mut strangers = 0;
    let mut pages = Pages::of(&publisher.embedder);
    while let Some(page) = pages.next().await? {
        let ids: Vec<ImageId> = page.iter().map(|held| held.id.clone()).collect();
        let known: BTreeSet<ImageId> = publisher.store.known(&ids).await?.into_iter().collect();
        let deletions: Vec<Deletion> = page
            .into_iter()
            .filter(|held| !known.contains(&held.id))
            .map(|held| Deletion {
                id: held.id,
                // At the same revision a deletion wins, so the highest one does no harm.
                revision: held.revision.saturating_add(1),
            })
            .collect();
        if deletions.is_empty() {
            continue;
        }
        strangers += deletions.len() as u64;
        let answer = publisher.embedder.delete(deletions).await?;
        publisher.index.observe(answer.generation, None);
    }
    Ok(strangers)
}
