//! `/readyz` names what is missing.

use content_api::store::ContentStore;
use service_kit::health::Readiness;

use crate::{
    sample::{NOW, draft},
    world::{Setup, World, until},
};

async fn readiness(world: &World) -> (u16, Readiness) {
    let reply = world
        .send(world.http.get(format!("{}/readyz", world.base)))
        .await;
    (reply.status.as_u16(), reply.json())
}

#[tokio::test]
async fn it_is_ready_once_everything_was_published_and_until_something_is_lost() {
    let Some(world) = World::start_with(Setup {
        publish: false,
        ..Setup::default()
    })
    .await
    else {
        return;
    };
    world.store.put(&draft("alpha"), NOW).await.unwrap();
    let (status, readiness_before) = readiness(&world).await;
    assert_eq!(status, 503);
    assert_eq!(
        readiness_before.missing,
        ["unpublished documents", "embedder"]
    );

    world.run_publisher(&world.stop);
    world.drained().await;
    let (status, ready) = readiness(&world).await;
    assert_eq!(
        (status, ready.ready, ready.service.as_str()),
        (200, true, "content-api")
    );
    assert_eq!(ready.degraded, ["the callers' keys"]);

    world.double.fail_with(503);
    // What needs no embedder goes on, so callers are not sent elsewhere.
    let whole = ["the callers' keys"];
    let without = ["the callers' keys", "embedder"];
    until("it is missed", async || {
        readiness(&world).await.1.degraded == without
    })
    .await;
    assert_eq!(readiness(&world).await.0, 200);
    world.double.recover();
    until("it is back", async || {
        readiness(&world).await.1.degraded == whole
    })
    .await;

    world.store.close().await;
    let (status, closed) = readiness(&world).await;
    assert_eq!(status, 503);
    assert!(
        closed.missing.contains(&"store".to_owned()),
        "{:?}",
        closed.missing
    );
}
