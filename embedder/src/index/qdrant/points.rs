//! Entries as points and back, changes as operations: [`crate::index::point`] in the server's types.

use std::collections::{HashMap, HashSet};

use contracts::{Filters, ImageId, content::Status};
use qdrant_client::{
    Payload,
    qdrant::{
        Condition as QdrantCondition, DenseVector, Filter, NamedVectors, PointId, PointStruct,
        PointsSelector, PointsUpdateOperation, Range, RetrievedPoint, SparseVector as QdrantSparse,
        Value, Vector, VectorsOutput, VectorsSelector,
        points_update_operation::{DeleteVectors, Operation, PointStructList},
        vector_output, vectors_output,
    },
};
use serde_json::Map;

use crate::{
    index::{
        Candidate, Change, IndexEntry, ManifestEntry, PerLanguage, Tombstone,
        point::{self, CONTENT_HASH, Condition, REVISION, VectorName},
    },
    lexical::SparseVector,
};

/// The id of a document's point.
pub fn point_id(id: &ImageId) -> PointId {
    point::point_id(id).to_string().into()
}

/// The conditions of a search.
pub fn filter(filters: &Filters, status: Status) -> Filter {
    let day = |day: i64| Some(day as f64);
    let asked = |(key, condition): (&str, Condition)| match condition {
        Condition::AnyOf(wanted) => QdrantCondition::matches(key, wanted),
        Condition::AtMost(most) => range(key, |range| range.lte = day(most)),
        Condition::AtLeast(least) => range(key, |range| range.gte = day(least)),
    };
    Filter::must(point::conditions(filters, status).into_iter().map(asked))
}

fn range(key: &str, set: impl FnOnce(&mut Range)) -> QdrantCondition {
    let mut range = Range::default();
    set(&mut range);
    QdrantCondition::range(key, range)
}

/// Changes as operations, in their order. Each carries the condition under which a point that is there already
/// may be replaced, and the server evaluates it as it applies the operation: the greater revision wins whoever
/// else writes, and a repeated or late operation changes nothing.
///
/// Puts of equal revision that follow one another share an operation, as a first publishing has them.
pub fn operations(changes: Vec<Change>) -> Vec<PointsUpdateOperation> {
    let mut operations: Vec<PointsUpdateOperation> = Vec::new();
    let mut run: Vec<IndexEntry> = Vec::new();
    let mut names: HashSet<ImageId> = HashSet::new();
    for change in changes {
        match change {
            Change::Put(entry) => {
                let fits = run
                    .first()
                    .is_none_or(|first| first.document.revision == entry.document.revision);
                if !fits || names.contains(&entry.document.id) {
                    operations.extend(puts(std::mem::take(&mut run)));
                    names.clear();
                }
                names.insert(entry.document.id.clone());
                run.push(*entry);
            }
            Change::Delete(tombstone) => {
                operations.extend(puts(std::mem::take(&mut run)));
                names.clear();
                operations.extend(delete(&tombstone));
            }
        }
    }
    operations.extend(puts(run));
    operations
}

fn puts(run: Vec<IndexEntry>) -> Option<PointsUpdateOperation> {
    let revision = run.first()?.document.revision;
    // At the same revision a document replaces a document; a tombstone stays.
    let same = Filter {
        must: vec![QdrantCondition::matches(REVISION, revision)],
        must_not: vec![QdrantCondition::is_empty(CONTENT_HASH)],
        ..Filter::default()
    };
    let points = run.into_iter().map(point_for).collect();
    Some(upsert(points, older_than(revision, same.into())))
}

/// The tombstone first, so that no crash leaves a gap; then the vectors, which a replaced point may keep.
fn delete(tombstone: &Tombstone) -> [PointsUpdateOperation; 2] {
    let id = point_id(&tombstone.id);
    let same = QdrantCondition::matches(REVISION, tombstone.revision);
    let point = PointStruct {
        id: Some(id.clone()),
        payload: Payload::from(point::tombstone_payload(tombstone)).into(),
        vectors: Some(NamedVectors::default().into()),
    };
    let bare = Filter::must([
        QdrantCondition::has_id([id]),
        QdrantCondition::is_empty(CONTENT_HASH),
    ]);
    let vectors = Operation::DeleteVectors(DeleteVectors {
        points_selector: Some(PointsSelector::from(bare)),
        vectors: Some(VectorsSelector {
            names: every_vector().map(str::to_owned).to_vec(),
        }),
        shard_key_selector: None,
    });
    [
        upsert(vec![point], older_than(tombstone.revision, same)),
        operation(vectors),
    ]
}

fn every_vector() -> [&'static str; 4] {
    let ([es, en], [words_es, words_en]) = (VectorName::DENSE, VectorName::SPARSE);
    [es, en, words_es, words_en].map(VectorName::as_str)
}

