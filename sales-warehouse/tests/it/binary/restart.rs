//! The service, stopped and started again while requests come in.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use contracts::Scope;
use local_idp::{LocalIdp, LocalIdpConfig};
use secrecy::ExposeSecret as _;
use serde_json::json;
use service_kit::{CancellationToken, Clock, http_client, listen};
use test_support::{Addresses, Reaction, restart_under_load};
use tokio::process::Command;

use super::process::{Environment, PATIENCE};
use crate::warehouse::fixture::Fixture;

const AUDIENCE: &str = "https://warehouse.test/api";

#[tokio::test(flavor = "multi_thread")]
async fn restarted_under_load_it_fails_no_request() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let (keys, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let listener = LocalIdp::bind("127.0.0.1:0".parse().unwrap());
    let listener = listener.await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let config = LocalIdpConfig {
        issuer: issuer.parse().unwrap(),
        clients: Vec::new(),
        audiences: vec![AUDIENCE.to_owned()],
        token_lifetime: Duration::from_secs(600),
        key_dir: keys.path().to_owned(),
    };
    let idp = LocalIdp::new(config, Clock::system()).unwrap();
    tokio::spawn(listen::serve(listener, idp.router(), stop.clone()));
    let _stop = stop.drop_guard();
    let scopes = [Scope::SalesRead].into_iter().collect();
    let token = idp.issue("tester", &scopes, AUDIENCE, Duration::from_secs(600));
    let (token, client) = (token.unwrap(), http_client::build(PATIENCE).unwrap());

    let environment = Environment::of(&fixture);
    let command = |at: Addresses| command(&environment, at, &issuer);
    let counter = AtomicUsize::default();
    let request = move |address| {
        // A question, and a look at how fresh the answers are, in turn.
        let request = match counter.fetch_add(1, Ordering::Relaxed) % 2 {
            0 => client
                .post(format!("http://{address}/v1/questions"))
                .json(&json!({"text": "total revenue"})),
            _ => client.get(format!("http://{address}/v1/freshness")),
        };
        let request = request.bearer_auth(token.expose_secret());
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
    // It calls nobody here: there is no change feed.
    let untold = [
        "http_client_request_duration_seconds_bucket",
        "http_client_request_duration_seconds_count",
    ];
    test_support::assert_exports_what_the_chart_reads(&metrics, "sales-warehouse", &untold);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_it_speaks_tls_1_3_alone() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let environment = Environment::of(&fixture);
    let command = |at: Addresses| command(&environment, at, "http://127.0.0.1:1");
    test_support::assert_speaks_tls_1_3_alone(command).await;
}

fn command(environment: &Environment, at: Addresses, issuer: &str) -> Command {
    let listen = format!("--listen={}", at.requests);
    let metrics = format!("--metrics-address={}", at.metrics);
    let of_tokens = ["--issuer", issuer, "--audience", AUDIENCE];
    let mut command =
        environment.command(&[&listen, &metrics, "--public-url=http://warehouse.test"]);
    command.args(of_tokens).arg("--audit=stdout");
    command
}
