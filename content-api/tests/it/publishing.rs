//! The outbox: everything arrives, whatever happens on the way.

use std::sync::atomic::Ordering::SeqCst;

use content_api::{index_document, store::ContentStore};
use contracts::index::IndexDocument;
use service_kit::CancellationToken;

use crate::{
    double::Double,
    sample::{NOW, draft, id, retitled, stamp},
    world::{Setup, World, until},
};

/// The double holds exactly what the store holds.
pub async fn assert_level(world: &World) {
    let stored: Vec<IndexDocument> = world
        .store
        .list(None, 1_000)
        .await
        .unwrap()
        .iter()
        .map(index_document)
        .collect();
    let held: Vec<IndexDocument> = world.double.held().values().cloned().collect();
    assert_eq!(held, stored);
    assert_eq!(world.store.unpublished().await.unwrap(), 0);
}

#[tokio::test]
async fn writes_and_deletions_arrive_in_batches() {
    let Some(world) = World::start_with(Setup {
        publish: false,
        ..Setup::default()
    })
    .await
    else {
        return;
    };
    for n in 0..130 {
        world
            .store
            .put(&draft(&format!("n{n}")), NOW)
            .await
            .unwrap();
    }
    world.run_publisher(&world.stop);
    world.drained().await;
    assert_level(&world).await;
    assert_eq!(world.double.puts.load(SeqCst), 3);
    assert_eq!(world.double.documents_put.load(SeqCst), 130);

    world.store.delete(&id("n7"), None, &stamp()).await.unwrap();
    world
        .store
        .put(&retitled("n8", "Other"), NOW)
        .await
        .unwrap();
    world.publisher.wake();
    world.drained().await;
    assert_level(&world).await;
    assert_eq!(world.double.held().len(), 129);
    assert_eq!(world.double.documents_put.load(SeqCst), 131);
}

#[tokio::test]
async fn what_is_written_while_the_embedder_is_away_arrives_when_it_is_back() {
    let Some(world) = World::start().await else {
        return;
    };
    world.drained().await;
    world.double.fail_with(503);
    world.store.put(&draft("late"), NOW).await.unwrap();
    world.publisher.wake();
    until("the embedder is missed", async || {
        !world.publisher.progress().embedder_reached
    })
    .await;
    let passes = world.publisher.progress().passes;
    until("it tried again", async || {
        world.publisher.progress().passes > passes + 2
    })
    .await;
    assert_eq!(world.store.unpublished().await.unwrap(), 1);
    world.double.recover();
    world.drained().await;
    assert_level(&world).await;
}

#[tokio::test]
async fn a_crash_between_push_and_acknowledgement_repeats_the_push_harmlessly() {
    let Some(world) = World::start_with(Setup {
        publish: false,
        ..Setup::default()
    })
    .await
    else {
        return;
    };
    world.store.put(&draft("alpha"), NOW).await.unwrap();
    world.store.put(&draft("beta"), NOW).await.unwrap();
    Double::close(&world.double.put_gate);
    let crash = CancellationToken::new();
    let run = world.run_publisher(&crash);
    until("the push took effect", async || {
        world.double.held().len() == 2
    })
    .await;
    crash.cancel();
    run.await.unwrap();
    assert_eq!(world.store.unpublished().await.unwrap(), 2);

    Double::open(&world.double.put_gate);
    world.run_publisher(&world.stop);
    world.drained().await;
    assert_level(&world).await;
    assert_eq!(world.double.documents_put.load(SeqCst), 4);
    assert_eq!(world.double.documents_unchanged.load(SeqCst), 2);
}

#[tokio::test]
async fn indexes_that_were_lost_are_filled_again() {
    let Some(world) = World::start().await else {
        return;
    };
    world.publish(&["alpha", "beta"]).await;
    // An audit in the middle of publishing may have asked already, and found nothing to mend.
    let before = world.double.reconciles.load(SeqCst);
    world.double.lose_everything();
    until("everything is back", async || {
        world.double.held().len() == 2
    })
    .await;
    assert!(world.double.reconciles.load(SeqCst) > before);
    world.drained().await;
    assert_level(&world).await;
}

#[tokio::test]
async fn a_start_with_everything_acknowledged_still_looks_at_the_indexes() {
    let Some(world) = World::start_with(Setup {
        publish: false,
        ..Setup::default()
    })
    .await
    else {
        return;
    };
    world.store.put(&draft("alpha"), NOW).await.unwrap();
    world.store.acknowledge(&[(id("alpha"), 1)]).await.unwrap();
    world.run_publisher(&world.stop);
    world.drained().await;
    assert_level(&world).await;
}

#[tokio::test]
async fn an_idle_publisher_pushes_nothing() {
    let Some(world) = World::start().await else {
        return;
    };
    world.publish(&["alpha"]).await;
    let (puts, passes) = (
        world.double.puts.load(SeqCst),
        world.publisher.progress().passes,
    );
    until("some ticks", async || {
        world.publisher.progress().passes > passes + 5
    })
    .await;
    assert_eq!(world.double.puts.load(SeqCst), puts);
}

#[tokio::test]
async fn a_tick_asks_for_the_generation_only() {
    let setup = Setup {
        audit: std::time::Duration::from_secs(86_400),
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    world.drained().await;
    let (statuses, requests, passes) = (
        world.double.statuses.load(SeqCst),
        world.double.requests.load(SeqCst),
        world.publisher.progress().passes,
    );
    until("some ticks", async || {
        world.publisher.progress().passes > passes + 5
    })
    .await;
    assert_eq!(world.double.statuses.load(SeqCst), statuses);
    assert!(world.double.requests.load(SeqCst) >= requests + 5);
}

#[tokio::test]
async fn a_write_that_is_told_of_does_not_wait_for_the_tick() {
    let setup = Setup {
        tick: std::time::Duration::from_secs(86_400),
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    world.drained().await;
    world.publish(&["alpha"]).await;
    assert_level(&world).await;
}
