//! Are all stores equal? What was accepted, what the content store holds, what each index holds.

use std::collections::BTreeMap;

use content_api::index_document;
use contracts::{ContentDocument, ImageId};
use embedder::index::{Manifest, ManifestEntry};

use super::ledger::{Facts, State};

/// What everybody holds, read while nothing runs that could mend it.
#[derive(Default)]
pub struct Holdings {
    /// The soak's ledger.
    pub accepted: BTreeMap<ImageId, State>,
    /// The content store.
    pub stored: BTreeMap<ImageId, ContentDocument>,
    /// Each index with its engine's name.
    pub indexes: Vec<(String, Manifest)>,
}

impl Holdings {
    /// Every difference, in words.
    pub fn differences(&self) -> Vec<String> {
        let mut found = self.store_differences();
        for (engine, manifest) in &self.indexes {
            found.extend(self.index_differences(engine, manifest));
        }
        found.extend(self.lost_revisions());
        found
    }

    fn store_differences(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (id, state) in &self.accepted {
            match (state, self.stored.get(id)) {
                (State::Absent, Some(stored)) => found.push(format!(
                    "content store: {id} was deleted, and is there in revision {}",
                    stored.revision
                )),
                (State::There(facts), None) => found.push(format!(
                    "content store: {id} is missing; accepted was revision {}",
                    facts.revision
                )),
                (State::There(facts), Some(stored)) if !facts.fits(&Facts::of(stored)) => {
                    let stored = Facts::of(stored);
                    found.push(format!("content store: {id} is {stored:?}, not {facts:?}"));
                }
                _ => {}
            }
        }
        let unheard = self.stored.keys();
        let unheard = unheard.filter(|id| !self.accepted.contains_key(*id));
        found.extend(unheard.map(|id| format!("content store: nobody stored {id}")));
        found
    }

    fn index_differences(&self, engine: &str, manifest: &Manifest) -> Vec<String> {
        let mut found = Vec::new();
        let stored = self.stored.len() as u64;
        if manifest.documents() != stored {
            let held = manifest.documents();
            found.push(format!(
                "{engine}: {held} documents, and {stored} are stored"
            ));
        }
        for (id, document) in &self.stored {
            let wanted = index_document(document).content_hash();
            match manifest.get(id) {
                Some(entry) if entry.revision > document.revision => found.push(format!(
                    "{engine}: {id} in revision {}, and the store is at {}",
                    entry.revision, document.revision
                )),
                Some(ManifestEntry {
                    content_hash: Some(held),
                    ..
                }) if *held == wanted => {}
                Some(ManifestEntry {
                    content_hash: Some(_),
                    revision,
                }) => found.push(format!("{engine}: {id} is stale, of revision {revision}")),
                _ => found.push(format!("{engine}: {id} is missing")),
            }
        }
        let extra = manifest
            .iter()
            .filter(|(id, entry)| entry.content_hash.is_some() && !self.stored.contains_key(*id));
        found.extend(extra.map(|(id, _)| format!("{engine}: {id} is not in the store")));
        found
    }

    /// A revision that changed nothing to search by may be known to one index only, but not to none.
    fn lost_revisions(&self) -> Vec<String> {
        let highest = |id: &ImageId| {
            let held = self.indexes.iter().filter_map(|(_, held)| held.get(id));
            held.map(|entry| entry.revision).max()
        };
        let behind = self.stored.iter().filter_map(|(id, document)| {
            let held = highest(id)?;
            (held < document.revision).then(|| {
                let revision = document.revision;
                format!("indexes: {id} in revision {held} at most, and the store is at {revision}")
            })
        });
        behind.collect()
    }
}

#[cfg(test)]
mod tests {
    use contracts::content::Status;

    use super::*;

