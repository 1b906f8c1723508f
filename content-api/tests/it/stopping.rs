//! The service binary, stopped and started again while requests come in.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use contracts::Scope;
use secrecy::ExposeSecret as _;
use serde_json::json;
use service_kit::{Clock, http_client};
use test_support::{Addresses, Reaction, restart_under_load};
use tokio::process::Command;

use crate::world::{AUDIENCE, Setup, World};

/// The binary on the world's database, with the world's double behind it.
fn command(world: &World, at: Addresses) -> Command {
    let issuer = world.idp.issuer();
    let mut command = Command::new(env!("CARGO_BIN_EXE_content-api"));
    command
        .arg(format!("--listen={}", at.requests))
        .arg(format!("--metrics-address={}", at.metrics))
        .args(["--client-id=content-api", "--audit=stdout"])
        .args(["--audience", AUDIENCE, "--issuer", issuer])
        .args(["--token-url", &format!("{issuer}/token")])
        .args(["--public-url", "https://content.test"])
        .args(["--embedder-url", world.embedder_url.as_str()])
        .env("CONTENT_API_DATABASE_URL", &world.database.url)
        .env(
            "CONTENT_API_CLIENT_SECRET",
            world.client_secret.expose_secret(),
        );
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn restarted_under_load_it_fails_no_request() {
    // The binary has no other clock.
    let setup = Setup {
        clock: Clock::system(),
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    world.publish(&["alpha", "beta"]).await;
    let token = world.token(&[Scope::ContentRead]);
    let client = http_client::build(Duration::from_secs(60)).unwrap();
    let counter = AtomicUsize::default();
    let request = move |address| {
        let (base, count) = (
            format!("http://{address}"),
            counter.fetch_add(1, Ordering::Relaxed),
        );
        // Made anew, from the cache, and a document in turn.
        let request = match count % 3 {
            0 => client
                .post(format!("{base}/v1/getContent"))
                .json(&json!({"description": format!("shoes {count}")})),
            1 => client
                .post(format!("{base}/v1/getContent"))
                .json(&json!({"description": "shoes"})),
            _ => client.get(format!("{base}/v1/content/alpha")),
        };
        let request = request.bearer_auth(token.expose_secret());
        async move {
            match request.send().await {
                Ok(answer) => read(answer).await,
                Err(error) => Reaction::to(&error),
            }
        }
    };
    let metrics = restart_under_load(|at| command(&world, at), request).await;
    // Its cache is its own.
    let untold = ["content_api_redis_circuit_open"];
    test_support::assert_exports_what_the_chart_reads(&metrics, "content-api", &untold);
}

async fn read(answer: reqwest::Response) -> Reaction {
    let status = answer.status();
    match answer.bytes().await {
        Ok(_) if status == 200 => Reaction::Answered,
        Ok(body) => Reaction::Failed(format!("{status}: {}", String::from_utf8_lossy(&body))),
        Err(error) => Reaction::Failed(format!("{status}: {error:?}")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_it_speaks_tls_1_3_alone() {
    let Some(world) = World::start_with(Setup::default()).await else {
        return;
    };
    test_support::assert_speaks_tls_1_3_alone(|at| command(&world, at)).await;
}
