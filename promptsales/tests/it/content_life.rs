//! The life of one image over HTTP, on the embedded defaults: how soon it is found, and that what is
//! gone is gone.

use std::time::{Duration, Instant};

use contracts::lifecycle::{ErasureAnswer, ErasureRecord, ErasureStage};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use url::Url;

use crate::support::{Api, Reply, Up, ids, writable_up};

/// What the product promises is two seconds on an idle machine; this one may be compiling.
const FOUND_WITHIN: Duration = Duration::from_secs(20);
const ENGINES: [&str; 2] = ["qdrant-edge", "pgvector"];

/// One system, its content API and its search service.
struct Content {
    api: Api,
    embedder: Url,
}

impl Content {
    fn of(up: &Up) -> Self {
        Self {
            api: Api::of_owner(up),
            embedder: up.endpoints().embedder,
        }
    }

    async fn upload(&self, key: &str, image: &str, metadata: Value) -> Reply {
        let file = format!(
            "{}/../images/rendered/{image}.png",
            env!("CARGO_MANIFEST_DIR")
        );
        let form = Form::new()
            .part("image", Part::bytes(std::fs::read(file).unwrap()))
            .text("metadata", metadata.to_string());
        let request = self.api.request(Method::POST, "/v1/content");
        Reply::of(request.header("Idempotency-Key", key).multipart(form)).await
    }

    async fn send(&self, method: Method, path: &str) -> Reply {
        Reply::of(self.api.request(method, path)).await
    }

    async fn patch(&self, path: &str, etag: &str, patch: Value) -> Reply {
        let request = self.api.request(Method::PATCH, path);
        let request = request.header("If-Match", etag);
        Reply::of(request.json(&patch)).await
    }

    /// The ids that getContent gives.
    async fn find(&self, description: &str) -> Vec<String> {
        let body = json!({"description": description, "limit": 100, "min_score": 0});
        let answer = self.api.get_content(body).await.json();
        ids(&answer).into_iter().map(str::to_owned).collect()
    }

    /// What one engine holds in any state, however little it fits.
    async fn held_by(&self, engine: &str, text: &str) -> Vec<String> {
        let mut held = Vec::new();
        for status in ["approved", "draft", "retired"] {
            let request = json!({"text": text, "limit": 100, "min_score": 0, "engine": engine,
                "status": status});
            let url = self.embedder.join("/v1/search").unwrap();
            let request = self
                .api
                .http
                .post(url)
                .bearer_auth(&self.api.token)
                .json(&request);
            let answer = Reply::of(request).await.json();
            let hits = answer["hits"].as_array().unwrap().iter();
            held.extend(hits.map(|hit| hit["id"].as_str().unwrap().to_owned()));
        }
        held
    }

    /// How long it takes until this is the best answer.
    async fn until_best(&self, id: &str, description: &str) -> Duration {
        let began = Instant::now();
        while self
            .find(description)
            .await
            .first()
            .is_none_or(|best| best != id)
        {
            assert!(
                began.elapsed() < FOUND_WITHIN,
                "{id} is not found by {description}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        began.elapsed()
    }
}

fn metadata(id: &str, language: &str, description: &str) -> Value {
    json!({
        "id": id,
        "text": {language: {"title": description, "description": description,
            "alt": description, "hashtags": ["#Own"]}},
        "rights": {"licence": "CC-BY-4.0", "holder": "Us", "from": "2026-01-01",
            "territories": ["*"]},
    })
}

#[tokio::test]
async fn an_image_is_found_changes_and_is_never_found_again() {
    let Some(up) = writable_up() else { return };
    let content = Content::of(up);
    let id = "walrus-on-ice";
    let first = "Una morsa enorme toca el acordeón sobre un témpano de hielo";
    let second = "An orchestra of penguins plays the trombone at midnight";

    let stored = content
        .upload("walrus-1", "sushi-platter", metadata(id, "es", first))
        .await;
    assert_eq!(stored.status, 201);
    let document = &stored.json()["document"];
    assert_eq!(document["missing_languages"], json!(["en"]));
    assert_eq!(stored.json()["duplicates"][0]["id"], "sushi-platter");
    // A draft is none of a search's business.
    assert!(!content.find(first).await.contains(&id.to_owned()));
    let path = format!("/v1/content/{id}");
    let approved = content.send(Method::POST, &format!("{path}/approve")).await;
    assert_eq!(approved.json()["status"], "approved");
    let found = content.until_best(id, first).await;
    println!("approved, then found after {found:?}");

    let patch = json!({"text": {"es": null, "en": {"title": "Penguins", "description": second,
        "alt": second, "hashtags": ["#Penguins"]}}});
    let etag = approved.header("etag");
    let changed = content.patch(&path, etag, patch.clone()).await;
    assert_eq!(
        changed.json()["status"],
        "approved",
        "its owner may approve"
    );
    let stale = content.patch(&path, etag, patch).await;
    stale.problem(412, "revision-changed");
    let began = Instant::now();
    loop {
        let by_old = json!({"description": first, "language": "es"});
        let by_old = content.api.get_content(by_old).await.json();
        let by_new = json!({"description": second, "language": "en"});
        let by_new = content.api.get_content(by_new).await.json();
        if !ids(&by_old).contains(&id) && ids(&by_new) == [id] {
            break;
        }
        assert!(began.elapsed() < FOUND_WITHIN, "{by_old}, {by_new}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let found = began.elapsed();
    println!("changed, then found by its new text alone after {found:?}");

    let retired = content.send(Method::POST, &format!("{path}/retire")).await;
    assert_eq!(retired.json()["status"], "retired");
    // At once, whatever the indexes and the cache still hold.
    assert!(!content.find(second).await.contains(&id.to_owned()));
    let approved = content.send(Method::POST, &format!("{path}/approve")).await;
    assert_eq!(approved.status, 200);
    content.until_best(id, second).await;

    assert_eq!(content.send(Method::DELETE, &path).await.status, 204);
    assert!(!content.find(second).await.contains(&id.to_owned()));
    content
        .send(Method::GET, &path)
        .await
        .problem(404, "no-such-content");
    let image = content.send(Method::GET, &format!("{path}/image")).await;
    image.problem(404, "no-such-content");
    let began = Instant::now();
    for engine in ENGINES {
        while content
            .held_by(engine, second)
            .await
            .contains(&id.to_owned())
        {
            assert!(began.elapsed() < FOUND_WITHIN, "{engine} still holds it");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    println!(
        "deleted, then out of both indexes after {:?}",
        began.elapsed()
    );

    let erased = content
        .send(Method::DELETE, &format!("{path}?erase=true"))
        .await;
    let erased: ErasureAnswer = serde_json::from_value(erased.json()).unwrap();
    assert!(erased.complete, "{erased:?}");
    let of_store = |record: &ErasureRecord| matches!(record.erasure.stage, ErasureStage::Store(_));
    assert_eq!(
        erased
            .records
            .iter()
            .filter(|record| of_store(record))
            .count(),
        1
    );
    assert!(
        erased
            .records
            .iter()
            .all(|record| record.erasure.id.as_str() == id)
    );
    let kept = content.send(Method::GET, "/v1/erasures").await.json();
    let kept: Vec<ErasureRecord> = serde_json::from_value(kept["records"].clone()).unwrap();
    assert!(erased.records.iter().all(|record| kept.contains(record)));
    assert!(!content.find(second).await.contains(&id.to_owned()));
}