/// Ranges are doubles: exact up to 2^53, which a count of changes does not reach.
fn older_than(revision: i64, or: QdrantCondition) -> Filter {
    let older = range(REVISION, |range| range.lt = Some(revision as f64));
    Filter::should([older, or])
}

fn upsert(points: Vec<PointStruct>, only_where: Filter) -> PointsUpdateOperation {
    operation(Operation::Upsert(PointStructList {
        points,
        shard_key_selector: None,
        update_filter: Some(only_where),
        update_mode: None,
    }))
}

fn operation(operation: Operation) -> PointsUpdateOperation {
    PointsUpdateOperation {
        operation: Some(operation),
    }
}

/// A document's point. A text without a single term has an empty vector: what is not named would be kept.
pub fn point_for(entry: IndexEntry) -> PointStruct {
    let payload = point::payload(&entry);
    let id = point_id(&entry.document.id);
    let IndexEntry { dense, sparse, .. } = entry;
    let words = |vector: SparseVector| Vector::new_sparse(vector.indices, vector.values);
    let vectors = [
        (VectorName::DenseEs, Vector::new_dense(dense.es)),
        (VectorName::DenseEn, Vector::new_dense(dense.en)),
        (VectorName::SparseEs, words(sparse.es)),
        (VectorName::SparseEn, words(sparse.en)),
    ];
    let named = vectors.map(|(name, vector)| (name.as_str().to_owned(), vector));
    let named = NamedVectors {
        vectors: named.into(),
    };
    PointStruct {
        id: Some(id),
        payload: Payload::from(payload).into(),
        vectors: Some(named.into()),
    }
}

/// The line in a manifest; `None` where the payload is not of ours, or damaged.
pub fn manifest_entry(point: RetrievedPoint) -> Option<(ImageId, ManifestEntry)> {
    point::manifest_entry(&json(point.payload))
}

/// The whole entry; `None` for a tombstone.
pub fn entry(point: RetrievedPoint) -> Option<IndexEntry> {
    let (document, content_hash) = point::document(&json(point.payload))?;
    let Candidate { dense, sparse, .. } = with_vectors(document.id.clone(), point.vectors?)?;
    Some(IndexEntry {
        document,
        content_hash,
        dense,
        sparse,
    })
}

/// What a search found; `None` where a vector is missing.
pub fn candidate(payload: HashMap<String, Value>, vectors: VectorsOutput) -> Option<Candidate> {
    with_vectors(point::image_id(&json(payload))?, vectors)
}

fn with_vectors(id: ImageId, vectors: VectorsOutput) -> Option<Candidate> {
    let vectors_output::VectorsOptions::Vectors(mut named) = vectors.vectors_options? else {
        return None;
    };
    let mut take = |name: VectorName| Some(named.vectors.remove(name.as_str())?.into_vector());
    let dense = |vector| match vector {
        Some(vector_output::Vector::Dense(DenseVector { data })) => Some(data),
        _ => None,
    };
    let sparse = |vector| match vector {
        Some(vector_output::Vector::Sparse(QdrantSparse { indices, values })) => {
            SparseVector { indices, values }
        }
        // A text without a single term has no sparse vector to give back.
        _ => SparseVector::default(),
    };
    Some(Candidate {
        id,
        dense: PerLanguage {
            es: dense(take(VectorName::DenseEs))?,
            en: dense(take(VectorName::DenseEn))?,
        },
        sparse: PerLanguage {
            es: sparse(take(VectorName::SparseEs)),
            en: sparse(take(VectorName::SparseEn)),
        },
    })
}

