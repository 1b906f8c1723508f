//! What every `VectorIndex` promises: one suite, run on each adapter by [`super::index_adapters`].

use contracts::{
    Filters, ImageId,
    content::{Orientation, Status},
    index::Facets,
};
use embedder::{
    index::{Candidate, Change, IndexEntry, IndexQuery, PerLanguage, Tombstone, VectorIndex},
    lexical::SparseVector,
};

use crate::harness::{id, plain, unit};

pub use crate::index_filters::filters_are_part_of_the_retrieval;

pub const DIMENSIONS: usize = 16;

/// Says which engine keeps the promises. `adapter` is its module: a stand-in gives the version that it
/// stands in for.
pub fn announce(index: &dyn VectorIndex, adapter: &str) {
    let server = format!("{} {} ({adapter})", index.engine(), index.version());
    test_support::contract("VectorIndex", &server);
}

/// A unit vector that leans to one axis, a little less the greater `off` is.
pub fn leaning(axis: usize, off: f32) -> Vec<f32> {
    let mut vector = vec![0.01; DIMENSIONS];
    vector[axis] = 1.0;
    vector[(axis + 1) % DIMENSIONS] = off;
    unit(vector)
}

pub fn sparse(weights: &[(u32, f32)]) -> SparseVector {
    weights.iter().copied().collect()
}

/// An entry whose vectors lean to axis 0 in Spanish and axis 4 in English, holding term 7 in Spanish
/// and term 9 in English.
pub fn entry(slug: &str, revision: i64, word: &str) -> IndexEntry {
    let document = plain(slug, revision, word);
    IndexEntry {
        content_hash: document.content_hash(),
        document,
        dense: PerLanguage {
            es: leaning(0, 0.1),
            en: leaning(4, 0.1),
        },
        sparse: PerLanguage {
            es: sparse(&[(7, 1.25), (1 << 28, 0.5)]),
            en: sparse(&[(9, 0.75)]),
        },
    }
}

pub fn put(entry: &IndexEntry) -> Change {
    Change::Put(Box::new(entry.clone()))
}

pub fn delete(slug: &str, revision: i64) -> Change {
    Change::Delete(Tombstone {
        id: id(slug),
        revision,
    })
}

pub fn nearest_to(dense: Vec<f32>) -> IndexQuery {
    IndexQuery {
        dense: Some(dense),
        sparse: PerLanguage::default(),
        filters: Filters::default(),
        status: Status::Approved,
        depth: 5,
    }
}

pub fn with_words(es: SparseVector, en: SparseVector) -> IndexQuery {
    IndexQuery {
        dense: None,
        sparse: PerLanguage { es, en },
        ..nearest_to(Vec::new())
    }
}

pub async fn found(index: &dyn VectorIndex, query: IndexQuery) -> Vec<ImageId> {
    let candidates = index.candidates(query).await.unwrap();
    let mut ids: Vec<ImageId> = candidates.into_iter().map(|c| c.id).collect();
    let every = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), every, "a candidate comes back once");
    ids
}

async fn held(index: &dyn VectorIndex, slug: &str) -> Option<IndexEntry> {
    index.entries(vec![id(slug)]).await.unwrap().pop()
}

pub async fn starts_empty(index: &dyn VectorIndex) {
    let manifest = index.manifest().await.unwrap();
    assert_eq!((manifest.documents(), manifest.iter().count()), (0, 0));
    assert!(found(index, nearest_to(leaning(0, 0.0))).await.is_empty());
    assert!(held(index, "a").await.is_none());
    assert!(!index.engine().is_empty() && !index.version().is_empty());
    index.apply(Vec::new()).await.unwrap();
}

pub async fn entries_come_back_exactly(index: &dyn VectorIndex) {
    let mut full = entry("full", i64::MAX, "¿Ñandú? «🎉» \u{202e}\t\"\\ 'x'");
    full.dense.es = unit((0..16).map(|x| 0.1 + x as f32 / 7.0).collect());
    full.document.facets = Facets {
        status: Status::Draft,
        themes: vec!["a b".to_owned(), "ñ,{}\"".to_owned()],
        campaign_themes: Vec::new(),
        orientation: Orientation::Square,
        territories: vec!["CR".to_owned(), "MX".to_owned()],
        usable_until: Some("2026-02-28".to_owned()),
        ..full.document.facets
    };
    full.content_hash = full.document.content_hash();
    index.apply(vec![put(&full)]).await.unwrap();
    assert_eq!(held(index, "full").await, Some(full.clone()));

    let draft = IndexQuery {
        status: Status::Draft,
        ..nearest_to(leaning(0, 0.0))
    };
    let candidates = index.candidates(draft).await.unwrap();
    let expected = Candidate {
        id: id("full"),
        dense: full.dense,
        sparse: full.sparse,
    };
    assert_eq!(candidates, [expected]);
}

pub async fn the_greater_revision_wins(index: &dyn VectorIndex) {
    let newer = entry("a", 5, "newer");
    index
        .apply(vec![put(&entry("a", 3, "first")), put(&newer)])
        .await
        .unwrap();
    index
        .apply(vec![put(&entry("a", 4, "late"))])
        .await
        .unwrap();
    assert_eq!(held(index, "a").await, Some(newer));

    let replaced = entry("a", 5, "same revision again");
    index.apply(vec![put(&replaced)]).await.unwrap();
    assert_eq!(held(index, "a").await, Some(replaced.clone()));
    index.apply(vec![delete("a", 4)]).await.unwrap();
    assert_eq!(held(index, "a").await, Some(replaced));
}

