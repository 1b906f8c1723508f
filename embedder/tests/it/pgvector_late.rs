//! PostgreSQL is away when the service starts.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use embedder::{
    Config, Primary, Service, StartError,
    index::{
        IndexError, VectorIndex as _, late::LateIndex, memory::MemoryIndex, pgvector::HnswOptions,
        qdrant::QdrantOptions,
    },
    model::source::ModelSource,
    search::Fusion,
};
use futures::FutureExt as _;
use service_kit::Clock;
use tokio::net::TcpListener;

use crate::{
    harness::{deletion, engine, plain},
    qdrant::double::Double,
};

fn config(qdrant: Option<QdrantOptions>, url: &str) -> Option<Config> {
    Some(Config {
        model: ModelSource::Bundled,
        onnxruntime: test_support::onnxruntime()?,
        sessions: NonZeroUsize::MIN,
        database_url: url.into(),
        edge_directory: None,
        qdrant: qdrant.map(|options| options.check().unwrap()),
        hnsw: HnswOptions::default(),
        primary: Primary::Pgvector,
        fusion: Fusion::default(),
    })
}

/// It serves from Qdrant, says what is missing, and catches up when the server comes.
#[tokio::test]
async fn it_is_done_without_until_it_comes() {
    let Some(mut postgres) = test_support::own_postgres().await else {
        return;
    };
    postgres.kill().await;
    let double = Double::start().await;
    let Some(config) = config(Some(double.options()), &postgres.url()) else {
        return;
    };
    let service = Service::start(config, &Clock::system()).await.unwrap();
    let indexer = service.indexer();
    indexer.put(vec![plain("faro", 1, "faro")]).await.unwrap();
    indexer.put(vec![plain("gone", 1, "gone")]).await.unwrap();
    indexer.delete(vec![deletion("gone", 2)]).await.unwrap();
    assert_eq!(engine(&service).await, "qdrant");
    let status = indexer.status().await;
    let (pgvector, qdrant) = (&status[0], &status[1]);
    assert_eq!(
        (pgvector.engine.as_str(), pgvector.ready),
        ("pgvector", false)
    );
    let fault = pgvector.fault.clone().unwrap();
    assert!(fault.contains("cannot be reached"), "{fault}");
    assert!(qdrant.ready);

    postgres.restart().await;
    let repaired = indexer.reconcile().await.unwrap();
    assert_eq!(repaired.engines[0].missing, 1, "{repaired:?}");
    let status = indexer.status().await;
    assert!(status[0].ready);
    assert!(
        status[0].version.contains("PostgreSQL"),
        "{}",
        status[0].version
    );
    assert_eq!(status[0].manifest_sha256, status[1].manifest_sha256);
    // Left alone for five seconds after three failures, of which there was one.
    assert_eq!(engine(&service).await, "pgvector");
}

#[tokio::test]
async fn a_silent_one_costs_its_deadline_and_a_wrong_one_stops_the_start() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let double = Double::start().await;
    let url = format!("postgres://postgres@127.0.0.1:{port}/test");
    let Some(silent) = config(Some(double.options()), &url) else {
        return;
    };
    let service = Service::start(silent, &Clock::system()).await.unwrap();
    let status = service.indexer().status().await;
    let fault = status[0].fault.clone().unwrap();
    assert!(fault.contains("did not answer within 3000 ms"), "{fault}");

    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let (server, query) = database.url.split_once('?').unwrap_or((&database.url, ""));
    let (server, _) = server.rsplit_once('/').unwrap();
    let nowhere = format!("{server}/no_such_database?{query}");
    let wrong = config(Some(double.options()), &nowhere).unwrap();
    let refused = Service::start(wrong, &Clock::system()).await.err().unwrap();
    assert!(matches!(refused, StartError::Index(_)), "{refused}");
    assert!(
        refused.to_string().contains("no_such_database"),
        "{refused}"
    );
}

/// What is waited for, and what is not: the service waits for the only index that it has.
#[tokio::test]
async fn patience_is_for_servers_that_are_away() {
    let open = async |patience: u64, away_for: usize| {
        let tries = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&tries);
        let connect = move || {
            let before = counted.fetch_add(1, Ordering::SeqCst);
            let away = IndexError::Away {
                engine: "late",
                reason: "away".to_owned(),
            };
            let outcome = if before < away_for {
                Err(away)
            } else {
                Ok(MemoryIndex::default())
            };
            async { outcome }.boxed()
        };
        let patience = Duration::from_millis(patience);
        let late = LateIndex::open("late", patience, connect).await.unwrap();
        (tries.load(Ordering::SeqCst), late)
    };
    let (tries, late) = open(10_000, 2).await;
    assert_eq!(tries, 3);
    late.entries(Vec::new()).await.unwrap();
    let (tries, late) = open(0, 1).await;
    assert_eq!(tries, 1);
    late.entries(Vec::new()).await.unwrap_err();
    late.manifest().await.unwrap();
    late.entries(Vec::new()).await.unwrap();
}