fn json(payload: HashMap<String, Value>) -> Map<String, serde_json::Value> {
    let field = |(name, value): (String, Value)| (name, value.into_json());
    payload.into_iter().map(field).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use std::collections::BTreeMap;

    use contracts::{
        Language,
        content::Orientation,
        index::{Facets, IndexDocument, SearchText},
    };
    use proptest::{collection::vec, prelude::*, strategy::ValueTree};
    use qdrant_client::qdrant::{NamedVectorsOutput, VectorOutput, vector, vectors};

    use super::*;

    /// As a server gives back what it was given.
    fn given_back(point: PointStruct) -> RetrievedPoint {
        let Some(vectors::VectorsOptions::Vectors(named)) = point.vectors.unwrap().vectors_options
        else {
            panic!("vectors have names");
        };
        let output = |vector: Vector| match vector.vector.unwrap() {
            vector::Vector::Dense(dense) => Some(vector_output::Vector::Dense(dense)),
            // A vector without a single term is not given back.
            vector::Vector::Sparse(sparse) if sparse.indices.is_empty() => None,
            vector::Vector::Sparse(sparse) => Some(vector_output::Vector::Sparse(sparse)),
            other => panic!("{other:?}"),
        };
        let held = named.vectors.into_iter().filter_map(|(name, vector)| {
            let output = VectorOutput {
                vector: Some(output(vector)?),
                ..VectorOutput::default()
            };
            Some((name, output))
        });
        RetrievedPoint {
            id: point.id,
            payload: point.payload,
            vectors: Some(VectorsOutput {
                vectors_options: Some(vectors_output::VectorsOptions::Vectors(
                    NamedVectorsOutput {
                        vectors: held.collect(),
                    },
                )),
            }),
            ..RetrievedPoint::default()
        }
    }

    fn sparse() -> impl Strategy<Value = SparseVector> {
        let terms = proptest::collection::btree_map(0..1_u32 << 29, 0.001_f32..3.0, 0..20);
        terms.prop_map(|terms: BTreeMap<u32, f32>| terms.into_iter().collect())
    }

    fn text() -> impl Strategy<Value = SearchText> {
        (
            ".{0,40}",
            ".{0,80}",
            vec(".{0,10}", 0..4),
            vec(".{0,10}", 0..4),
        )
            .prop_map(|(title, description, hashtags, keywords)| SearchText {
                title,
                description,
                hashtags,
                keywords,
            })
    }

    fn facets() -> impl Strategy<Value = Facets> {
        let words = || vec(".{0,12}", 0..4);
        let day = || "2[0-9]{3}-0[1-9]-[0-2][1-8]";
        let status = prop_oneof![
            Just(Status::Draft),
            Just(Status::Approved),
            Just(Status::Retired)
        ];
        let lists = (words(), words(), words(), words(), words());
        (status, lists, day(), proptest::option::of(day())).prop_map(
            |(status, lists, usable_from, usable_until)| {
                let (themes, campaign_themes, channels, audience, territories) = lists;
                Facets {
                    status,
                    themes,
                    campaign_themes,
                    channels,
                    audience,
                    orientation: Orientation::Portrait,
                    territories,
                    usable_from,
                    usable_until,
                }
            },
        )
    }

    fn entries() -> impl Strategy<Value = IndexEntry> {
        let texts = (text(), proptest::option::of(text()));
        let dense = || vec(-1.0_f32..1.0, 8);
        let vectors = (dense(), dense(), sparse(), sparse());
        let slug = "[a-z]([a-z0-9]{0,20}-[a-z0-9]{1,10})?";
        (slug, any::<i64>(), texts, facets(), vectors).prop_map(
            |(slug, revision, (es, en), facets, vectors)| {
                let mut text = BTreeMap::from([(Language::Es, es)]);
                text.extend(en.map(|en| (Language::En, en)));
                let document = IndexDocument {
                    id: slug.parse().unwrap(),
                    revision,
                    text: text.into_iter().collect(),
                    facets,
                };
                let (dense_es, dense_en, sparse_es, sparse_en) = vectors;
                IndexEntry {
                    content_hash: document.content_hash(),
                    document,
                    dense: PerLanguage {
                        es: dense_es,
                        en: dense_en,
                    },
                    sparse: PerLanguage {
                        es: sparse_es,
                        en: sparse_en,
                    },
                }
            },
        )
    }

    proptest! {
        #[test]
        fn an_entry_comes_back_as_it_went(sent in entries()) {
            let stored = given_back(point_for(sent.clone()));
            let line = manifest_entry(stored.clone()).unwrap();
            prop_assert_eq!(line, (sent.document.id.clone(), sent.manifest_entry()));
            let found = candidate(stored.payload.clone(), stored.vectors.clone().unwrap()).unwrap();
            prop_assert_eq!(&found.dense, &sent.dense);
            prop_assert_eq!(&found.sparse, &sent.sparse);
            prop_assert_eq!(entry(stored), Some(sent));
        }
    }

    fn put(slug: &str, revision: i64) -> Change {
        let mut entry = entries()
            .new_tree(&mut Default::default())
            .unwrap()
            .current();
        entry.document.id = slug.parse().unwrap();
        entry.document.revision = revision;
        Change::Put(Box::new(entry))
    }

    #[test]
    fn puts_of_one_revision_share_an_operation_and_the_order_stays() {
        let gone = Change::Delete(Tombstone {
            id: "a".parse().unwrap(),
            revision: 3,
        });
        let changes = vec![
            put("a", 1),
            put("b", 1),
            put("c", 2),
            put("a", 2),
            put("a", 2),
            gone,
            put("d", 2),
        ];
        let points = |operation: PointsUpdateOperation| match operation.operation.unwrap() {
            Operation::Upsert(list) => {
                assert!(list.update_filter.is_some(), "none is unconditional");
                list.points.len()
            }
            Operation::DeleteVectors(_) => 0,
            other => panic!("{other:?}"),
        };
        let sizes: Vec<usize> = operations(changes).into_iter().map(points).collect();
        assert_eq!(sizes, [2, 2, 1, 1, 0, 1]);
        assert!(operations(Vec::new()).is_empty());
    }
}
