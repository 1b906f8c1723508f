//! What the indexes hold, told to the content store, which may have been restored to an older state.

use std::ops::Bound;

use contracts::{
    ImageId,
    index::{HeldDocument, HeldRevision, IndexDocument},
};

use super::{Indexer, Known};

impl Indexer {
    /// Up to `limit` documents with ids after `after`, ascending: the newest that an index held when
    /// they were last reconciled or written to. Tombstones are left out.
    pub async fn held(&self, after: Option<&ImageId>, limit: usize) -> Vec<HeldDocument> {
        let known = self.known.lock().await;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        known
            .range::<ImageId, _>((from, Bound::Unbounded))
            .filter_map(|(id, entry)| {
                Some(HeldDocument {
                    id: id.clone(),
                    revision: entry.revision,
                    content_hash: entry.content_hash.clone()?,
                })
            })
            .take(limit)
            .collect()
    }
}

/// Parts documents that an index holds in another content under an equal or higher revision from
/// all others. Whoever sent them decides: nothing here can tell a late push from a restored store.
pub(super) fn split_ahead(
    known: &Known,
    documents: Vec<IndexDocument>,
) -> (Vec<HeldRevision>, Vec<IndexDocument>) {
    let (mut ahead, mut others) = (Vec::new(), Vec::with_capacity(documents.len()));
    for document in documents {
        let held = known.get(&document.id).filter(|held| {
            held.revision >= document.revision && held.content_hash != Some(document.content_hash())
        });
        match held {
            Some(held) => ahead.push(HeldRevision {
                id: document.id,
                revision: held.revision,
            }),
            None => others.push(document),
        }
    }
    (ahead, others)
}
