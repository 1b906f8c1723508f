//! Every bound on a request, and the problem that it gives.

use contracts::{Language, index::IndexDocument};
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::{
    harness::plain,
    http::{Api, problem},
};

const DOCUMENTS: &str = "/v1/documents";
const SEARCH: &str = "/v1/search";

fn changed(change: impl FnOnce(&mut IndexDocument)) -> Value {
    let mut document = plain("a", 1, "playa");
    change(&mut document);
    json!({ "documents": [plain("fine", 1, "x"), document] })
}

/// A search with this field instead of, or beside, the usual ones.
fn search(field: &str, value: Value) -> Value {
    let mut body = json!({ "text": "playa", "limit": 5 });
    body[field] = value;
    body
}

#[tokio::test]
async fn embeddings_are_bounded() {
    let Some(api) = Api::start().await else {
        return;
    };
    for (body, expected, told) in [
        (json!({ "input": [] }), "400 invalid-input", "0 texts"),
        (
            json!({ "input": vec!["x"; 513] }),
            "400 invalid-input",
            "513 texts",
        ),
        (json!({ "input": "" }), "400 invalid-input", "Text 0"),
        (
            json!({ "input": ["x", " \n\t"] }),
            "400 invalid-input",
            "Text 1",
        ),
        (
            json!({ "input": "ñ".repeat(2_001) }),
            "400 invalid-input",
            "2001 characters",
        ),
        (
            json!({ "input": "x", "model": "gpt" }),
            "400 unknown-model",
            "minilm-es-en-v1",
        ),
        (
            json!({ "input": "x", "dimensions": 383 }),
            "400 invalid-dimensions",
            "384",
        ),
        (
            json!({ "input": "x", "encoding_format": "hex" }),
            "422 invalid-body",
            "hex",
        ),
        (json!({ "input": 5 }), "422 invalid-body", "input"),
        (
            json!({ "input": "x", "texts": "y" }),
            "422 invalid-body",
            "texts",
        ),
        (json!({}), "422 invalid-body", "input"),
    ] {
        let (problem, detail) = api.refused(Method::POST, "/v1/embeddings", body).await;
        assert_eq!(problem, expected, "{detail}");
        assert!(detail.contains(told), "{detail}");
    }
    api.ok(
        Method::POST,
        "/v1/embeddings",
        json!({ "input": "ñ".repeat(2_000) }),
    )
    .await;
}

#[tokio::test]
async fn pushes_are_counted() {
    let Some(api) = Api::start().await else {
        return;
    };
    let many = |count: usize| -> Value {
        let documents = (0..count).map(|n| json!({ "id": format!("d{n}"), "revision": 1 }));
        json!({ "documents": documents.collect::<Vec<_>>() })
    };
    for count in [0, 257] {
        let (problem, detail) = api.refused(Method::DELETE, DOCUMENTS, many(count)).await;
        assert_eq!(problem, "400 invalid-count", "{detail}");
        assert!(
            detail.contains(&count.to_string()) && detail.contains("256"),
            "{detail}"
        );
        let documents: Vec<_> = (0..count)
            .map(|n| plain(&format!("d{n}"), 1, "x"))
            .collect();
        let body = json!({ "documents": documents });
        assert_eq!(
            api.refused(Method::PUT, DOCUMENTS, body).await.0,
            "400 invalid-count"
        );
    }
    api.ok(Method::DELETE, DOCUMENTS, many(256)).await;
    for (revision, told) in [(-1, "-1"), (1_i64 << 53, "9007199254740992")] {
        let body = json!({ "documents": [{ "id": "a", "revision": revision }] });
        let (problem, detail) = api.refused(Method::DELETE, DOCUMENTS, body).await;
        assert_eq!(problem, "400 invalid-document", "{detail}");
        assert!(detail.contains(told), "{detail}");
    }
}

