//! Writing: documents to vectors and terms, then to every index.
//!
//! A change counts as accepted once one index holds it durably. An index that failed is behind from
//! then on; [`reconcile`] copies what it missed, at start, on a timer, and on demand.

mod held;
pub mod reconcile;
mod standing;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use contracts::{
    ImageId, Language,
    index::{DeleteDocumentsAnswer, Deletion, HeldRevision, IndexDocument, PutDocumentsAnswer},
};
use futures::future::join_all;
use tokio::sync::{Mutex, Notify};

pub use standing::Lag;

use self::standing::Standing;
use crate::{
    index::{Change, IndexEntry, IndexError, ManifestEntry, PerLanguage, Tombstone, VectorIndex},
    lexical::{Analyzer, bm25},
    model::{EmbedError, Embedder},
    state::{Shared, document_terms, embedded_text},
};

/// Documents that the centre is computed from.
const CENTRE_SAMPLE: usize = 512;
/// Up to this many documents the centre follows every write.
const SMALL_COLLECTION: usize = 2_000;

/// What the indexes hold together: the newest of each.
type Known = BTreeMap<ImageId, ManifestEntry>;

/// Writes documents to all indexes.
pub struct Indexer {
    embedder: Arc<dyn Embedder>,
    indexes: Vec<Arc<dyn VectorIndex>>,
    shared: Arc<Shared>,
    analyzers: PerLanguage<Analyzer>,
    /// One writer at a time: a later revision must not overtake an earlier one.
    known: Mutex<Known>,
    lagging: AtomicBool,
    /// Of each index, in their order.
    standings: Vec<Standing>,
    repair_wanted: Notify,
}

/// Why a change was not accepted. Nothing of it is lost: the sender keeps it and sends it again.
#[derive(Debug, thiserror::Error)]
pub enum IndexingError {
    /// The texts could not be embedded.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// No index took it.
    #[error("no index accepted the change: {0}")]
    Refused(IndexError),
}

impl Indexer {
    /// Writes to all of `indexes`. [`Self::reconcile`] must run once before the first write, to
    /// learn what they hold.
    pub fn new(
        embedder: Arc<dyn Embedder>,
        indexes: Vec<Arc<dyn VectorIndex>>,
        shared: Arc<Shared>,
    ) -> Self {
        let standings = indexes.iter().map(|index| Standing::of(index.engine()));
        Self {
            embedder,
            standings: standings.collect(),
            indexes,
            shared,
            analyzers: PerLanguage::from_fn(Analyzer::new),
            known: Mutex::default(),
            lagging: AtomicBool::new(false),
            repair_wanted: Notify::new(),
        }
    }

    /// Inserts or replaces documents. Those that the indexes hold already cost nothing, and those
    /// that the indexes hold newer are named in the answer instead of written.
    pub async fn put(
        &self,
        documents: Vec<IndexDocument>,
    ) -> Result<PutDocumentsAnswer, IndexingError> {
        let mut known = self.known.lock().await;
        let total = documents.len();
        let (ahead, documents) = held::split_ahead(&known, documents);
        let current = total - ahead.len();
        let newer: Vec<IndexDocument> = documents
            .into_iter()
            .filter(|document| is_news(&known, document))
            .collect();
        let (mut entries, changed) = self.renew(newer, &known).await;
        let written = changed.len();
        let answer = |generation| PutDocumentsAnswer {
            written: written as u32,
            unchanged: (current - written) as u32,
            generation,
            ahead,
        };
        entries.extend(self.prepare(changed).await?);
        if entries.is_empty() {
            return Ok(answer(self.shared.generation()));
        }
        let changes: Vec<Change> = entries
            .iter()
            .map(|entry| Change::Put(Box::new(entry.clone())))
            .collect();
        self.apply_everywhere(changes).await?;
        for entry in &entries {
            let (id, new) = (&entry.document.id, entry.manifest_entry());
            // A push may name a document twice.
            if !known.get(id).is_some_and(|present| present.outdates(&new)) {
                self.learn(&entry.document);
                known.insert(id.clone(), new);
            }
        }
        let generation = if written > 0 {
            self.keep_centre(&known).await;
            self.shared.bump()
        } else {
            self.shared.generation()
        };
        Ok(answer(generation))
    }

