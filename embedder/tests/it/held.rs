//! What the indexes hold, told to a content store that may know less.

use contracts::index::HeldRevision;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{deletion, id, plain},
    http::{Api, problem},
    indexing::Bench,
};

fn held(slug: &str, revision: i64) -> HeldRevision {
    HeldRevision {
        id: id(slug),
        revision,
    }
}

#[tokio::test]
async fn a_push_names_what_the_indexes_hold_newer_in_another_content() {
    let bench = Bench::of(2).await;
    let indexer = bench.service.indexer();
    let pushed = ["newer", "even", "same"].map(|slug| plain(slug, 5, "uno"));
    indexer.put(pushed.to_vec()).await.unwrap();
    indexer.delete(vec![deletion("gone", 7)]).await.unwrap();
    let restored = vec![
        plain("newer", 3, "dos"),
        plain("even", 5, "dos"),
        plain("same", 3, "uno"),
        plain("gone", 7, "uno"),
        plain("fresh", 1, "uno"),
    ];
    let answer = indexer.put(restored).await.unwrap();
    assert_eq!(
        answer.ahead,
        [held("newer", 5), held("even", 5), held("gone", 7)]
    );
    assert_eq!((answer.written, answer.unchanged), (1, 1));
    assert_eq!(bench.words_found("dos").await, [] as [&str; 0]);

    let raised = vec![plain("newer", 6, "dos"), plain("gone", 8, "dos")];
    let answer = indexer.put(raised).await.unwrap();
    assert_eq!((answer.ahead.len(), answer.written), (0, 2));
    assert_eq!(bench.words_found("dos").await.len(), 2);
}

#[tokio::test]
async fn a_deletion_names_what_the_indexes_hold_newer() {
    let bench = Bench::of(2).await;
    let indexer = bench.service.indexer();
    let pushed = vec![plain("a", 5, "uno"), plain("b", 5, "uno")];
    indexer.put(pushed).await.unwrap();
    indexer.delete(vec![deletion("b", 6)]).await.unwrap();
    let late = ["a", "b", "unknown"].map(|slug| deletion(slug, 2));
    let answer = indexer.delete(late.to_vec()).await.unwrap();
    assert_eq!((answer.deleted, answer.ahead), (0, vec![held("a", 5)]));
    let answer = indexer.delete(vec![deletion("a", 6)]).await.unwrap();
    assert_eq!((answer.deleted, answer.ahead), (1, Vec::new()));
}

#[tokio::test]
async fn what_is_held_comes_in_pages_by_id() {
    let Some(api) = Api::start().await else {
        return;
    };
    for slug in ["p1", "p-b", "gone", "pb"] {
        api.put_one(slug, 3, "uno").await;
    }
    let gone = json!({ "documents": [{ "id": "gone", "revision": 4 }] });
    api.ok(Method::DELETE, "/v1/documents", gone).await;
    let page = async |query: &str| {
        let path = format!("/v1/index/documents{query}");
        api.ok(Method::GET, &path, Value::Null).await["documents"].clone()
    };
    let all = page("").await;
    let line = |slug: &str| {
        let content_hash = plain(slug, 3, "uno").content_hash();
        json!({ "id": slug, "revision": 3, "content_hash": content_hash })
    };
    assert_eq!(all, json!([line("p-b"), line("p1"), line("pb")]));
    assert_eq!(page("?limit=2").await, json!([all[0], all[1]]));
    assert_eq!(page("?after=p1&limit=1000").await, json!([all[2]]));
    assert_eq!(page("?after=pb").await, json!([]));
    for (query, slug) in [
        ("?limit=0", "400 invalid-limit"),
        ("?limit=1001", "400 invalid-limit"),
        ("?limit=x", "400 invalid-query"),
        ("?after=No%20id", "400 invalid-query"),
        ("?before=a", "400 invalid-query"),
    ] {
        let path = format!("/v1/index/documents{query}");
        let refused = api.refused(Method::GET, &path, Value::Null).await;
        assert_eq!(refused.0, slug, "{query}");
    }
}

#[tokio::test]
async fn the_generation_is_told_without_asking_any_index() {
    let Some(api) = Api::start().await else {
        return;
    };
    let put = api.put_one("a", 1, "uno").await;
    let asked = || api.indexes.iter().map(|index| index.asked()).sum::<usize>();
    let before = asked();
    let answer = api
        .ok(Method::GET, "/v1/index/generation", Value::Null)
        .await;
    let expected = json!({ "model": "minilm-es-en-v1", "generation": put["generation"] });
    assert_eq!(answer, expected);
    assert_eq!(asked(), before);
}

#[tokio::test]
async fn reading_the_indexes_needs_the_scope_of_a_reader() {
    let Some(api) = Api::start().await else {
        return;
    };
    for path in ["/v1/index/generation", "/v1/index/documents"] {
        let missing = api.request(Method::GET, path).send().await.unwrap();
        assert_eq!(missing.status(), StatusCode::UNAUTHORIZED, "{path}");
        let writer = api.token(contracts::Scope::IndexWrite);
        let request = api.request(Method::GET, path).bearer_auth(writer);
        let refused = problem(request.send().await.unwrap()).await;
        assert_eq!(refused.0, "403 insufficient-scope", "{path}");
    }
}
