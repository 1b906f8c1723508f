//! The PostgreSQL adapter: the contract, and what only it can get wrong.

use content_api::{
    PostgresStore,
    store::{ContentStore, Pending, StoreError},
};

use crate::{
    sample::{NOW, draft, id},
    store_contract,
};

#[tokio::test]
async fn it_keeps_the_contract() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let store = PostgresStore::connect(&database.url.as_str().into())
        .await
        .unwrap();
    let version: String = sqlx::query_scalar("show server_version")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    Box::pin(store_contract::suite(
        &store,
        &format!("PostgreSQL {version}"),
    ))
    .await;
}

#[tokio::test]
async fn two_services_may_start_at_once_and_again() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let url = database.url.as_str().into();
    let (first, second) = tokio::join!(PostgresStore::connect(&url), PostgresStore::connect(&url));
    first.unwrap().put(&draft("kept"), NOW).await.unwrap();
    assert_eq!(second.unwrap().count().await.unwrap(), 1);
    assert_eq!(
        PostgresStore::connect(&url)
            .await
            .unwrap()
            .count()
            .await
            .unwrap(),
        1
    );
}

#[tokio::test]
async fn an_older_release_still_starts_on_a_newer_ones_schema() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let url = database.url.as_str().into();
    drop(PostgresStore::connect(&url).await.unwrap());
    sqlx::query(
        "INSERT INTO content._sqlx_migrations
             (version, description, success, checksum, execution_time)
         VALUES (9999, 'of a later release', true, 'x', 0)",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    PostgresStore::connect(&url).await.unwrap();
}

#[tokio::test]
async fn everything_lies_in_its_own_schema() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let store = PostgresStore::connect(&database.url.as_str().into())
        .await
        .unwrap();
    store.put(&draft("here"), NOW).await.unwrap();
    let outside: i64 =
        sqlx::query_scalar("select count(*) from pg_tables where schemaname = 'public'")
            .fetch_one(&database.pool)
            .await
            .unwrap();
    assert_eq!(outside, 0);
}

#[tokio::test]
async fn a_body_that_is_no_document_is_named() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let store = PostgresStore::connect(&database.url.as_str().into())
        .await
        .unwrap();
    store.put(&draft("bad"), NOW).await.unwrap();
    sqlx::query("update content.documents set body = '{}'")
        .execute(&database.pool)
        .await
        .unwrap();
    let error = store.get(&[id("bad")]).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Damaged { id, .. } if id == "bad"),
        "{error}"
    );
}

#[tokio::test]
async fn a_body_that_is_no_document_hides_no_other() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let store = PostgresStore::connect(&database.url.as_str().into())
        .await
        .unwrap();
    for slug in ["a", "bad-1", "bad-2", "misnamed", "z"] {
        store.put(&draft(slug), NOW).await.unwrap();
    }
    for damage in [
        "update content.documents set body = '{}' where id like 'bad%'",
        "update content.documents set body = jsonb_set(body, '{id}', '\"a\"') where id = 'misnamed'",
    ] {
        sqlx::query(damage).execute(&database.pool).await.unwrap();
    }
    let slugs = |documents: Vec<contracts::ContentDocument>| -> Vec<String> {
        let slug = |document: contracts::ContentDocument| document.id.to_string();
        documents.into_iter().map(slug).collect()
    };
    let asked = ["a", "bad-1", "z"].map(id);
    let mut found = slugs(store.get(&asked).await.unwrap());
    found.sort_unstable();
    assert_eq!(found, ["a", "z"]);
    assert_eq!(slugs(store.list(None, 9).await.unwrap()), ["a", "z"]);
    // A page of nothing but unreadable rows is not the end.
    let page = store.list(Some(&id("a")), 2).await.unwrap();
    assert_eq!(slugs(page), ["z"]);
    assert_eq!(store.list(Some(&id("z")), 2).await.unwrap(), []);

    let pending = store.pending(None, 9).await.unwrap();
    let readable = |change: &Pending| matches!(change, Pending::Put(_));
    let readable: Vec<bool> = pending.iter().map(readable).collect();
    assert_eq!(readable, [true, false, false, false, true]);
    assert_eq!((pending[1].id(), pending[1].revision()), (&id("bad-1"), 1));
    let known = store.known(&["bad-1", "z", "unknown"].map(id)).await;
    assert_eq!(known.unwrap(), [id("bad-1"), id("z")]);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_an_error_that_says_so() {
    let url = crate::world::nobody_there().await;
    let url = url.as_str().replace("http", "postgres");
    let error = PostgresStore::connect(&format!("{url}content?user=x").into())
        .await
        .unwrap_err();
    let StoreError::Backend { action, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(*action, "connect to its database");
}
