//! `GET /v1/content/{id}`.

use content_api::store::ContentStore;
use contracts::ContentDocument;

use crate::{
    sample::{NOW, draft, id, retitled, stamp},
    world::World,
};

#[tokio::test]
async fn a_document_comes_with_its_revision_as_etag() {
    let Some(world) = World::start().await else {
        return;
    };
    world.store.put(&draft("alpha"), NOW).await.unwrap();
    let reply = world.get("/v1/content/alpha", &[]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        (reply.header("etag"), reply.header("cache-control")),
        ("\"1\"", "private, no-cache")
    );
    assert_eq!(
        reply.json::<ContentDocument>(),
        draft("alpha").into_document(1, NOW, NOW)
    );

    for held in ["\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"] {
        let reply = world
            .get("/v1/content/alpha", &[("if-none-match", held)])
            .await;
        assert_eq!(
            (reply.status.as_u16(), reply.body.len()),
            (304, 0),
            "{held}"
        );
        assert_eq!(reply.header("etag"), "\"1\"");
    }
    world
        .store
        .put(&retitled("alpha", "Other"), NOW)
        .await
        .unwrap();
    let reply = world
        .get("/v1/content/alpha", &[("if-none-match", "\"1\"")])
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("etag")),
        (200, "\"2\"")
    );
}

#[tokio::test]
async fn unknown_malformed_and_deleted_ids_are_not_found() {
    let Some(world) = World::start().await else {
        return;
    };
    world.store.put(&draft("gone"), NOW).await.unwrap();
    world
        .store
        .delete(&id("gone"), None, &stamp())
        .await
        .unwrap();
    let long = "a".repeat(2_000);
    for slug in [
        "unknown",
        "gone",
        "Not_A_Slug",
        "-",
        "%00",
        "a%2Fb",
        "%F0%9F%98%80",
        &long,
    ] {
        for path in [
            format!("/v1/content/{slug}"),
            format!("/v1/content/{slug}/image"),
        ] {
            let problem = world.get(&path, &[]).await.problem(404, "no-such-content");
            assert!(problem.detail.len() < 250, "{}", problem.detail);
        }
    }
}
