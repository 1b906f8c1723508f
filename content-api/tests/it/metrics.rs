//! `/metrics`: requests, calls of the embedder, where answers come from, what waits to be published.

use std::sync::Arc;

use content_api::{
    cache::{RedisCache, RedisSettings},
    store::ContentStore as _,
};
use serde_json::json;

use crate::{
    sample::{NOW, draft},
    world::{Setup, World, until},
};

async fn scraped(world: &World) -> String {
    let url = world.metrics.join("/metrics").unwrap();
    let answer = world.http.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

/// The value of a series, by its name and labels.
fn value(text: &str, series: &str) -> Option<f64> {
    let begins = format!("{series} ");
    let line = text.lines().find(|line| line.starts_with(&begins))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[tokio::test]
async fn requests_answers_and_calls_of_the_embedder_are_counted() {
    let Some(world) = World::start().await else {
        return;
    };
    world.publish(&["alpha"]).await;
    for _ in 0..3 {
        world.find(json!({"description": "shoes"})).await;
    }
    world.find(json!({"description": ""})).await;
    let text = scraped(&world).await;
    let served = |status: &str| {
        let labels = format!(
            "service=\"content-api\",method=\"POST\",route=\"/v1/getContent\",status=\"{status}\""
        );
        value(
            &text,
            &format!("http_server_request_duration_seconds_count{{{labels}}}"),
        )
    };
    assert_eq!(
        (served("2xx"), served("4xx")),
        (Some(3.0), Some(1.0)),
        "{text}"
    );
    let active = "http_server_active_requests{service=\"content-api\"}";
    assert_eq!(value(&text, active), Some(0.0));
    let answers = |cached| {
        value(
            &text,
            &format!("content_api_answers_total{{cached=\"{cached}\"}}"),
        )
    };
    assert_eq!((answers(false), answers(true)), (Some(1.0), Some(2.0)));
    let sent = "http_client_request_duration_seconds_count{service=\"content-api\",peer=\"embedder\",status=\"2xx\"}";
    assert!(
        value(&text, sent).is_some_and(|calls| calls >= 2.0),
        "{text}"
    );
    assert_eq!(value(&text, "content_api_changes_unpublished"), Some(0.0));
    assert_eq!(value(&text, "content_api_store_up"), Some(1.0));
    assert!(!text.contains("redis"), "{text}");
}

#[tokio::test]
async fn what_waits_to_be_published_is_told_and_a_database_that_is_away_too() {
    let setup = Setup {
        publish: false,
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    for slug in ["alpha", "beta"] {
        world.store.put(&draft(slug), NOW).await.unwrap();
    }
    let text = scraped(&world).await;
    assert_eq!(value(&text, "content_api_changes_unpublished"), Some(2.0));
    world.store.close().await;
    let text = scraped(&world).await;
    assert_eq!(value(&text, "content_api_store_up"), Some(0.0), "{text}");
}

#[tokio::test]
async fn the_circuit_to_redis_is_told() {
    let Some(mut redis) = test_support::own_redis(&[]).await else {
        return;
    };
    let public_url = "https://content.test".parse().unwrap();
    let settings = RedisSettings::new(redis.url().into(), public_url);
    let config = settings.check().unwrap();
    let cache = RedisCache::start(config).await.unwrap();
    let setup = Setup {
        cache: Some(Arc::new(cache)),
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    let open = "content_api_redis_circuit_open";
    let text = scraped(&world).await;
    assert_eq!(value(&text, open), Some(0.0), "{text}");
    redis.kill();
    let mut asked = 0;
    until("the circuit opens", async || {
        // Another one each time, or this process's own memory would answer.
        asked += 1;
        let question = format!("shoes {asked}");
        world.find(json!({"description": question})).await;
        value(&scraped(&world).await, open) == Some(1.0)
    })
    .await;
    let gone = value(
        &scraped(&world).await,
        "content_api_redis_events_total{event=\"gone\"}",
    );
    assert_eq!(gone, Some(1.0));
}
