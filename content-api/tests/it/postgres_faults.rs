//! PostgreSQL is killed and started again: what was acknowledged stays, and the rest is said.

use std::sync::Arc;

use content_api::{
    PostgresStore,
    store::{ContentStore, Store},
};

use crate::{
    under_load::{Writers, assert_nothing_lost, assert_uploaded_once, uploads_and},
    world::{Setup, World, until},
};

async fn connect(server: &test_support::PostgresServer) -> PostgresStore {
    let url = server.url();
    PostgresStore::connect(&url.as_str().into()).await.unwrap()
}

#[tokio::test]
async fn killed_under_load_it_loses_no_acknowledged_write() {
    let Some(mut server) = test_support::own_postgres().await else {
        return;
    };
    let store = connect(&server).await;
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    let writers = Writers::start(&shared, 4);
    for _ in 0..3 {
        writers.more(&writers.acknowledged, 20).await;
        server.kill().await;
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
    let Some(mut server) = test_support::own_postgres().await else {
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
    let acknowledged = uploads_and(&world, async || server.kill().await).await;
    server.restart().await;
    until("it answers again", async || store.count().await.is_ok()).await;
    assert_uploaded_once(&world, &store, acknowledged).await;
}
