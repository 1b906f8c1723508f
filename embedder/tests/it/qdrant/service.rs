//! The whole service over a Qdrant server and pgvector, as its binary starts it.

use std::num::NonZeroUsize;

use contracts::SearchMode;
use embedder::{
    Config, Primary, Service,
    index::{pgvector::HnswOptions, qdrant::QdrantOptions},
    model::source::ModelSource,
    search::Fusion,
};
use service_kit::Clock;
use test_support::TestDatabase;

use super::double::Double;
use crate::harness::{deletion, document, request};

/// An embedder over this Qdrant server and this database.
pub fn config(qdrant: QdrantOptions, database: &TestDatabase, primary: Primary) -> Option<Config> {
    Some(Config {
        model: ModelSource::Bundled,
        onnxruntime: test_support::onnxruntime()?,
        sessions: NonZeroUsize::MIN,
        database_url: database.url.clone().into(),
        edge_directory: None,
        qdrant: Some(qdrant.check().unwrap()),
        hnsw: HnswOptions::default(),
        primary,
        fusion: Fusion::default(),
    })
}

async fn start(double: &Double, database: &TestDatabase, primary: Primary) -> Option<Service> {
    let config = config(double.options(), database, primary)?;
    Some(Service::start(config, &Clock::system()).await.unwrap())
}

#[tokio::test]
async fn both_indexes_are_written_and_the_chosen_one_is_asked_first() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let double = Double::start().await;
    let Some(service) = start(&double, &database, Primary::Qdrant).await else {
        return;
    };
    let beach = document(
        "beach",
        1,
        (
            "Playa al amanecer",
            "Una familia camina por la playa vacía.",
        ),
        ("Beach at dawn", "A family walks along the empty beach."),
    );
    let indexer = service.indexer();
    indexer.put(vec![beach]).await.unwrap();
    indexer.delete(vec![deletion("ghost", 1)]).await.unwrap();
    let status = indexer.status().await;
    let engines: Vec<&str> = status.iter().map(|engine| engine.engine.as_str()).collect();
    assert_eq!(engines, ["qdrant", "pgvector"]);
    assert_eq!((status[0].documents, status[1].documents), (1, 1));
    assert_eq!(status[0].manifest_sha256, status[1].manifest_sha256);
    assert_eq!(
        double.state().aliases["promptsales_live"],
        "promptsales_minilm-es-en-v1-f1_v1"
    );

    let searched = async |service: &Service| {
        let mut asked = request("familia en la playa");
        asked.mode = SearchMode::Fused;
        service.searcher().search(&asked).await.unwrap()
    };
    let from_qdrant = searched(&service).await;
    assert_eq!(from_qdrant.engine, "qdrant");
    double.state().hangs = true;
    let from_pgvector = searched(&service).await;
    assert_eq!(from_pgvector.engine, "pgvector");
    assert_eq!(from_qdrant.hits[0].id, from_pgvector.hits[0].id);
    assert_eq!(
        from_qdrant.hits[0].score, from_pgvector.hits[0].score,
        "one place scores"
    );
    double.state().hangs = false;

    // Qdrant lost everything: the next start fills it from pgvector, without embedding.
    double.state().collections.clear();
    double.state().aliases.clear();
    let again = start(&double, &database, Primary::Pgvector).await.unwrap();
    let answer = searched(&again).await;
    assert_eq!((answer.engine.as_str(), answer.hits.len()), ("pgvector", 1));
    let status = again.indexer().status().await;
    assert_eq!(status[0].manifest_sha256, status[1].manifest_sha256);
    let engines: Vec<&str> = status.iter().map(|engine| engine.engine.as_str()).collect();
    assert_eq!(engines, ["pgvector", "qdrant"]);
}
