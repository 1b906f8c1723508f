//! The contract on every adapter, and what is each adapter's own.

use contracts::ModelId;
use embedder::index::{
    IndexError, Manifest, VectorIndex,
    memory::MemoryIndex,
    pgvector::{HnswOptions, PgVectorIndex},
};

use test_support::TestDatabase;

use crate::{
    harness::id,
    index_contract::{DIMENSIONS, delete, entry, leaning, nearest_to, put},
};

pub fn model() -> ModelId {
    ModelId::new("test-model-v1")
}

/// Runs every promise on an index that `$fresh` makes anew for each, with a guard that keeps its
/// directory or database.
macro_rules! contract_on {
    ($adapter:ident, $fresh:path) => {
        contract_on!(@cases $adapter, $fresh,
            starts_empty, entries_come_back_exactly, the_greater_revision_wins, a_tombstone_stays,
            deleting_the_unknown_is_remembered, changes_apply_in_order,
            meaning_is_found_in_either_language, words_are_found_in_their_language,
            filters_are_part_of_the_retrieval, long_texts_and_long_queries_fit);
    };
    (@cases $adapter:ident, $fresh:path, $($case:ident),+) => {
        mod $adapter {
            $(
                #[tokio::test]
                async fn $case() {
                    if let Some((_guard, index)) = $fresh().await {
                        crate::index_contract::announce(&index, stringify!($adapter));
                        crate::index_contract::$case(&index).await;
                    }
                }
            )+
        }
    };
}

contract_on!(on_memory, super::fresh_memory);
contract_on!(on_pgvector, super::fresh_pgvector);
contract_on!(on_a_stand_in_for_qdrant, crate::qdrant::fresh_double);
contract_on!(on_qdrant, crate::qdrant::fresh);
#[cfg(feature = "edge")]
contract_on!(on_qdrant_edge, super::edge::fresh);

async fn fresh_memory() -> Option<((), MemoryIndex)> {
    Some(((), MemoryIndex::default()))
}

async fn fresh_pgvector() -> Option<(TestDatabase, PgVectorIndex)> {
    let database = test_support::fresh_database().await?;
    let index = connect(&database.url).await.unwrap();
    Some((database, index))
}

async fn connect(url: &str) -> Result<PgVectorIndex, IndexError> {
    PgVectorIndex::connect(url, &model(), DIMENSIONS, HnswOptions::default()).await
}

/// A few changes that leave two documents and two tombstones.
async fn write(index: &dyn VectorIndex) -> Manifest {
    let changes = vec![
        put(&entry("a", 1, "x")),
        put(&entry("b", 2, "y")),
        put(&entry("c", 1, "z")),
        delete("c", 2),
        delete("ghost", 4),
        put(&entry("a", 3, "w")),
    ];
    index.apply(changes).await.unwrap();
    index.manifest().await.unwrap()
}

async fn candidates(index: &dyn VectorIndex) -> usize {
    let query = nearest_to(leaning(0, 0.1));
    index.candidates(query).await.unwrap().len()
}

#[tokio::test]
async fn manifests_of_all_adapters_are_equal() {
    let in_memory = write(&MemoryIndex::default()).await;
    assert_eq!(in_memory.documents(), 2);
    #[cfg(feature = "edge")]
    {
        let directory = tempfile::tempdir().unwrap();
        let manifest = write(&edge::open(directory.path()).unwrap()).await;
        assert_eq!(manifest, in_memory);
        assert_eq!(manifest.sha256(), in_memory.sha256());
    }
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let manifest = write(&connect(&database.url).await.unwrap()).await;
    assert_eq!(manifest, in_memory);
    assert_eq!(manifest.sha256(), in_memory.sha256());
}

#[tokio::test]
async fn a_digest_tells_documents_apart_and_ignores_revisions_and_tombstones() {
    let digest = async |changes| {
        let index = MemoryIndex::default();
        index.apply(changes).await.unwrap();
        index.manifest().await.unwrap().sha256()
    };
    let one = digest(vec![put(&entry("a", 1, "x"))]).await;
    assert_eq!(one.len(), 64);
    let again = vec![put(&entry("a", 9, "x")), delete("ghost", 1)];
    assert_eq!(digest(again).await, one);
    assert_ne!(digest(vec![put(&entry("a", 1, "y"))]).await, one);
    assert_ne!(digest(vec![put(&entry("b", 1, "x"))]).await, one);
    assert_ne!(digest(Vec::new()).await, one);
}

#[tokio::test]
async fn pgvector_keeps_everything_across_connections() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let index = connect(&database.url).await.unwrap();
    let before = write(&index).await;
    let held = index.entries(vec![id("a"), id("b")]).await.unwrap();
    drop(index);
    let index = connect(&database.url).await.unwrap();
    assert_eq!(index.manifest().await.unwrap(), before);
    assert_eq!(index.entries(vec![id("a"), id("b")]).await.unwrap(), held);
    assert_eq!(candidates(&index).await, 2);
}

