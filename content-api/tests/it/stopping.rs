//! The service binary, told to stop while requests come in.

use std::{process::Stdio, time::Duration};

use contracts::Scope;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use service_kit::{Clock, http_client};
use test_support::{Load, Reaction};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use crate::world::{AUDIENCE, Setup, World};

const PATIENCE: Duration = Duration::from_secs(60);

/// The binary on the world's database, with the world's double behind it.
async fn start(world: &World) -> (Child, Lines<BufReader<ChildStderr>>, String) {
    let issuer = world.idp.issuer();
    let mut child = Command::new(env!("CARGO_BIN_EXE_content-api"))
        .args(["--listen=127.0.0.1:0", "--client-id=content-api"])
        .args(["--audience", AUDIENCE, "--issuer", issuer])
        .args(["--token-url", &format!("{issuer}/token")])
        .args(["--public-url", "https://content.test"])
        .args(["--embedder-url", world.embedder_url.as_str()])
        .env("CONTENT_API_DATABASE_URL", &world.database.url)
        .env(
            "CONTENT_API_CLIENT_SECRET",
            world.client_secret.expose_secret(),
        )
        .env("RUST_LOG", "info,tower_http=debug")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let serving = async {
        loop {
            let line = log.next_line().await.unwrap().expect("it serves");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == "serving" {
                return line["address"].as_str().unwrap().to_owned();
            }
        }
    };
    let address = timeout(PATIENCE, serving).await.unwrap();
    (child, log, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_under_load_it_fails_no_request() {
    // The binary has no other clock.
    let setup = Setup {
        clock: Clock::system(),
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    world.publish(&["alpha", "beta"]).await;
    let (mut child, mut log, address) = start(&world).await;
    // A pipe that nobody reads would hold it up.
    let logging = tokio::spawn(async move {
        let mut text = String::new();
        while let Some(line) = log.next_line().await.unwrap() {
            text.push_str(&line);
        }
        text
    });
    let token = world.token(&[Scope::ContentRead]);
    let (base, client) = (
        format!("http://{address}"),
        http_client::build(PATIENCE).unwrap(),
    );
    let counter = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
    let load = Load::start(8, move || {
        let count = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
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
    });
    timeout(PATIENCE, load.more(200)).await.unwrap();
    let before = load.answered();
    let pid = child.id().unwrap().to_string();
    let sent = Command::new("kill").args(["-TERM", &pid]).status().await;
    assert!(sent.unwrap().success());
    timeout(PATIENCE, load.more(1)).await.unwrap();
    assert!(load.answered() > before, "it still answers");
    let (answered, failures) = timeout(PATIENCE, load.end()).await.unwrap();
    assert!(failures.is_empty(), "{failures:#?}");
    let log = logging.await.unwrap();
    assert!(!log.contains("dropping them"), "{log}");
    let taken = log.matches("started processing request").count();
    assert_eq!(taken, answered, "what it took it answered");
    assert!(child.wait().await.unwrap().success());
}

async fn read(answer: reqwest::Response) -> Reaction {
    let status = answer.status();
    match answer.bytes().await {
        Ok(_) if status == 200 => Reaction::Answered,
        Ok(body) => Reaction::Failed(format!("{status}: {}", String::from_utf8_lossy(&body))),
        Err(error) => Reaction::Failed(format!("{status}: {error:?}")),
    }
}
