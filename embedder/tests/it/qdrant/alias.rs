//! The alias points at a collection that is whole, whatever is built beside it.

use contracts::ModelId;
use embedder::index::{VectorIndex, qdrant::QdrantIndex};

use super::{Double, connect};
use crate::index_contract::{DIMENSIONS, delete, entry, put};

const ALIAS: &str = "promptsales_live";

fn target(double: &Double) -> Option<String> {
    double.state().aliases.get(ALIAS).cloned()
}

fn alias_changes(double: &Double) -> usize {
    let state = double.state();
    let changes = state.calls.iter().filter(|call| **call == "update_aliases");
    changes.count()
}

async fn other_model(double: &Double) -> QdrantIndex {
    let settings = double.options().check().unwrap();
    let model = ModelId::new("better-model");
    QdrantIndex::connect(&settings, &model, DIMENSIONS * 2)
        .await
        .unwrap()
}

/// As the larger model embeds it.
fn reembedded(slug: &str, revision: i64) -> embedder::index::IndexEntry {
    let mut entry = entry(slug, revision, "x");
    entry.dense.es.resize(DIMENSIONS * 2, 0.0);
    entry.dense.en.resize(DIMENSIONS * 2, 0.0);
    entry
}

#[tokio::test]
async fn a_first_collection_is_live_at_once_and_asks_no_more() {
    let double = Double::start().await;
    let index = connect(double.options()).await.unwrap();
    assert_eq!(target(&double), None);
    index.maintain().await.unwrap();
    assert_eq!(target(&double).as_deref(), Some(index.collection()));
    let calls = double.state().calls.len();
    index.maintain().await.unwrap();
    assert_eq!(double.state().calls.len(), calls, "nothing is asked twice");
    connect(double.options())
        .await
        .unwrap()
        .maintain()
        .await
        .unwrap();
    assert_eq!(alias_changes(&double), 1, "a restart changes nothing");
}

#[tokio::test]
async fn a_new_models_collection_is_built_beside_and_swapped_when_it_is_whole() {
    let double = Double::start().await;
    let old = connect(double.options()).await.unwrap();
    let changes = vec![
        put(&entry("a", 1, "x")),
        put(&entry("b", 2, "x")),
        delete("c", 1),
    ];
    old.apply(changes).await.unwrap();
    old.maintain().await.unwrap();

    let new = other_model(&double).await;
    new.maintain().await.unwrap();
    assert_eq!(target(&double).as_deref(), Some(old.collection()), "empty");
    new.apply(vec![put(&reembedded("a", 1)), put(&reembedded("b", 1))])
        .await
        .unwrap();
    new.apply(vec![put(&reembedded("b", 2))]).await.unwrap();
    // A document that the old one got meanwhile.
    old.apply(vec![put(&entry("d", 1, "x"))]).await.unwrap();
    new.maintain().await.unwrap();
    assert_eq!(target(&double).as_deref(), Some(old.collection()), "behind");
    assert_eq!(alias_changes(&double), 1);

    new.apply(vec![put(&reembedded("d", 1))]).await.unwrap();
    new.maintain().await.unwrap();
    assert_eq!(target(&double).as_deref(), Some(new.collection()));
    assert_eq!(alias_changes(&double), 2, "old and new in one change");
    assert_eq!(
        old.manifest().await.unwrap().documents(),
        3,
        "kept, to go back to"
    );

    // A replica that still runs the old model does not pull the alias back.
    old.maintain().await.unwrap();
    assert_eq!(target(&double).as_deref(), Some(new.collection()));
}

#[tokio::test]
async fn going_back_to_the_old_model_swaps_again_once_it_is_level() {
    let double = Double::start().await;
    let old = connect(double.options()).await.unwrap();
    old.apply(vec![put(&entry("a", 1, "x"))]).await.unwrap();
    old.maintain().await.unwrap();
    let new = other_model(&double).await;
    new.apply(vec![put(&reembedded("a", 1)), put(&reembedded("b", 1))])
        .await
        .unwrap();
    new.maintain().await.unwrap();
    assert_eq!(target(&double).as_deref(), Some(new.collection()));

    let back = connect(double.options()).await.unwrap();
    back.maintain().await.unwrap();
    assert_eq!(
        target(&double).as_deref(),
        Some(new.collection()),
        "lacks b"
    );
    back.apply(vec![put(&entry("b", 1, "x"))]).await.unwrap();
    back.maintain().await.unwrap();
    assert_eq!(target(&double).as_deref(), Some(back.collection()));
}

#[tokio::test]
async fn an_alias_whose_collection_was_dropped_is_taken_over() {
    let double = Double::start().await;
    let old = connect(double.options()).await.unwrap();
    old.maintain().await.unwrap();
    let new = other_model(&double).await;
    double.state().collections.remove(old.collection()).unwrap();
    new.maintain().await.unwrap();
    assert_eq!(target(&double).as_deref(), Some(new.collection()));
}

#[tokio::test]
async fn a_collection_that_is_named_like_the_alias_is_an_error_and_hurts_nothing() {
    let double = Double::start().await;
    let index = connect(double.options()).await.unwrap();
    {
        let mut state = double.state();
        let taken = state.collections.remove(index.collection()).unwrap();
        let created = taken.created.clone();
        state.collections.insert(ALIAS.to_owned(), taken);
        let ours = super::double::Collection {
            created,
            indexes: Default::default(),
            points: Default::default(),
        };
        state
            .collections
            .insert(index.collection().to_owned(), ours);
    }
    let error = index.maintain().await.unwrap_err().to_string();
    assert!(error.contains("a collection has that name"), "{error}");
    index.apply(vec![put(&entry("a", 1, "x"))]).await.unwrap();
    assert_eq!(index.manifest().await.unwrap().documents(), 1);
}