pub async fn a_tombstone_stays(index: &dyn VectorIndex) {
    index.apply(vec![put(&entry("a", 5, "x"))]).await.unwrap();
    index.apply(vec![delete("a", 5)]).await.unwrap();
    assert!(held(index, "a").await.is_none());
    for late in [4, 5] {
        index
            .apply(vec![put(&entry("a", late, "late"))])
            .await
            .unwrap();
        assert!(held(index, "a").await.is_none(), "revision {late} revived");
    }
    let query = IndexQuery {
        sparse: PerLanguage {
            es: sparse(&[(7, 1.0)]),
            en: sparse(&[(9, 1.0)]),
        },
        ..nearest_to(leaning(0, 0.1))
    };
    assert!(found(index, query).await.is_empty());
    let manifest = index.manifest().await.unwrap();
    assert_eq!(manifest.documents(), 0);
    let tombstone = manifest.get(&id("a")).unwrap();
    assert_eq!(
        (tombstone.revision, &tombstone.content_hash),
        (5, &None),
        "the deletion is remembered"
    );

    let reborn = entry("a", 6, "reborn");
    index.apply(vec![put(&reborn)]).await.unwrap();
    assert_eq!(held(index, "a").await, Some(reborn));
}

pub async fn deleting_the_unknown_is_remembered(index: &dyn VectorIndex) {
    index
        .apply(vec![delete("ghost", 8), delete("ghost", 2)])
        .await
        .unwrap();
    index
        .apply(vec![put(&entry("ghost", 7, "late"))])
        .await
        .unwrap();
    assert!(held(index, "ghost").await.is_none());
    let manifest = index.manifest().await.unwrap();
    assert_eq!(manifest.get(&id("ghost")).unwrap().revision, 8);
}

pub async fn changes_apply_in_order(index: &dyn VectorIndex) {
    let last = entry("a", 3, "last");
    let changes = vec![
        put(&entry("a", 1, "first")),
        delete("a", 2),
        put(&last),
        put(&entry("b", 2, "b")),
        delete("b", 2),
        put(&entry("b", 1, "late")),
    ];
    index.apply(changes).await.unwrap();
    let ids = ["a", "b", "unknown"].map(id).to_vec();
    assert_eq!(index.entries(ids).await.unwrap(), [last]);
}

pub async fn meaning_is_found_in_either_language(index: &dyn VectorIndex) {
    let mut spanish = entry("spanish", 1, "x");
    spanish.dense = PerLanguage {
        es: leaning(8, 0.0),
        en: leaning(12, 0.0),
    };
    let mut english = entry("english", 1, "x");
    english.dense = PerLanguage {
        es: leaning(12, 0.0),
        en: leaning(8, 0.0),
    };
    let others = (0..20).map(|n| put(&entry(&format!("other-{n}"), 1, "x")));
    let changes = [put(&spanish), put(&english)].into_iter().chain(others);
    index.apply(changes.collect()).await.unwrap();
    let one_each = IndexQuery {
        depth: 1,
        ..nearest_to(leaning(8, 0.0))
    };
    let ids = found(index, one_each).await;
    assert!(
        ids.contains(&id("english")) && ids.contains(&id("spanish")),
        "{ids:?}"
    );
}

pub async fn words_are_found_in_their_language(index: &dyn VectorIndex) {
    let mut wordless = entry("wordless", 1, "🎉");
    wordless.sparse = PerLanguage::default();
    let mut other = entry("other", 1, "x");
    other.sparse.es = sparse(&[(8, 2.0)]);
    other.sparse.en = SparseVector::default();
    let changes = [put(&entry("a", 1, "x")), put(&wordless), put(&other)];
    index.apply(changes.to_vec()).await.unwrap();
    assert_eq!(held(index, "wordless").await, Some(wordless));
    assert_eq!(held(index, "other").await, Some(other));

    let none = SparseVector::default;
    for (es, en, expected) in [
        (sparse(&[(7, 1.0)]), none(), &["a"] as &[&str]),
        (none(), sparse(&[(9, 2.0)]), &["a"]),
        (none(), sparse(&[(7, 2.0)]), &[]),
        (sparse(&[(7, 1.0), (8, 0.1)]), none(), &["a", "other"]),
        (sparse(&[(1000, 1.0)]), none(), &[]),
        (none(), none(), &[]),
    ] {
        let ids = found(index, with_words(es.clone(), en.clone())).await;
        let expected: Vec<ImageId> = expected.iter().map(|slug| id(slug)).collect();
        assert_eq!(ids, expected, "es {es:?}, en {en:?}");
    }
    let both = IndexQuery {
        sparse: PerLanguage {
            es: sparse(&[(8, 1.0)]),
            en: none(),
        },
        depth: 1,
        ..nearest_to(leaning(0, 0.1))
    };
    let ids = found(index, both).await;
    assert!(
        ids.contains(&id("other")) && ids.len() >= 2,
        "words and meaning: {ids:?}"
    );
}

/// As many distinct terms as a text may have: pgvector indexes at most 1,000.
pub async fn long_texts_and_long_queries_fit(index: &dyn VectorIndex) {
    let words: Vec<String> = (0..3_000).map(|n| format!("palabra{n}x")).collect();
    let terms = embedder::lexical::Analyzer::new(contracts::Language::Es).terms(&words.join(" "));
    assert_eq!(terms.len(), 3_000);
    let mut long = entry("long", 1, "x");
    long.sparse.es = embedder::lexical::bm25::document_weights(&terms);
    index.apply(vec![put(&long)]).await.unwrap();
    assert_eq!(held(index, "long").await, Some(long));
    let every = terms
        .iter()
        .map(|term| (embedder::lexical::bm25::term_index(&term.stem), 1.0));
    let query = with_words(every.collect(), SparseVector::default());
    assert_eq!(found(index, query).await, [id("long")]);
}