#[tokio::test]
async fn documents_are_bounded() {
    let Some(api) = Api::start().await else {
        return;
    };
    fn spanish(document: &mut IndexDocument) -> &mut contracts::index::SearchText {
        document.text.get_mut(&Language::Es).unwrap()
    }
    let strings = |count: usize| vec!["x".to_owned(); count];
    for (body, told) in [
        (changed(|d| d.revision = -1), "revision is -1"),
        (changed(|d| d.revision = i64::MAX), "expected 0 to"),
        (changed(|d| d.text.clear()), "no text in any language"),
        (
            changed(|d| spanish(d).title = "ñ".repeat(201)),
            "201 characters",
        ),
        (changed(|d| spanish(d).title = " ".to_owned()), "the title"),
        (
            changed(|d| spanish(d).description = "x".repeat(4_001)),
            "4001 characters",
        ),
        (
            changed(|d| spanish(d).description = String::new()),
            "the description",
        ),
        (
            changed(|d| spanish(d).description = "a\0b".to_owned()),
            "NUL",
        ),
        (changed(|d| spanish(d).hashtags = strings(51)), "51 values"),
        (
            changed(|d| spanish(d).hashtags = vec!["x".repeat(81)]),
            "81 characters",
        ),
        (
            changed(|d| spanish(d).keywords = vec![String::new()]),
            "0 characters",
        ),
        (changed(|d| d.facets.themes = strings(51)), "51 values"),
        (
            changed(|d| d.facets.audience = vec!["\0".to_owned()]),
            "NUL",
        ),
        (
            changed(|d| d.facets.usable_from = "mañana".to_owned()),
            "'mañana'",
        ),
        (
            changed(|d| d.facets.usable_from = "2026-02-30".to_owned()),
            "2026-02-30",
        ),
        (
            changed(|d| d.facets.usable_until = Some(String::new())),
            "ISO 8601",
        ),
        // ISO 8601 as well, but indexes compare days as they are written.
        (
            changed(|d| d.facets.usable_from = "20261122".to_owned()),
            "20261122",
        ),
        (
            changed(|d| d.facets.usable_until = Some("2026-W47-7".to_owned())),
            "2026-W47-7",
        ),
        (
            changed(|d| d.facets.usable_until = Some("2026-326".to_owned())),
            "2026-326",
        ),
    ] {
        let (problem, detail) = api.refused(Method::PUT, DOCUMENTS, body).await;
        assert_eq!(problem, "400 invalid-document", "{detail}");
        assert!(
            detail.starts_with("Document 'a': ") && detail.contains(told),
            "{detail}"
        );
    }
    let status = api.ok(Method::GET, "/v1/index/status", Value::Null).await;
    assert_eq!(
        status["indexes"][0]["documents"], 0,
        "nothing of a refused push is kept"
    );
    let full = changed(|d| {
        spanish(d).title = "ñ".repeat(200);
        spanish(d).description = "x ".repeat(2_000);
        spanish(d).hashtags = vec!["x".repeat(80); 50];
    });
    api.ok(Method::PUT, DOCUMENTS, full).await;
}

#[tokio::test]
async fn documents_of_another_shape_are_refused() {
    let Some(api) = Api::start().await else {
        return;
    };
    let with = |field: &str, value: Value| {
        let mut document = serde_json::to_value(plain("a", 1, "x")).unwrap();
        document[field] = value;
        json!({ "documents": [document] })
    };
    for body in [
        with("id", json!("Not A Slug")),
        with("id", json!("a".repeat(81))),
        with("revision", json!("1")),
        with("colour", json!("red")),
        with("text", json!({ "fr": {} })),
        json!({ "documents": [], "extra": 1 }),
        json!([]),
    ] {
        let (problem, detail) = api.refused(Method::PUT, DOCUMENTS, body).await;
        assert_eq!(problem, "422 invalid-body", "{detail}");
    }
}