#[tokio::test]
async fn pgvector_refuses_another_models_vectors() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    drop(connect(&database.url).await.unwrap());
    sqlx::query("UPDATE index_test_model_v1.collection SET model = 'another-model'")
        .execute(&database.pool)
        .await
        .unwrap();
    let error = connect(&database.url).await.err().unwrap();
    assert!(matches!(error, IndexError::ModelMismatch { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("another-model") && text.contains("test-model-v1"),
        "{text}"
    );
}

#[tokio::test]
async fn pgvector_refuses_other_dimensions() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    drop(connect(&database.url).await.unwrap());
    let other = PgVectorIndex::connect(&database.url, &model(), 32, HnswOptions::default()).await;
    let error = other.err().unwrap();
    assert!(matches!(error, IndexError::ModelMismatch { .. }), "{error}");
}

#[tokio::test]
async fn pgvector_keeps_two_models_apart() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let one = connect(&database.url).await.unwrap();
    write(&one).await;
    let other = ModelId::new("another/Model.v2");
    let two = PgVectorIndex::connect(&database.url, &other, 8, HnswOptions::default())
        .await
        .unwrap();
    assert_eq!(two.manifest().await.unwrap(), Manifest::default());
    assert_eq!(one.manifest().await.unwrap().documents(), 2);
}

#[tokio::test]
async fn pgvector_applies_all_or_nothing() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let index = connect(&database.url).await.unwrap();
    let mut bad = entry("bad", 1, "x");
    bad.dense.en = vec![1.0; DIMENSIONS + 1];
    let error = index
        .apply(vec![put(&entry("good", 1, "x")), put(&bad)])
        .await;
    assert!(matches!(error, Err(IndexError::Engine { .. })), "{error:?}");
    assert_eq!(index.manifest().await.unwrap(), Manifest::default());
}

#[tokio::test]
async fn an_unreachable_database_is_a_clear_error() {
    let nowhere = tempfile::tempdir().unwrap();
    let url = format!("postgres:///x?host={}", nowhere.path().display());
    let error = connect(&url).await.err().unwrap();
    assert!(error.to_string().starts_with("pgvector: "), "{error}");
}

#[cfg(feature = "edge")]
mod edge {
    use std::{fs, path::Path};

    use embedder::index::edge::EdgeIndex;
    use tempfile::TempDir;

    use super::*;

    pub async fn fresh() -> Option<(TempDir, EdgeIndex)> {
        let directory = tempfile::tempdir().unwrap();
        let index = open(directory.path()).unwrap();
        Some((directory, index))
    }

    pub fn open(directory: &Path) -> Result<EdgeIndex, IndexError> {
        EdgeIndex::open(directory, &model(), DIMENSIONS)
    }

    #[tokio::test]
    async fn everything_is_kept_across_openings() {
        let directory = tempfile::tempdir().unwrap();
        let index = open(directory.path()).unwrap();
        let before = write(&index).await;
        let held = index.entries(vec![id("a"), id("b")]).await.unwrap();
        drop(index);
        let index = open(directory.path()).unwrap();
        assert_eq!(index.manifest().await.unwrap(), before);
        assert_eq!(index.entries(vec![id("a"), id("b")]).await.unwrap(), held);
        assert_eq!(candidates(&index).await, 2);
    }

    #[tokio::test]
    async fn another_models_directory_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        write(&open(directory.path()).unwrap()).await;
        let name = directory.path().join("test-model-v1/model-id");
        fs::write(&name, "another-model\n").unwrap();
        let error = open(directory.path()).err().unwrap();
        assert!(matches!(error, IndexError::ModelMismatch { .. }), "{error}");
        assert!(error.to_string().contains("another-model"), "{error}");
        fs::write(&name, "test-model-v1").unwrap();
        let index = open(directory.path()).unwrap();
        assert_eq!(index.manifest().await.unwrap().documents(), 2);
    }

    #[tokio::test]
    async fn a_directory_in_use_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let first = open(directory.path()).unwrap();
        write(&first).await;
        let error = open(directory.path()).err().unwrap();
        assert!(
            error.to_string().contains("another process uses"),
            "{error}"
        );
        assert_eq!(first.manifest().await.unwrap().documents(), 2);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_damaged_directory_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        for round in 1..=2 {
            write(&open(directory.path()).unwrap()).await;
            let shard = directory.path().join("test-model-v1");
            spoil(&shard);
            let index = open(directory.path()).unwrap();
            assert_eq!(index.manifest().await.unwrap(), Manifest::default());
            let aside = format!("test-model-v1.unreadable-{round}");
            assert!(directory.path().join(aside).is_dir());
        }
    }

    #[tokio::test]
    async fn an_unfinished_directory_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("test-model-v1")).unwrap();
        let index = open(directory.path()).unwrap();
        assert_eq!(write(&index).await.documents(), 2);
    }

    /// Overwrites every file but the model's name.
    fn spoil(directory: &Path) {
        for item in fs::read_dir(directory).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                spoil(&path);
            } else if !path.ends_with("model-id") {
                fs::write(&path, b"spoilt").unwrap();
            }
        }
    }
}
