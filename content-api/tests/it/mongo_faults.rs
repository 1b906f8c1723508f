//! MongoDB is killed, frozen and started again: what was acknowledged stays, and the rest is said.

use std::sync::Arc;

use content_api::{
    MongoStore,
    store::{Change, ContentStore, Store, StoreError},
};
use serde_json::json;
use test_support::MongoServer;

use crate::{
    sample::{NOW, draft, id, retitled},
    under_load::{Writers, assert_nothing_lost, assert_uploaded_once, uploads_and},
    world::{Setup, World, until},
};

/// Options that shorten the waiting for a server which is not there.
const IMPATIENT: &str =
    "x?serverSelectionTimeoutMS=1000&connectTimeoutMS=1000&heartbeatFrequencyMS=500";

async fn connect(server: &MongoServer) -> MongoStore {
    let url = server.url(IMPATIENT);
    MongoStore::connect(&url.as_str().into()).await.unwrap()
}

#[tokio::test]
async fn killed_under_load_it_loses_no_acknowledged_write() {
    let Some(mut server) = test_support::own_mongo().await else {
        return;
    };
    let store = connect(&server).await;
    let writers = Writers::start(&(Arc::new(store.clone()) as Arc<dyn Store>), 4);
    for _ in 0..3 {
        writers.more(&writers.acknowledged, 20).await;
        server.kill();
        writers.more(&writers.refused, 2).await;
        server.restart().await;
    }
    writers.more(&writers.acknowledged, 20).await;
    let held = writers.end().await;
    assert_nothing_lost(&store, &held).await;
}

/// Uploads that are interrupted anywhere are done once by their repetitions.
#[tokio::test]
async fn killed_during_uploads_it_is_a_503_and_a_repetition_is_done_once() {
    let Some(mut server) = test_support::own_mongo().await else {
        return;
    };
    let store = connect(&server).await;
    let setup = Setup {
        content: Some(Arc::new(store.clone())),
        publish: false,
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    let acknowledged = uploads_and(&world, async || server.kill()).await;
    server.restart().await;
    until("it answers again", async || store.count().await.is_ok()).await;
    assert_uploaded_once(&world, &store, acknowledged).await;
}

#[tokio::test]
async fn away_it_is_a_503_and_back_it_serves() {
    let Some(mut server) = test_support::own_mongo().await else {
        return;
    };
    let store = connect(&server).await;
    let setup = Setup {
        content: Some(Arc::new(store.clone())),
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    store.put(&draft("alpha"), NOW).await.unwrap();
    world.publisher.wake();
    world.drained().await;
    let question = json!({"description": "shoes"});
    let answered = world.find(question.clone()).await;
    assert_eq!(answered.status, 200);

    server.kill();
    for reply in [
        world.find(question.clone()).await,
        world.get("/v1/content/alpha", &[]).await,
        world.get("/v1/content/alpha/image", &[]).await,
    ] {
        let problem = reply.problem(503, "unavailable");
        assert!(
            problem.detail.contains("content store"),
            "{}",
            problem.detail
        );
        assert!(!problem.detail.contains("127.0.0.1"), "{}", problem.detail);
    }
    let refused = store.put(&retitled("alpha", "Lost"), NOW).await;
    assert!(
        matches!(refused, Err(StoreError::Backend { .. })),
        "{refused:?}"
    );

    server.restart().await;
    until("it serves again", async || {
        world.get("/v1/content/alpha", &[]).await.status == 200
    })
    .await;
    let stored = store.get(&[id("alpha")]).await.unwrap();
    assert_eq!(stored[0].revision, 1, "nothing was half-written");
    assert_eq!(world.find(question).await.status, 200);
    // Tried again, it is done once.
    let again = retitled("alpha", "Lost");
    assert_eq!(store.put(&again, NOW).await.unwrap().revision, 2);
    let outcome = store.put(&again, NOW).await.unwrap();
    assert_eq!((outcome.revision, outcome.change), (2, Change::Unchanged));
}

#[tokio::test]
async fn frozen_it_is_an_error_within_the_deadline() {
    let Some(server) = test_support::own_mongo().await else {
        return;
    };
    let store = connect(&server).await;
    store.put(&draft("alpha"), NOW).await.unwrap();
    server.freeze();
    let asked = tokio::time::Instant::now();
    let error = store.get(&[id("alpha")]).await.unwrap_err();
    assert!(
        asked.elapsed() < std::time::Duration::from_secs(16),
        "{:?}",
        asked.elapsed()
    );
    assert!(
        matches!(
            error,
            StoreError::Backend {
                action: "read documents",
                ..
            }
        ),
        "{error}"
    );
    server.thaw();
    until("it answers again", async || {
        store.get(&[id("alpha")]).await.is_ok()
    })
    .await;
}