    /// Splits newer revisions into entries that need no embedding, because an index holds the same
    /// content under an older revision, and documents that do. The newer revision must be stored:
    /// a late write of a revision between the two would win otherwise.
    async fn renew(
        &self,
        documents: Vec<IndexDocument>,
        known: &Known,
    ) -> (Vec<IndexEntry>, Vec<IndexDocument>) {
        let (same, mut changed): (Vec<_>, Vec<_>) = documents.into_iter().partition(|document| {
            let held = known.get(&document.id);
            held.is_some_and(|held| held.content_hash == Some(document.content_hash()))
        });
        if same.is_empty() {
            return (Vec::new(), changed);
        }
        let ids: Vec<ImageId> = same.iter().map(|document| document.id.clone()).collect();
        let mut held: HashMap<ImageId, IndexEntry> = HashMap::new();
        for index in &self.indexes {
            match index.entries(ids.clone()).await {
                Ok(entries) => {
                    held.extend(entries.into_iter().map(|e| (e.document.id.clone(), e)));
                    break;
                }
                Err(error) => tracing::warn!(%error, "entries are read from another index"),
            }
        }
        let mut renewed = Vec::with_capacity(same.len());
        for document in same {
            match held.get(&document.id) {
                Some(entry) if entry.content_hash == document.content_hash() => {
                    renewed.push(IndexEntry {
                        document,
                        ..entry.clone()
                    });
                }
                _ => changed.push(document),
            }
        }
        (renewed, changed)
    }

    /// Removes documents, leaving tombstones.
    pub async fn delete(
        &self,
        deletions: Vec<Deletion>,
    ) -> Result<DeleteDocumentsAnswer, IndexingError> {
        let mut known = self.known.lock().await;
        let changes: Vec<Change> = deletions
            .iter()
            .map(|deletion| {
                let Deletion { id, revision } = deletion.clone();
                Change::Delete(Tombstone { id, revision })
            })
            .collect();
        self.apply_everywhere(changes).await?;
        let (mut deleted, mut ahead) = (0, Vec::new());
        for Deletion { id, revision } in deletions {
            let former = known.get(&id);
            if let Some(entry) = former.filter(|entry| entry.revision > revision) {
                if entry.content_hash.is_some() {
                    let revision = entry.revision;
                    ahead.push(HeldRevision { id, revision });
                }
                continue;
            }
            if former.is_some_and(|entry| entry.content_hash.is_some()) {
                deleted += 1;
            }
            self.forget(&id);
            known.insert(
                id,
                ManifestEntry {
                    revision,
                    content_hash: None,
                },
            );
        }
        if deleted == 0 {
            let generation = self.shared.generation();
            return Ok(DeleteDocumentsAnswer {
                deleted,
                generation,
                ahead,
            });
        }
        self.keep_centre(&known).await;
        Ok(DeleteDocumentsAnswer {
            deleted,
            generation: self.shared.bump(),
            ahead,
        })
    }

    /// Every index, the primary first.
    pub fn indexes(&self) -> &[Arc<dyn VectorIndex>] {
        &self.indexes
    }

    /// How far each index lags, the primary first.
    pub fn lags(&self) -> impl Iterator<Item = Lag> {
        self.standings.iter().map(Standing::lag)
    }

    /// Completes when an index has missed a change and should be repaired soon.
    pub async fn repair_wanted(&self) {
        self.repair_wanted.notified().await;
    }

