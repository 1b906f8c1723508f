//! Documents that cannot be published: refused by the embedder, or unreadable in the store.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use content_api::store::{ContentStore, Pending};
use serde_json::json;

use crate::{
    sample::{NOW, draft, id, retitled},
    world::{Setup, World, until},
};

async fn unpublished_world(audit: Duration) -> Option<World> {
    let setup = Setup {
        publish: false,
        audit,
        ..Setup::default()
    };
    World::start_with(setup).await
}

const OFTEN: Duration = Duration::from_millis(50);
const NEVER: Duration = Duration::from_secs(86_400);

fn held(world: &World) -> Vec<String> {
    let held = world.double.held();
    held.keys().map(ToString::to_string).collect()
}

/// Makes a row such that no version of this service wrote it.
async fn damage(world: &World, slug: &str) {
    sqlx::query("update content.documents set body = '{\"secret\": 1}' where id = $1")
        .bind(slug)
        .execute(&world.database.pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_document_that_is_refused_holds_up_no_other_and_no_start() {
    let Some(world) = unpublished_world(NEVER).await else {
        return;
    };
    world.double.refuse(&id("bad"));
    for slug in ["alpha", "bad", "zeta"] {
        world.store.put(&draft(slug), NOW).await.unwrap();
    }
    world.run_publisher(&world.stop);
    world.drained().await;
    assert_eq!(held(&world), ["alpha", "zeta"]);
    assert!(world.publisher.progress().complete);
    assert_eq!(world.store.unpublished().await.unwrap(), 1);
    assert_eq!(world.double.reconciles.load(SeqCst), 0, "nothing differs");

    // Not with every tick: once in the batch, once alone.
    let passes = world.publisher.progress().passes;
    until("some ticks", async || {
        world.publisher.progress().passes > passes + 5
    })
    .await;
    assert_eq!(world.double.refusals.load(SeqCst), 2);

    // Another revision is another document; the others are still published meanwhile.
    world
        .store
        .put(&retitled("bad", "Other"), NOW)
        .await
        .unwrap();
    world.publish(&["beta"]).await;
    assert_eq!(world.double.refusals.load(SeqCst), 4);
    world.double.admit(&id("bad"));
    world
        .store
        .put(&retitled("bad", "Third"), NOW)
        .await
        .unwrap();
    world.publisher.wake();
    world.drained().await;
    assert_eq!(held(&world), ["alpha", "bad", "beta", "zeta"]);
    assert_eq!(world.store.unpublished().await.unwrap(), 0);
}

#[tokio::test]
async fn an_older_version_of_a_refused_document_may_stay_in_the_indexes() {
    let Some(world) = unpublished_world(OFTEN).await else {
        return;
    };
    for slug in ["alpha", "bad"] {
        world.store.put(&draft(slug), NOW).await.unwrap();
        world.store.acknowledge(&[(id(slug), 1)]).await.unwrap();
        let document = draft(slug).into_document(1, NOW, NOW);
        let document = content_api::index_document(&document);
        world.double.held().insert(id(slug), document);
    }
    world.double.refuse(&id("bad"));
    let changed = retitled("bad", "Other");
    world.store.put(&changed, NOW).await.unwrap();
    world.run_publisher(&world.stop);
    world.drained().await;
    assert_eq!(world.double.reconciles.load(SeqCst), 0, "nothing differs");
    assert_eq!(held(&world), ["alpha", "bad"]);

    // A loss of anything else is still seen.
    world.double.held().remove(&id("alpha"));
    until("it is back", async || held(&world) == ["alpha", "bad"]).await;
}

#[tokio::test]
async fn a_refused_document_is_tried_again_at_each_audit() {
    let Some(world) = unpublished_world(OFTEN).await else {
        return;
    };
    world.double.refuse(&id("bad"));
    world.store.put(&draft("bad"), NOW).await.unwrap();
    world.run_publisher(&world.stop);
    until("it was tried again", async || {
        world.double.refusals.load(SeqCst) >= 4
    })
    .await;
    world.double.admit(&id("bad"));
    until("it arrived", async || held(&world) == ["bad"]).await;
}

#[tokio::test]
async fn an_unreadable_document_holds_up_no_other_and_no_start() {
    let Some(world) = unpublished_world(NEVER).await else {
        return;
    };
    for slug in ["alpha", "bad", "zeta"] {
        world.store.put(&draft(slug), NOW).await.unwrap();
    }
    damage(&world, "bad").await;
    world.run_publisher(&world.stop);
    world.drained().await;
    assert_eq!(held(&world), ["alpha", "zeta"]);
    world.store.put(&draft("bad"), NOW).await.unwrap();
    world.publisher.wake();
    until("it arrived", async || {
        held(&world) == ["alpha", "bad", "zeta"]
    })
    .await;
}

#[tokio::test]
async fn a_published_document_that_becomes_unreadable_is_left_in_the_indexes() {
    let Some(world) = unpublished_world(OFTEN).await else {
        return;
    };
    for slug in ["alpha", "bad"] {
        world.store.put(&draft(slug), NOW).await.unwrap();
    }
    let stop = world.stop.child_token();
    let run = world.run_publisher(&stop);
    world.drained().await;
    stop.cancel();
    run.await.unwrap();
    damage(&world, "bad").await;
    // A write, so that what the indexes should hold is computed anew.
    world.store.put(&draft("beta"), NOW).await.unwrap();
    world.run_publisher(&world.stop);
    until("it is pending", async || {
        let pending = world.store.pending(None, 9).await.unwrap();
        matches!(pending.as_slice(), [Pending::Unreadable { .. }])
    })
    .await;
    assert_eq!(held(&world), ["alpha", "bad", "beta"]);
    world.drained().await;
}

#[tokio::test]
async fn get_content_answers_without_what_cannot_be_read() {
    let Some(world) = World::start().await else {
        return;
    };
    world.publish(&["alpha", "bad"]).await;
    damage(&world, "bad").await;
    let answer = world.find(json!({ "description": "shoes" })).await;
    let answer: contracts::GetContentAnswer = answer.json();
    let ids: Vec<&str> = answer.results.iter().map(|hit| hit.id.as_str()).collect();
    assert_eq!(ids, ["alpha"]);
    // The double gives the last id first, so this is the unreadable one alone.
    let only = json!({ "description": "shoes", "limit": 1 });
    let answer = world.find(only).await;
    assert_eq!(answer.status, 200);
    assert!(answer.json::<contracts::GetContentAnswer>().no_match);
    world
        .get("/v1/content/bad", &[])
        .await
        .problem(500, "internal");
}
