//! The embedder or the store is away, slow or broken.

use std::{sync::atomic::Ordering, time::Duration};

use content_api::store::ContentStore;
use serde_json::json;

use crate::{
    double::Double,
    sample::{NOW, draft},
    world::{Setup, World, nobody_there},
};

#[tokio::test]
async fn nobody_at_the_embedders_address_is_a_503() {
    let setup = Setup {
        embedder_url: Some(nobody_there().await),
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    let reply = world.find(json!({"description": "shoes"})).await;
    let problem = reply.problem(503, "unavailable");
    assert!(
        problem.detail.contains("search service"),
        "{}",
        problem.detail
    );
    assert_eq!(reply.header("retry-after"), "2");
    assert!(!problem.detail.contains("127.0.0.1"), "{}", problem.detail);
}

#[tokio::test]
async fn a_broken_embedder_is_a_503_and_one_that_blames_us_a_500() {
    let Some(world) = World::start_with(Setup {
        publish: false,
        ..Setup::default()
    })
    .await
    else {
        return;
    };
    for (fault, status, slug) in [
        (500, 503, "unavailable"),
        (503, 503, "unavailable"),
        (403, 503, "unavailable"),
        (400, 500, "internal"),
    ] {
        world.double.fail_with(fault);
        world
            .find(json!({"description": "shoes"}))
            .await
            .problem(status, slug);
    }
}

#[tokio::test]
async fn a_slow_embedder_is_a_503_after_the_deadline() {
    let setup = Setup {
        search_deadline: Duration::from_millis(50),
        publish: false,
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    Double::close(&world.double.search_gate);
    world
        .find(json!({"description": "shoes"}))
        .await
        .problem(503, "unavailable");
    assert_eq!(world.double.searches(), 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let Some(world) = World::start_with(Setup {
        publish: false,
        ..Setup::default()
    })
    .await
    else {
        return;
    };
    world.double.unauthorized.store(1, Ordering::SeqCst);
    assert_eq!(
        world.find(json!({"description": "shoes"})).await.status,
        200
    );
    world.double.unauthorized.store(2, Ordering::SeqCst);
    world
        .find(json!({"description": "boots"}))
        .await
        .problem(503, "unavailable");
}

#[tokio::test]
async fn a_store_that_is_gone_is_a_503() {
    let Some(world) = World::start().await else {
        return;
    };
    world.store.put(&draft("alpha"), NOW).await.unwrap();
    world.store.close().await;
    for reply in [
        world.find(json!({"description": "shoes"})).await,
        world.get("/v1/content/alpha", &[]).await,
        world.get("/v1/content/alpha/image", &[]).await,
    ] {
        let problem = reply.problem(503, "unavailable");
        assert!(
            problem.detail.contains("content store"),
            "{}",
            problem.detail
        );
    }
}

#[tokio::test]
async fn a_damaged_document_is_a_500_that_tells_nothing() {
    let Some(world) = World::start_with(Setup {
        publish: false,
        ..Setup::default()
    })
    .await
    else {
        return;
    };
    world.store.put(&draft("alpha"), NOW).await.unwrap();
    sqlx::query("update content.documents set body = '{\"secret\": 1}'")
        .execute(&world.database.pool)
        .await
        .unwrap();
    let problem = world
        .get("/v1/content/alpha", &[])
        .await
        .problem(500, "internal");
    assert!(!problem.detail.contains("field"), "{}", problem.detail);
}
