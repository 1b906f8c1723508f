//! The service binary as a process of its own.

use std::{process::Stdio, time::Duration};

use content_api::store::AnyStore;
use serde_json::Value;
use service_kit::http_client;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

use crate::world::{AUDIENCE, nobody_there};

const PATIENCE: Duration = Duration::from_secs(60);

async fn start(database_url: &str, listen: &str) -> Child {
    start_with(database_url, listen, &[]).await
}

async fn start_with(database_url: &str, listen: &str, more: &[(&str, &str)]) -> Child {
    let elsewhere = nobody_there().await;
    Command::new(env!("CARGO_BIN_EXE_content-api"))
        .args([
            "--listen",
            listen,
            "--seed",
            "--audience",
            AUDIENCE,
            "--client-id",
            "content-api",
        ])
        .args(["--public-url", "https://content.test"])
        .args([
            "--embedder-url",
            elsewhere.as_str(),
            "--token-url",
            elsewhere.as_str(),
        ])
        .args(["--issuer", elsewhere.as_str()])
        .env("CONTENT_API_DATABASE_URL", database_url)
        .env("CONTENT_API_CLIENT_SECRET", "very-secret")
        .env("RUST_LOG", "info")
        .envs(more.iter().copied())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn it_seeds_serves_and_stops_when_told_to() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    seeds_serves_and_stops(&database.url).await;
}

#[tokio::test]
async fn it_does_so_on_mongodb_too() {
    let Some(url) = test_support::mongo().await else {
        return;
    };
    seeds_serves_and_stops(&url).await;
}

async fn seeds_serves_and_stops(database_url: &str) {
    let audit = tempfile::tempdir().unwrap();
    let more = [
        ("CONTENT_API_METRICS_ADDRESS", "127.0.0.1:0"),
        ("CONTENT_API_AUDIT", audit.path().to_str().unwrap()),
    ];
    let mut child = start_with(database_url, "127.0.0.1:0", &more).await;
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut address_after = async |message: &str| {
        loop {
            let line = log
                .next_line()
                .await
                .unwrap()
                .expect("it serves before it ends");
            assert!(!line.contains("very-secret"), "{line}");
            let entry: Value = serde_json::from_str(&line).unwrap();
            if entry["message"] == message {
                return entry["address"].as_str().unwrap().to_owned();
            }
        }
    };
    let serving = async {
        (
            address_after("serving").await,
            address_after("serving metrics").await,
        )
    };
    let (address, metrics) = tokio::time::timeout(PATIENCE, serving).await.unwrap();
    let http = http_client::build(PATIENCE).unwrap();
    let alive = http
        .get(format!("http://{address}/livez"))
        .send()
        .await
        .unwrap();
    assert_eq!(alive.status(), 200);
    let scraped = http.get(format!("http://{metrics}/metrics")).send();
    let scraped = scraped.await.unwrap().text().await.unwrap();
    let none_lost = "promptsales_audit_events_lost_total{service=\"content-api\"} 0\n";
    assert!(scraped.contains(none_lost), "{scraped}");
    let store = AnyStore::connect(&database_url.into()).await.unwrap();
    assert!(store.shared().count().await.unwrap() >= 60);

    let pid = child.id().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .await
            .unwrap()
            .success()
    );
    let status = tokio::time::timeout(PATIENCE, child.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn a_port_in_use_is_said_so() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let child = start(&database.url, &address).await;
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains(&format!("cannot listen on {address}")),
        "{said}"
    );
    assert!(!said.contains("very-secret"), "{said}");
}

#[tokio::test]
async fn a_cache_that_refuses_its_password_is_said_so_and_done_without() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let Some(redis) = test_support::own_redis(&["--requirepass", "right"]).await else {
        return;
    };
    let url = redis.url().replace("redis://", "redis://:hunter2@");
    let cache = [("CONTENT_API_CACHE_URL", url.as_str())];
    let mut child = start_with(&database.url, "127.0.0.1:0", &cache).await;
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut refused = None;
    let serving = async {
        while let Some(line) = log.next_line().await.unwrap() {
            assert!(!line.contains("hunter2"), "{line}");
            let entry: Value = serde_json::from_str(&line).unwrap();
            let message = entry["message"].as_str().unwrap_or_default();
            if message.contains("does not let this service in") {
                refused = Some(entry.clone());
            }
            if message == "serving" {
                return;
            }
        }
        panic!("it ended");
    };
    tokio::time::timeout(PATIENCE, serving).await.unwrap();
    let refused = refused.expect("a line says so before it serves");
    assert_eq!(refused["level"], "ERROR", "{refused}");
}

#[tokio::test]
async fn a_cache_and_a_database_that_make_no_sense_are_a_failed_start_with_every_fault() {
    let cache = [
        ("CONTENT_API_CACHE_URL", "redis://u:hunter2@one,two/x"),
        ("CONTENT_API_CACHE_PREFIX", "a b"),
        ("CONTENT_API_CACHE_DEADLINE_MS", "0"),
    ];
    let database_url = "mysql://u:hunter2@host/x";
    let child = start_with(database_url, "127.0.0.1:0", &cache).await;
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    let cache = ["2 hosts", "path", "cache-prefix", "cache-deadline-ms"];
    for part in cache.into_iter().chain(["mongodb+srv://"]) {
        assert!(said.contains(part), "no '{part}' in {said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}