    async fn prepare(&self, documents: Vec<IndexDocument>) -> Result<Vec<IndexEntry>, EmbedError> {
        let texts: Vec<String> = documents
            .iter()
            .flat_map(|document| Language::ALL.map(|language| embedded_text(document, language)))
            .collect();
        let mut vectors = self
            .embedder
            .embed(texts)
            .await?
            .into_iter()
            .map(|embedded| embedded.embedding);
        let mut next = || vectors.next().ok_or(EmbedError::Stopped);
        documents
            .into_iter()
            .map(|document| {
                let dense = PerLanguage {
                    es: next()?,
                    en: next()?,
                };
                let terms = document_terms(&document, &self.analyzers);
                let sparse =
                    PerLanguage::from_fn(|language| bm25::document_weights(terms.get(language)));
                let content_hash = document.content_hash();
                Ok(IndexEntry {
                    document,
                    content_hash,
                    dense,
                    sparse,
                })
            })
            .collect()
    }

    /// Moves the centre after a write, while that is cheap; a large collection's centre hardly
    /// moves with one write, and each reconciliation moves it too.
    async fn keep_centre(&self, known: &Known) {
        if known.len() <= SMALL_COLLECTION {
            self.move_centre(known).await;
        }
    }

    /// Computes the collection's centre from an even sample of its documents.
    async fn move_centre(&self, known: &Known) {
        let mut ids: Vec<ImageId> = known
            .iter()
            .filter(|(_, entry)| entry.content_hash.is_some())
            .map(|(id, _)| id.clone())
            .collect();
        ids.sort_unstable();
        let step = ids.len().div_ceil(CENTRE_SAMPLE).max(1);
        let sample: Vec<ImageId> = ids.into_iter().step_by(step).collect();
        for index in &self.indexes {
            match index.entries(sample.clone()).await {
                Ok(entries) => return self.shared.set_centre(mean_vectors(&entries)),
                Err(error) => tracing::warn!(%error, "index left out of the centre"),
            }
        }
    }

    /// Counts the document's terms for IDF, spelling and language guesses.
    fn learn(&self, document: &IndexDocument) {
        let terms = document_terms(document, &self.analyzers);
        self.shared.update(|lexicons| {
            lexicons.es.put(&document.id, &terms.es);
            lexicons.en.put(&document.id, &terms.en);
        });
    }

    fn forget(&self, id: &ImageId) {
        self.shared.update(|lexicons| {
            lexicons.es.remove(id);
            lexicons.en.remove(id);
        });
    }

    async fn apply_everywhere(&self, changes: Vec<Change>) -> Result<(), IndexingError> {
        let count = changes.len();
        let writes = self
            .indexes
            .iter()
            .map(|index| index.apply(changes.clone()));
        let outcomes = join_all(writes).await;
        let accepted = outcomes.iter().any(Result::is_ok);
        let mut failures: Vec<IndexError> = Vec::new();
        for (outcome, standing) in outcomes.into_iter().zip(&self.standings) {
            match outcome {
                Ok(()) => standing.wrote(),
                Err(error) => {
                    // What nobody took is behind in nobody: the sender keeps it.
                    standing.missed(if accepted { count } else { 0 });
                    failures.push(error);
                }
            }
        }
        if !accepted {
            return Err(IndexingError::Refused(failures.swap_remove(0)));
        }
        for error in failures {
            tracing::warn!(%error, "an index missed a change and will be repaired");
            self.lagging.store(true, Ordering::Release);
            self.repair_wanted.notify_one();
        }
        Ok(())
    }
}

fn mean_vectors(entries: &[IndexEntry]) -> PerLanguage<Vec<f32>> {
    PerLanguage::from_fn(|language| {
        let mut sum: Vec<f32> = Vec::new();
        for entry in entries {
            let vector = entry.dense.get(language);
            sum.resize(vector.len(), 0.0);
            sum.iter_mut()
                .zip(vector)
                .for_each(|(sum, x)| *sum += x / entries.len() as f32);
        }
        sum
    })
}

fn is_news(known: &Known, document: &IndexDocument) -> bool {
    let new = ManifestEntry {
        revision: document.revision,
        content_hash: Some(document.content_hash()),
    };
    known
        .get(&document.id)
        .is_none_or(|present| *present != new && !present.outdates(&new))
}
