//! The store was restored from a backup, and the indexes hold what came after it.

use std::sync::atomic::Ordering::SeqCst;

use content_api::{index_document, store::ContentStore};

use crate::{
    publishing::assert_level,
    sample::{NOW, draft, id, retitled, stamp},
    world::{Setup, World, until},
};

async fn unpublished_world() -> Option<World> {
    let setup = Setup {
        publish: false,
        ..Setup::default()
    };
    World::start_with(setup).await
}

/// The double holds a later version of a document than the store ever wrote.
fn hold(world: &World, slug: &str, revision: i64, title: &str) {
    let document = retitled(slug, title).into_document(revision, NOW, NOW);
    let mut held = world.double.held();
    held.insert(id(slug), index_document(&document));
}

#[tokio::test]
async fn the_restored_state_wins_over_what_the_indexes_hold() {
    let Some(world) = unpublished_world().await else {
        return;
    };
    for slug in ["newer", "even", "deleted-since", "revived-since", "same"] {
        world.store.put(&draft(slug), NOW).await.unwrap();
        world.store.acknowledge(&[(id(slug), 1)]).await.unwrap();
    }
    world
        .store
        .delete(&id("revived-since"), None, &stamp())
        .await
        .unwrap();
    let tombstone = [(id("revived-since"), 2)];
    world.store.acknowledge(&tombstone).await.unwrap();
    hold(&world, "newer", 7, "Later");
    hold(&world, "even", 1, "Later");
    hold(&world, "revived-since", 3, "Later");
    world.double.bury(&id("deleted-since"), 4);
    for n in 0..300 {
        hold(&world, &format!("unknown-{n}"), 2, "Later");
    }
    world.run_publisher(&world.stop);
    world.drained().await;
    assert_level(&world).await;
    let held = world.double.held().clone();
    let revisions: Vec<(&str, i64)> = held
        .values()
        .map(|held| (held.id.as_str(), held.revision))
        .collect();
    let expected = [("deleted-since", 5), ("even", 2), ("newer", 8), ("same", 1)];
    assert_eq!(revisions, expected);
    assert_eq!(world.double.buried(&id("revived-since")), Some(4));
    assert_eq!(world.double.buried(&id("unknown-0")), Some(3));

    // What was deleted as unknown may be written later, though it begins at revision 1.
    world.publish(&["unknown-0"]).await;
    assert_level(&world).await;
    assert_eq!(world.double.held()[&id("unknown-0")].revision, 4);
}

#[tokio::test]
async fn indexes_that_stay_different_do_not_keep_the_service_from_starting() {
    let Some(world) = unpublished_world().await else {
        return;
    };
    world.double.forgetful.store(true, SeqCst);
    world.store.put(&draft("alpha"), NOW).await.unwrap();
    world.run_publisher(&world.stop);
    until("it serves all the same", async || {
        world.publisher.progress().complete
    })
    .await;
    assert!(world.double.puts.load(SeqCst) >= 2, "all was pushed again");
    // It goes on looking, and mends what can be mended later.
    world.double.forgetful.store(false, SeqCst);
    until("it is level", async || {
        world.double.held().contains_key(&id("alpha"))
    })
    .await;
}

#[tokio::test]
async fn an_empty_store_deletes_nothing() {
    let Some(world) = unpublished_world().await else {
        return;
    };
    hold(&world, "alpha", 3, "Later");
    world.run_publisher(&world.stop);
    until("it has audited twice", async || {
        world.publisher.progress().complete
    })
    .await;
    assert!(world.double.held().contains_key(&id("alpha")));
}

#[tokio::test]
async fn one_difference_is_no_reason_to_call_it_complete() {
    let Some(world) = unpublished_world().await else {
        return;
    };
    world.store.put(&draft("alpha"), NOW).await.unwrap();
    world.store.acknowledge(&[(id("alpha"), 1)]).await.unwrap();
    crate::double::Double::close(&world.double.put_gate);
    world.run_publisher(&world.stop);
    until("all is pushed again", async || {
        world.double.puts.load(SeqCst) == 1
    })
    .await;
    assert_eq!(world.double.reconciles.load(SeqCst), 1);
    assert!(!world.publisher.progress().complete);
    crate::double::Double::open(&world.double.put_gate);
    world.drained().await;
    assert_level(&world).await;
}

#[tokio::test]
async fn above_the_highest_revision_there_is_none_and_nothing_waits_for_it() {
    let Some(world) = unpublished_world().await else {
        return;
    };
    hold(&world, "alpha", i64::MAX, "Later");
    for slug in ["alpha", "beta"] {
        world.store.put(&draft(slug), NOW).await.unwrap();
    }
    world.run_publisher(&world.stop);
    world.drained().await;
    assert!(world.double.held().contains_key(&id("beta")));
    assert_eq!(world.store.unpublished().await.unwrap(), 1);
}
