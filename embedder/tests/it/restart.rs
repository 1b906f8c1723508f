//! The service binary, stopped and started again while requests come in.

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use contracts::Scope;
use local_idp::{LocalIdp, LocalIdpConfig, RegisteredClient};
use secrecy::ExposeSecret as _;
use serde_json::json;
use service_kit::{CancellationToken, Clock, http_client, listen};
use test_support::{Addresses, Reaction, restart_under_load};
use tokio::process::Command;

const API: &str = "https://promptsales.local/api";

#[tokio::test(flavor = "multi_thread")]
async fn restarted_under_load_it_fails_no_request() {
    let Some(onnxruntime) = test_support::onnxruntime() else {
        return;
    };
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let (keys, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let listener = LocalIdp::bind("127.0.0.1:0".parse().unwrap());
    let listener = listener.await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let scopes = [Scope::ContentRead].into_iter().collect();
    let config = LocalIdpConfig {
        issuer: issuer.parse().unwrap(),
        clients: vec![
            RegisteredClient::generate("content-api", Scope::ALL.into_iter().collect()).unwrap(),
        ],
        audiences: vec![API.to_owned()],
        token_lifetime: Duration::from_secs(600),
        key_dir: keys.path().to_owned(),
    };
    let idp = LocalIdp::new(config, Clock::system()).unwrap();
    tokio::spawn(listen::serve(listener, idp.router(), stop.clone()));
    let _stop = stop.drop_guard();
    let token = idp.issue("content-api", &scopes, API, Duration::from_secs(600));
    let token = token.unwrap();
    let client = http_client::build(Duration::from_secs(60)).unwrap();

    let command = |at: Addresses| command(at, &onnxruntime, &database.url, &issuer);
    let counter = AtomicUsize::default();
    let request = move |address| {
        let count = counter.fetch_add(1, Ordering::Relaxed);
        let (path, body) = match count % 2 {
            0 => (
                "search",
                json!({"text": format!("shoes {count}"), "limit": 5}),
            ),
            _ => ("embeddings", json!({"input": [format!("shoes {count}")]})),
        };
        let request = client.post(format!("http://{address}/v1/{path}"));
        let request = request.json(&body).bearer_auth(token.expose_secret());
        async move {
            let answer = match request.send().await {
                Ok(answer) => answer,
                Err(error) => return Reaction::to(&error),
            };
            let status = answer.status();
            match answer.text().await {
                Ok(_) if status == 200 => Reaction::Answered,
                other => Reaction::Failed(format!("{status}: {other:?}")),
            }
        }
    };
    let metrics = restart_under_load(command, request).await;
    // It calls nobody, and has no audit events.
    let untold = [
        "http_client_request_duration_seconds_bucket",
        "http_client_request_duration_seconds_count",
        "promptsales_audit_events_lost_total",
    ];
    test_support::assert_exports_what_the_chart_reads(&metrics, "embedder", &untold);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_it_speaks_tls_1_3_alone() {
    let Some(onnxruntime) = test_support::onnxruntime() else {
        return;
    };
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let command = |at| command(at, &onnxruntime, &database.url, "http://127.0.0.1:1");
    test_support::assert_speaks_tls_1_3_alone(command).await;
}

fn command(at: Addresses, onnxruntime: &Path, database: &str, issuer: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embedder"));
    command
        .arg(format!("--listen={}", at.requests))
        .arg(format!("--metrics-address={}", at.metrics))
        .arg("--onnxruntime")
        .arg(onnxruntime)
        .args(["--primary-index=pgvector", "--sessions=1"])
        .args(["--issuer", issuer, "--audience", API])
        .env("EMBEDDER_DATABASE_URL", database);
    command
}