#[tokio::test]
async fn searches_are_bounded() {
    let Some(api) = Api::start().await else {
        return;
    };
    let filter = |field: &str, value: Value| search("filters", json!({ field: value }));
    for (body, expected, told) in [
        (
            search("text", json!("")),
            "400 invalid-text",
            "0 characters",
        ),
        (
            search("text", json!(" \u{3000}\n")),
            "400 invalid-text",
            "blank",
        ),
        (
            search("text", json!("ñ".repeat(2_001))),
            "400 invalid-text",
            "2001",
        ),
        (search("limit", json!(0)), "400 invalid-limit", "1 to 100"),
        (search("limit", json!(101)), "400 invalid-limit", "101"),
        (search("limit", json!(-1)), "422 invalid-body", "-1"),
        (
            search("limit", json!(1e9 as i64)),
            "400 invalid-limit",
            "1000000000",
        ),
        (
            search("min_score", json!(1.5)),
            "400 invalid-min-score",
            "0 to 1",
        ),
        (
            search("min_score", json!(-0.1)),
            "400 invalid-min-score",
            "0 to 1",
        ),
        (
            search("engine", json!("solr")),
            "400 unknown-engine",
            "one, two",
        ),
        (search("mode", json!("magic")), "422 invalid-body", "magic"),
        (search("language", json!("fr")), "422 invalid-body", "fr"),
        (search("colour", json!("red")), "422 invalid-body", "colour"),
        (
            filter("colour", json!(["red"])),
            "422 invalid-body",
            "colour",
        ),
        (
            filter("orientation", json!(["round"])),
            "422 invalid-body",
            "round",
        ),
        (
            filter("usable_on", json!("soon")),
            "400 invalid-filter",
            "'soon'",
        ),
        (
            filter("usable_on", json!("2026-11-31")),
            "400 invalid-filter",
            "2026-11-31",
        ),
        (
            filter("usable_on", json!("2026-W47-7")),
            "400 invalid-filter",
            "2026-W47-7",
        ),
        (
            filter("themes", json!(vec!["x"; 51])),
            "400 invalid-filter",
            "51 values",
        ),
        (
            filter("channels", json!(["\0"])),
            "400 invalid-filter",
            "NUL",
        ),
        (
            filter("territory", json!("C\0")),
            "400 invalid-filter",
            "NUL",
        ),
    ] {
        let (problem, detail) = api.refused(Method::POST, SEARCH, body).await;
        assert_eq!(problem, expected, "{detail}");
        assert!(detail.contains(told), "{detail}");
    }
    for body in [
        search("text", json!("ñ".repeat(2_000))),
        search("text", json!("🎉🎉🎉")),
        search("text", json!("a\u{0}b\u{202e}\u{7}")),
        search("text", json!("'); DROP TABLE documents; --")),
        search("limit", json!(100)),
        search("min_score", json!(1.0)),
    ] {
        api.ok(Method::POST, SEARCH, body).await;
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused() {
    let Some(api) = Api::start().await else {
        return;
    };
    let token = api.token(contracts::Scope::ContentRead);
    let send = async |kind: &str, body: Vec<u8>| {
        let request = api.request(Method::POST, SEARCH).bearer_auth(&token);
        let request = request.header(header::CONTENT_TYPE, kind).body(body);
        problem(request.send().await.unwrap()).await.0
    };
    let json = "application/json";
    assert_eq!(
        send(json, b"{\"text\":".to_vec()).await,
        "400 malformed-json"
    );
    assert_eq!(
        send(json, b"{\"text\":\"\xff\xfe\",\"limit\":1}".to_vec()).await,
        "400 malformed-json"
    );
    assert_eq!(send(json, Vec::new()).await, "400 malformed-json");
    assert_eq!(
        send("text/plain", b"{}".to_vec()).await,
        "415 unsupported-media-type"
    );
    let huge = vec![b' '; 8 * 1024 * 1024 + 1];
    assert_eq!(send(json, huge).await, "413 body-too-large");
    let mut largest = vec![b' '; 8 * 1024 * 1024];
    let end = b"{\"text\":\"\",\"limit\":1}";
    let from = largest.len() - end.len();
    largest[from..].copy_from_slice(end);
    assert_eq!(
        send(json, largest).await,
        "400 invalid-text",
        "just small enough to be read"
    );
}

#[tokio::test]
async fn other_routes_and_methods_are_problems_too() {
    let Some(api) = Api::start().await else {
        return;
    };
    let answer = async |method: Method, path: &str| {
        problem(api.request(method, path).send().await.unwrap())
            .await
            .0
    };
    assert_eq!(
        answer(Method::GET, "/v1/nothing").await,
        "404 no-such-route"
    );
    assert_eq!(answer(Method::GET, SEARCH).await, "405 method-not-allowed");
    assert_eq!(
        answer(Method::POST, DOCUMENTS).await,
        "405 method-not-allowed"
    );
}
