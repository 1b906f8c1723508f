//! What an index holds, in a form that two indexes can compare.

use std::collections::BTreeMap;

use contracts::{ContentHash, ImageId, index::ManifestDigest};

/// One document of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestEntry {
    /// Of the content store.
    pub revision: i64,
    /// `None` for a tombstone.
    pub content_hash: Option<ContentHash>,
}

impl ManifestEntry {
    /// Does this entry stand against `change`? The greater revision wins; at the same revision, a
    /// tombstone wins over a document.
    pub fn outdates(&self, change: &Self) -> bool {
        let resurrects = change.content_hash.is_some() && self.content_hash.is_none();
        change.revision < self.revision || (change.revision == self.revision && resurrects)
    }
}

/// Every id that an index holds, with content hash and revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest(BTreeMap<ImageId, ManifestEntry>);

impl Manifest {
    /// Documents, tombstones not counted.
    pub fn documents(&self) -> u64 {
        self.0
            .values()
            .filter(|entry| entry.content_hash.is_some())
            .count() as u64
    }

    /// One entry.
    pub fn get(&self, id: &ImageId) -> Option<&ManifestEntry> {
        self.0.get(id)
    }

    /// Every entry, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&ImageId, &ManifestEntry)> {
        self.0.iter()
    }

    /// SHA-256 over the lines `<id> <content hash>\n` sorted by id, tombstones left out: equal
    /// digests mean equal documents. Revisions are no part of it: a revision that changed nothing
    /// to search by may be known to one index only.
    pub fn sha256(&self) -> String {
        let mut digest = ManifestDigest::default();
        for (id, entry) in &self.0 {
            if let Some(hash) = &entry.content_hash {
                digest.add(id, hash);
            }
        }
        digest.finish()
    }

    /// The ids whose entry in `self` is newer than in `other`, or missing there.
    pub fn ahead_of(&self, other: &Self) -> Vec<(ImageId, Lead)> {
        self.0
            .iter()
            .filter_map(|(id, mine)| Some((id.clone(), lead(mine, other.get(id))?)))
            .collect()
    }
}

/// How one index is ahead of another in one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// The other lacks it.
    Missing,
    /// The other has an older version.
    Stale,
    /// The other still has it, though it was deleted.
    Extra,
}

fn lead(mine: &ManifestEntry, theirs: Option<&ManifestEntry>) -> Option<Lead> {
    let Some(theirs) = theirs else {
        // A tombstone that the other never heard of changes nothing that it holds.
        return mine.content_hash.is_some().then_some(Lead::Missing);
    };
    if mine.content_hash == theirs.content_hash {
        return None;
    }
    let newer = mine.revision > theirs.revision;
    match (&mine.content_hash, &theirs.content_hash) {
        (None, Some(_)) => (mine.revision >= theirs.revision).then_some(Lead::Extra),
        (Some(_), None) => newer.then_some(Lead::Missing),
        // Same revision, other content: an interrupted write. Either is as good as long as both
        // engines end with the same; the greater hash is a choice that both sides make alike.
        (Some(hash), Some(other)) => {
            let wins_tie = mine.revision == theirs.revision && hash.as_str() > other.as_str();
            (newer || wins_tie).then_some(Lead::Stale)
        }
        (None, None) => None,
    }
}

impl FromIterator<(ImageId, ManifestEntry)> for Manifest {
    fn from_iter<I: IntoIterator<Item = (ImageId, ManifestEntry)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}
