//! `DELETE /v1/content/{id}?erase=true`.

use contracts::{
    Scope,
    lifecycle::{ErasureAnswer, ErasurePage, ErasureRecord, ErasureStage, StoredContent},
};
use serde_json::Value;

use crate::{
    life_cycle::{metadata, upload},
    sample::png,
    world::{Setup, World, until},
};

const APPROVE: &[Scope] = &[Scope::ContentApprove];

/// A document that has been everywhere: shown, searched and in the indexes.
async fn well_known(world: &World) -> StoredContent {
    let reply = upload(world, "k", png(3), metadata("Confidencial")).await;
    let stored: StoredContent = reply.json();
    let id = &stored.document.id;
    let approve = world.request("POST", &format!("/v1/content/{id}/approve"), APPROVE);
    assert_eq!(world.send(approve).await.status, 200);
    let image = world
        .get(&format!("/v1/content/{id}/image?width=32&format=webp"), &[])
        .await;
    assert_eq!(image.status, 200);
    stored
}

/// Every text in every table of the store, for a word that must not be there.
async fn is_anywhere(world: &World, word: &str) -> Vec<String> {
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'content'")
            .fetch_all(&world.database.pool)
            .await
            .unwrap();
    let mut holding = Vec::new();
    for table in tables {
        let statement = format!(
            "select exists (select from content.{table} as held where held::text ilike $1)"
        );
        let holds: bool = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
            .bind(format!("%{word}%"))
            .fetch_one(&world.database.pool)
            .await
            .unwrap();
        if holds {
            holding.push(table);
        }
    }
    holding
}

#[tokio::test]
async fn nothing_but_the_id_stays_and_the_record_says_so() {
    let Some(world) = World::start().await else {
        return;
    };
    let stored = well_known(&world).await;
    world.drained().await;
    let id = stored.document.id;
    let sha256 = stored.document.image.sha256;
    let title = "Confidencial al sol";
    assert!(!is_anywhere(&world, title).await.is_empty());
    let path = format!("/v1/content/{id}?erase=true");
    let erase = || world.request("DELETE", &path, APPROVE);
    let writer = world.request("DELETE", &path, &[Scope::ContentWrite]);
    world.send(writer).await.problem(403, "insufficient-scope");

    let reply = world.send(erase()).await;
    assert_eq!(reply.status, 200);
    let answer: ErasureAnswer = reply.json();
    assert!(answer.complete);
    let [first, second] = answer.records.as_slice() else {
        panic!("{answer:?}")
    };
    let ErasureStage::Store(store) = &first.erasure.stage else {
        panic!("{first:?}")
    };
    assert_eq!(
        (store.documents, store.image_files, store.kept_answers),
        (1, 1, 1)
    );
    let ErasureStage::IndexesAndCaches(elsewhere) = &second.erasure.stage else {
        panic!("{second:?}")
    };
    assert_eq!((elsewhere.revision, elsewhere.renditions), (3, 1));
    assert!(first.follows(None) && second.follows(Some(first)));

    assert_eq!(is_anywhere(&world, title).await, [""; 0]);
    assert_eq!(is_anywhere(&world, &sha256).await, [""; 0]);
    assert!(world.double.held().is_empty());
    world
        .get(&format!("/v1/content/{id}"), &[])
        .await
        .problem(404, "no-such-content");
    world
        .get(&format!("/v1/content/{id}/image"), &[])
        .await
        .problem(404, "no-such-content");
    let found: Value = world
        .find(serde_json::json!({"description": "sol"}))
        .await
        .json();
    assert_eq!(found["results"], serde_json::json!([]));

    let again: ErasureAnswer = world.send(erase()).await.json();
    assert_eq!(again, answer, "the same record");
    let ledger = world.request("GET", "/v1/erasures?limit=1", APPROVE);
    let page: ErasurePage = world.send(ledger).await.json();
    assert_eq!(page.records, answer.records[..1]);
    let next = format!("/v1/erasures?cursor={}", page.next.unwrap());
    let page: ErasurePage = world
        .send(world.request("GET", &next, APPROVE))
        .await
        .json();
    assert_eq!(page.records, answer.records[1..]);
    let unknown = world.request("DELETE", "/v1/content/unknown?erase=true", APPROVE);
    world.send(unknown).await.problem(404, "no-such-content");
    let odd = world.request("DELETE", "/v1/content/x?erase=maybe", APPROVE);
    world.send(odd).await.problem(400, "invalid-query");
}

#[tokio::test]
async fn the_request_that_created_it_is_told_so_and_creates_nothing() {
    let Some(world) = World::start().await else {
        return;
    };
    let stored = well_known(&world).await;
    let path = format!("/v1/content/{}?erase=true", stored.document.id);
    let erase = world.request("DELETE", &path, APPROVE);
    assert_eq!(world.send(erase).await.status, 200);
    for said in ["Confidencial", "Otra"] {
        let again = upload(&world, "k", png(3), metadata(said)).await;
        again.problem(410, "erased");
    }
    assert_eq!(is_anywhere(&world, "al sol").await, [""; 0]);
    assert_eq!(
        is_anywhere(&world, &stored.document.image.sha256).await,
        [""; 0]
    );
    // Somebody who means it sends a new key.
    let anew = upload(&world, "k-2", png(3), metadata("Confidencial")).await;
    assert_eq!(anew.status, 201);
    let again = upload(&world, "k", png(3), metadata("Confidencial")).await;
    again.problem(410, "erased");
}

#[tokio::test]
async fn it_is_incomplete_while_the_indexes_are_away_and_complete_when_repeated() {
    let Some(world) = World::start_with(Setup {
        publish: false,
        ..Setup::default()
    })
    .await
    else {
        return;
    };
    let stored = well_known(&world).await;
    let id = stored.document.id;
    let path = format!("/v1/content/{id}?erase=true");
    let erase = || world.request("DELETE", &path, APPROVE);
    let answer: ErasureAnswer = world.send(erase()).await.json();
    assert_eq!((answer.complete, answer.records.len()), (false, 1));
    assert_eq!(is_anywhere(&world, "Confidencial al sol").await, [""; 0]);

    world.run_publisher(&world.stop);
    let mut records: Vec<ErasureRecord> = Vec::new();
    until("the indexes have heard of it", async || {
        let answer: ErasureAnswer = world.send(erase()).await.json();
        records = answer.records;
        answer.complete
    })
    .await;
    assert_eq!(records.len(), 2);
}
