//! What is said about an image, changed.

use contracts::{ContentDocument, Scope, content::Status};
use serde_json::json;

use super::{WRITE, approved, patch};
use crate::world::World;

#[tokio::test]
async fn a_patch_needs_the_revision_that_it_changes() {
    let Some(world) = World::start().await else {
        return;
    };
    let id = approved(&world, 3).await;
    let body = json!({"text": {"en": {"title": "Sun", "description": "The sun", "alt": "A picture",
        "hashtags": []}}, "themes": null});
    let path = format!("/v1/content/{id}");
    let without = world.request("PATCH", &path, WRITE).json(&body);
    world.send(without).await.problem(428, "missing-if-match");
    for stale in ["\"1\"", "W/\"2\"", "\"x\"", "2"] {
        let reply = patch(&world, &id, stale, WRITE, body.clone()).await;
        reply.problem(412, "revision-changed");
    }
    let both = [Scope::ContentWrite, Scope::ContentApprove];
    let reply = patch(&world, &id, "\"2\"", &both, body.clone()).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("etag")),
        (200, "\"3\"")
    );
    let document: ContentDocument = reply.json();
    assert_eq!(document.missing_languages, []);
    assert_eq!(document.themes, [""; 0]);
    assert_eq!(
        document.status,
        Status::Approved,
        "who changed it may approve"
    );
    let nothing = patch(&world, &id, "\"3\"", WRITE, json!({})).await;
    assert_eq!(nothing.header("etag"), "\"3\"");

    let at_once = (0..6).map(|n| {
        let body = json!({"rights": {"holder": format!("Holder {n}")}});
        patch(&world, &id, "\"3\"", WRITE, body)
    });
    let replies = futures::future::join_all(at_once).await;
    let won = replies.iter().filter(|reply| reply.status == 200);
    assert_eq!(won.count(), 1);
    for loser in replies.iter().filter(|reply| reply.status != 200) {
        loser.problem(412, "revision-changed");
    }
    let document: ContentDocument = world.get(&path, &[]).await.json();
    assert_eq!(
        (document.revision, document.status),
        (4, Status::Draft),
        "to be approved again"
    );
}

#[tokio::test]
async fn what_a_patch_may_not_say_is_refused_and_named() {
    let Some(world) = World::start().await else {
        return;
    };
    let id = approved(&world, 3).await;
    for (body, slug, says) in [
        (json!({"status": "approved"}), "invalid-patch", "status"),
        (json!({"image": {}}), "invalid-patch", "image"),
        (json!({"id": "other"}), "invalid-patch", "fixed"),
        (json!({"rights": null}), "invalid-patch", "rights"),
        (json!([]), "invalid-patch", "object"),
        (
            json!({"text": {"es": null}}),
            "invalid-metadata",
            "text is empty",
        ),
        (
            json!({"themes": ["war"]}),
            "invalid-metadata",
            "one of beauty",
        ),
        (
            json!({"channels": ["sms", "sms"]}),
            "invalid-metadata",
            "twice",
        ),
        (
            json!({"rights": {"from": "2026-02-30"}}),
            "invalid-metadata",
            "rights.from",
        ),
        (
            json!({"rights": {"until": "2025-01-01"}}),
            "invalid-metadata",
            "before they begin",
        ),
        (
            json!({"rights": {"territories": ["cr"]}}),
            "invalid-metadata",
            "'cr'",
        ),
        (
            json!({"rights": {"territories": ["*", "CR"]}}),
            "invalid-metadata",
            "everywhere",
        ),
        (
            json!({"rights": {"territories": []}}),
            "invalid-metadata",
            "0 values",
        ),
        (
            json!({"text": {"es": {"title": "x".repeat(201)}}}),
            "invalid-metadata",
            "201",
        ),
        (
            json!({"text": {"es": {"alt": " "}}}),
            "invalid-metadata",
            "alt has 1",
        ),
        (
            json!({"text": {"es": {"title": "a\u{0}"}}}),
            "invalid-metadata",
            "U+0000",
        ),
        (
            json!({"text": {"es": {"hashtags": ["sol"]}}}),
            "invalid-metadata",
            "'sol'",
        ),
        (
            json!({"text": {"es": {"hashtags": ["#1"]}}}),
            "invalid-metadata",
            "'#1'",
        ),
    ] {
        let problem = patch(&world, &id, "*", WRITE, body.clone())
            .await
            .problem(422, slug);
        assert!(problem.detail.contains(says), "{body}: {}", problem.detail);
    }
    let reply = patch(&world, "unknown", "*", WRITE, json!({})).await;
    reply.problem(404, "no-such-content");
}
