//! An index in memory, scanned whole: exact, and gone with the process.
//!
//! For evaluation, where every document must be a candidate, and as the plainest example of the
//! port. It keeps no data, so no configuration offers it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use contracts::{Filters, ImageId, content::Status, index::Facets};

use super::{
    Candidate, Change, IndexEntry, IndexError, IndexQuery, Manifest, ManifestEntry, VectorIndex,
};

/// A document, or the revision that deleted it.
type Held = Result<Box<IndexEntry>, i64>;

/// See the module's text.
#[derive(Default)]
pub struct MemoryIndex(Mutex<BTreeMap<ImageId, Held>>);

impl MemoryIndex {
    fn held(&self) -> MutexGuard<'_, BTreeMap<ImageId, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl VectorIndex for MemoryIndex {
    fn engine(&self) -> &'static str {
        "memory"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    async fn apply(&self, changes: Vec<Change>) -> Result<(), IndexError> {
        let mut held = self.held();
        for change in changes {
            let (id, line, new): (_, _, Held) = match change {
                Change::Put(entry) => {
                    (entry.document.id.clone(), entry.manifest_entry(), Ok(entry))
                }
                Change::Delete(tombstone) => {
                    let line = tombstone.manifest_entry();
                    (tombstone.id, line, Err(tombstone.revision))
                }
            };
            let outdated = held
                .get(&id)
                .is_some_and(|present| manifest_entry(present).outdates(&line));
            if !outdated {
                held.insert(id, new);
            }
        }
        Ok(())
    }

    async fn candidates(&self, query: IndexQuery) -> Result<Vec<Candidate>, IndexError> {
        let held = self.held();
        let entries = held.values().filter_map(|held| held.as_ref().ok());
        let fitting = entries.filter(|e| fits(&e.document.facets, &query.filters, query.status));
        // A search by words alone wants those that share a word, as the other engines answer it.
        let shares_a_word = |entry: &IndexEntry| {
            query
                .sparse
                .iter()
                .any(|(lang, sparse)| sparse.dot(entry.sparse.get(lang)) > 0.0)
        };
        let wanted = fitting.filter(|entry| query.dense.is_some() || shares_a_word(entry));
        let candidate = |entry: &IndexEntry| Candidate {
            id: entry.document.id.clone(),
            dense: entry.dense.clone(),
            sparse: entry.sparse.clone(),
        };
        Ok(wanted.map(|entry| candidate(entry)).collect())
    }

    async fn manifest(&self) -> Result<Manifest, IndexError> {
        let entry = |(id, held): (&ImageId, &Held)| (id.clone(), manifest_entry(held));
        Ok(self.held().iter().map(entry).collect())
    }

    async fn entries(&self, ids: Vec<ImageId>) -> Result<Vec<IndexEntry>, IndexError> {
        let held = self.held();
        let entry = |id| {
            held.get(id)?
                .as_ref()
                .ok()
                .map(|entry| IndexEntry::clone(entry))
        };
        Ok(ids.iter().filter_map(entry).collect())
    }
}

fn manifest_entry(held: &Held) -> ManifestEntry {
    match held {
        Ok(entry) => entry.manifest_entry(),
        Err(revision) => ManifestEntry {
            revision: *revision,
            content_hash: None,
        },
    }
}

fn fits(facets: &Facets, filters: &Filters, status: Status) -> bool {
    let any = |wanted: &[String], own: &[String]| {
        wanted.is_empty() || wanted.iter().any(|value| own.contains(value))
    };
    let everywhere = "*".to_owned();
    let territory = filters.territory.as_ref().is_none_or(|wanted| {
        facets.territories.contains(wanted) || facets.territories.contains(&everywhere)
    });
    // ISO 8601 days sort like their texts.
    let day = filters.usable_on.as_ref().is_none_or(|day| {
        facets.usable_from <= *day
            && facets
                .usable_until
                .as_ref()
                .is_none_or(|until| day <= until)
    });
    facets.status == status
        && any(&filters.themes, &facets.themes)
        && any(&filters.campaign_themes, &facets.campaign_themes)
        && any(&filters.channels, &facets.channels)
        && any(&filters.audience, &facets.audience)
        && (filters.orientation.is_empty() || filters.orientation.contains(&facets.orientation))
        && territory
        && day
}