    /// Some documents that everybody holds alike.
    fn equal() -> Holdings {
        let mut holdings = Holdings::default();
        let mut manifest = Vec::new();
        for entry in images::Catalogue::bundled()
            .unwrap()
            .entries()
            .iter()
            .take(3)
        {
            let draft = content_api::seed::draft(entry);
            let time = service_kit::Clock::system().now();
            let document = draft.into_document(2, time, time);
            let id = document.id.clone();
            let held = ManifestEntry {
                revision: 2,
                content_hash: Some(index_document(&document).content_hash()),
            };
            manifest.push((id.clone(), held));
            let accepted = State::There(Facts::of(&document));
            holdings.accepted.insert(id.clone(), accepted);
            holdings.stored.insert(id, document);
        }
        for engine in ["one", "two"] {
            let copy = manifest.iter().cloned().collect();
            holdings.indexes.push((engine.to_owned(), copy));
        }
        holdings
    }

    fn first(holdings: &Holdings) -> ImageId {
        holdings.stored.keys().next().unwrap().clone()
    }

    /// Changes one entry of the second index.
    fn with_entry(change: impl Fn(ManifestEntry) -> Option<ManifestEntry>) -> Vec<String> {
        let mut holdings = equal();
        let id = first(&holdings);
        let entries = holdings.indexes[1].1.iter();
        let changed = entries.filter_map(|(other, entry)| {
            let entry = if *other == id {
                change(entry.clone())?
            } else {
                entry.clone()
            };
            Some((other.clone(), entry))
        });
        holdings.indexes[1].1 = changed.collect();
        holdings.differences()
    }

    #[test]
    fn equal_holdings_have_no_difference() {
        assert_eq!(equal().differences(), [""; 0]);
    }

    #[test]
    fn what_an_index_lacks_or_holds_otherwise_is_told() {
        let missing = with_entry(|_| None);
        assert!(
            missing[0].contains("two: 2 documents, and 3"),
            "{missing:?}"
        );
        assert!(missing[1].contains("is missing"), "{missing:?}");
        let stale = with_entry(|entry| {
            Some(ManifestEntry {
                content_hash: Some(contracts::ContentHash::of("other")),
                ..entry
            })
        });
        assert!(stale[0].contains("is stale"), "{stale:?}");
        let ahead = with_entry(|entry| {
            let revision = 3;
            Some(ManifestEntry { revision, ..entry })
        });
        assert!(ahead[0].contains("in revision 3"), "{ahead:?}");
        let deleted = with_entry(|entry| {
            Some(ManifestEntry {
                content_hash: None,
                ..entry
            })
        });
        assert_eq!(deleted.len(), 2, "{deleted:?}");
        // One index may not have heard of a revision that changed nothing to search by.
        let behind = with_entry(|entry| {
            let revision = 1;
            Some(ManifestEntry { revision, ..entry })
        });
        assert_eq!(behind, [""; 0]);
    }

    #[test]
    fn what_an_index_should_not_hold_is_told() {
        let mut holdings = equal();
        let id = first(&holdings);
        holdings.stored.remove(&id);
        holdings.accepted.insert(id, State::Absent);
        let found = holdings.differences();
        let extra = found
            .iter()
            .filter(|one| one.contains("is not in the store"));
        assert_eq!(extra.count(), 2, "{found:?}");
    }

    #[test]
    fn a_lost_or_undone_write_is_told() {
        let mut holdings = equal();
        let id = first(&holdings);
        holdings.accepted.insert(id.clone(), State::Absent);
        assert!(holdings.differences()[0].contains("was deleted"));
        let stored = Facts::of(&holdings.stored[&id]);
        let newer = Facts {
            revision: 3,
            status: Status::Retired,
            ..stored
        };
        holdings.accepted.insert(id.clone(), State::There(newer));
        assert!(holdings.differences()[0].contains("content store"));
        holdings.accepted.remove(&id);
        assert!(holdings.differences()[0].contains("nobody stored"));
        let mut holdings = equal();
        holdings.stored.remove(&id);
        assert!(holdings.differences()[0].contains("is missing"));
    }

    #[test]
    fn a_revision_that_no_index_heard_of_is_told() {
        let mut holdings = equal();
        let id = first(&holdings);
        let stored = holdings.stored.get_mut(&id).unwrap();
        stored.revision = 3;
        let accepted = State::There(Facts::of(stored));
        holdings.accepted.insert(id, accepted);
        let found = holdings.differences();
        assert!(found[0].contains("in revision 2 at most"), "{found:?}");
    }
}
