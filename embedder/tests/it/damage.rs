//! Damaged manifests and entries on pgvector, and another model's index beside ours.

use std::sync::Arc;

use contracts::{ModelId, index::IndexDocument};
use embedder::{
    Service,
    index::{
        Manifest, VectorIndex,
        memory::MemoryIndex,
        pgvector::{HnswOptions, PgVectorIndex},
    },
    model::Embedder,
};
use service_kit::Clock;
use test_support::TestDatabase;

use crate::harness::{FUSION, WordHashes, id, plain, request};

const MODEL: &str = "word-hashes";

async fn pgvector(database: &TestDatabase, model: &str) -> Arc<PgVectorIndex> {
    let options = HnswOptions::default();
    let model = ModelId::new(model);
    let index = PgVectorIndex::connect(&database.url, &model, 16, options).await;
    Arc::new(index.unwrap())
}

async fn service(indexes: Vec<Arc<dyn VectorIndex>>) -> Service {
    let embedder: Arc<dyn Embedder> = WordHashes::new();
    Service::with(embedder, indexes, FUSION, &Clock::system())
        .await
        .unwrap()
}

fn documents() -> Vec<IndexDocument> {
    let words = ["playa", "monte", "faro", "puente"];
    let named = words.iter().zip(["a", "b", "c", "d"]);
    named.map(|(word, slug)| plain(slug, 1, word)).collect()
}

async fn hits(service: &Service, text: &str) -> Vec<String> {
    let answer = service.searcher().search(&request(text)).await.unwrap();
    answer
        .hits
        .into_iter()
        .map(|hit| hit.id.to_string())
        .collect()
}

async fn run(database: &TestDatabase, statement: &'static str) {
    let done = sqlx::query(statement)
        .execute(&database.pool)
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1, "{statement}");
}

#[tokio::test]
async fn damage_to_one_index_is_mended_from_the_other() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let (pgvector, memory) = (
        pgvector(&database, MODEL).await,
        Arc::new(MemoryIndex::default()),
    );
    let service = service(vec![pgvector.clone(), memory.clone()]).await;
    service.indexer().put(documents()).await.unwrap();
    let whole = memory.manifest().await.unwrap();

    // A row that is gone, one that is nobody's any more, one that went back in time, and one that was
    // taken for deleted without a deletion.
    run(
        &database,
        "DELETE FROM index_word_hashes.documents WHERE id = 'a'",
    )
    .await;
    run(
        &database,
        "UPDATE index_word_hashes.documents SET id = 'No Such Id!' WHERE id = 'b'",
    )
    .await;
    run(
        &database,
        "UPDATE index_word_hashes.documents SET revision = 0, content_hash = 'damaged' WHERE id = 'c'",
    )
    .await;
    let damaged = pgvector.manifest().await.unwrap();
    assert_eq!(
        damaged.iter().count(),
        2,
        "what cannot be read is missing: {damaged:?}"
    );
    assert_eq!(
        hits(&service, "puente").await[0],
        "d",
        "and no reason to fail"
    );

    let report = service.indexer().reconcile().await.unwrap().engines;
    let mended = (report[0].missing, report[0].stale, report[0].extra);
    assert_eq!(mended, (2, 1, 0), "{report:?}");
    assert!(!report[1].did_something(), "{report:?}");
    assert_eq!(pgvector.manifest().await.unwrap(), whole);
    assert_eq!(hits(&service, "playa").await[0], "a");
    let report = service.indexer().reconcile().await.unwrap().engines;
    assert!(
        report.iter().all(|repair| !repair.did_something()),
        "{report:?}"
    );
}

#[tokio::test]
async fn an_entry_that_cannot_be_given_is_not_reported_as_mended() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let pgvector = pgvector(&database, MODEL).await;
    let alone = service(vec![pgvector.clone()]).await;
    alone.indexer().put(documents()).await.unwrap();
    run(
        &database,
        "UPDATE index_word_hashes.documents SET document = '{\"no\": 1}' WHERE id = 'a'",
    )
    .await;
    let memory = Arc::new(MemoryIndex::default());
    let pair = service(vec![pgvector.clone(), memory.clone()]).await;
    assert_eq!(
        memory.manifest().await.unwrap().documents(),
        3,
        "the others are copied"
    );
    let report = pair.indexer().reconcile().await.unwrap().engines;
    assert_eq!(report[1].missing, 0, "{report:?}");
    let behind: Vec<u64> = pair.indexer().lags().map(|lag| lag.behind).collect();
    assert_eq!(behind, [0, 1], "the lag says so");
    // A new revision mends both.
    let renewed = plain("a", 2, "playa");
    pair.indexer().put(vec![renewed]).await.unwrap();
    assert_eq!(
        memory.manifest().await.unwrap(),
        pgvector.manifest().await.unwrap()
    );
}

#[tokio::test]
async fn a_wrong_hash_is_corrected_by_the_next_push_of_the_store() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let pgvector = pgvector(&database, MODEL).await;
    let first = service(vec![pgvector.clone()]).await;
    first.indexer().put(documents()).await.unwrap();
    run(
        &database,
        "UPDATE index_word_hashes.documents SET content_hash = 'damaged' WHERE id = 'a'",
    )
    .await;
    // The digest differs from the store's: the audit pushes again, is told that the index is ahead, raises
    // the revision, and the next push wins.
    let again = service(vec![pgvector.clone()]).await;
    let answer = again.indexer().put(documents()).await.unwrap();
    let ahead: Vec<(String, i64)> = answer
        .ahead
        .iter()
        .map(|held| (held.id.to_string(), held.revision))
        .collect();
    assert_eq!(ahead, [("a".to_owned(), 1)]);
    let answer = again
        .indexer()
        .put(vec![plain("a", 2, "playa")])
        .await
        .unwrap();
    assert_eq!(answer.written, 1);
    let manifest = pgvector.manifest().await.unwrap();
    let line = manifest.get(&id("a")).unwrap();
    assert_eq!(
        line.content_hash,
        Some(plain("a", 2, "playa").content_hash())
    );
}

#[tokio::test]
async fn a_new_model_starts_beside_the_old_models_index() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let old = pgvector(&database, MODEL).await;
    let before = service(vec![old.clone()]).await;
    before.indexer().put(documents()).await.unwrap();
    let held = old.manifest().await.unwrap();

    let new = pgvector(&database, "another-model").await;
    let after = service(vec![new.clone()]).await;
    assert!(
        hits(&after, "playa").await.is_empty(),
        "no vector of the old model is compared"
    );
    assert_eq!(new.manifest().await.unwrap(), Manifest::default());
    // The audit finds an empty digest, and pushes everything.
    let answer = after.indexer().put(documents()).await.unwrap();
    assert_eq!(answer.written, 4, "every text is embedded anew");
    assert_eq!(hits(&after, "playa").await[0], "a");
    assert_eq!(
        old.manifest().await.unwrap(),
        held,
        "the old one is kept, to go back to"
    );
    assert_eq!(hits(&before, "playa").await[0], "a");
}
