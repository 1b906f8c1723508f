//! The service binary over HTTP: its place in a trace, and a restart under load.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use test_support::{Addresses, Reaction, restart_under_load};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use crate::support::{API, World};

/// Longest that any step may take before the test fails; nothing waits for it otherwise.
const PATIENCE: Duration = Duration::from_secs(60);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The binary with the world's services behind it.
fn command(world: &World, address: SocketAddr) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-gateway"));
    command
        .args(["--log-json", "http", &format!("--listen={address}")])
        .args(["--requests-per-minute=0", "--calls-per-minute=0"])
        .env_clear()
        .env("MCP_GATEWAY_CONTENT_API", world.content.base.as_str())
        .env("MCP_GATEWAY_SALES_WAREHOUSE", world.warehouse.base.as_str())
        .env("MCP_GATEWAY_EMBEDDER", world.embedder.base.as_str())
        .env("MCP_GATEWAY_CONTENT_AUDIENCE", API)
        .env("MCP_GATEWAY_PUBLIC_URL", world.public_url.as_str())
        .env("MCP_GATEWAY_ISSUER", world.idp.issuer())
        .env(
            "MCP_GATEWAY_TOKEN_URL",
            format!("{}/token", world.idp.issuer()),
        )
        .env("MCP_GATEWAY_CLIENT_ID", &world.gateway_client.id)
        .env(
            "MCP_GATEWAY_CLIENT_SECRET",
            world.gateway_client.secret.expose_secret(),
        );
    command
}

/// It, while it runs.
struct Binary {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    address: String,
}

impl Binary {
    async fn start(world: &World) -> Self {
        let child = command(world, SocketAddr::from(([127, 0, 0, 1], 0)))
            .env("RUST_LOG", "info,tower_http=debug")
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = child.unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut binary = Self {
            child,
            log,
            address: String::new(),
        };
        let line = binary.said("listening").await;
        binary.address = line["address"].as_str().unwrap().to_owned();
        binary
    }

    /// The next line of that message.
    async fn said(&mut self, message: &str) -> Value {
        let reading = async {
            loop {
                let line = self.log.next_line().await.unwrap().expect("it still runs");
                let line: Value = serde_json::from_str(&line).unwrap();
                if line["message"] == message {
                    return line;
                }
            }
        };
        timeout(PATIENCE, reading).await.expect(message)
    }

    /// Waits until it has ended as it should; what it logged from now on.
    async fn ended_well(mut self) -> Vec<Value> {
        let mut lines = Vec::new();
        while let Some(line) = timeout(PATIENCE, self.log.next_line())
            .await
            .unwrap()
            .unwrap()
        {
            lines.push(serde_json::from_str(&line).unwrap());
        }
        let status = timeout(PATIENCE, self.child.wait()).await.unwrap();
        assert!(status.unwrap().success());
        lines
    }
}

/// A call of getContent at the binary there, as if it were the world's gateway.
fn find(world: &World, address: &str) -> reqwest::Request {
    let params = json!({"name": "getContent", "arguments": {"description": "beach"}});
    let request = world.modern(&world.reader(), "tools/call", params);
    let host = world.public_url.authority().to_owned();
    let mut request = request.header("Host", host).build().unwrap();
    *request.url_mut() = format!("http://{address}/mcp").parse().unwrap();
    request
}

#[tokio::test]
async fn a_caller_s_trace_goes_on_to_the_services_behind_and_stands_in_the_log() {
    let world = World::start().await;
    let mut binary = Binary::start(&world).await;
    let mut request = find(&world, &binary.address);
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let headers = request.headers_mut();
    headers.insert("traceparent", traceparent.parse().unwrap());
    assert_eq!(world.http.execute(request).await.unwrap().status(), 200);

    let called = binary.said("tool called").await;
    assert_eq!(called["trace_id"], TRACE, "{called}");
    let (headers, _) = world.content.searches().pop().unwrap();
    let sent = headers["traceparent"].to_str().unwrap();
    let parts: Vec<_> = sent.split('-').collect();
    assert_eq!(
        (parts[0], parts[1], parts[3]),
        ("00", TRACE, "01"),
        "{sent}"
    );
    let own = called["span_id"].as_str().unwrap();
    assert!(parts[2] != "00f067aa0ba902b7" && parts[2] != own, "{sent}");
    terminate(&binary.child.id().unwrap().to_string()).await;
    binary.ended_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restarted_under_load_it_fails_no_request() {
    let world = World::start().await;
    let (client, request) = (world.http.clone(), find(&world, "127.0.0.1"));
    let request = move |address: SocketAddr| {
        let (client, mut request) = (client.clone(), request.try_clone().unwrap());
        request.url_mut().set_port(Some(address.port())).unwrap();
        async move {
            match client.execute(request).await {
                Ok(answer) => read(answer).await,
                Err(error) => Reaction::to(&error),
            }
        }
    };
    let command = |at: Addresses| {
        let mut command = command(&world, at.requests);
        let metrics = format!("--metrics-address={}", at.metrics);
        command.args([&metrics, "--audit=stdout"]);
        command
    };
    let metrics = restart_under_load(command, request).await;
    // Nothing is asked of `ask`.
    let untold = ["mcp_gateway_questions_routed_total"];
    test_support::assert_exports_what_the_chart_reads(&metrics, "mcp-gateway", &untold);
}

async fn read(answer: reqwest::Response) -> Reaction {
    let status = answer.status();
    match answer.json::<Value>().await {
        Ok(body) if status == 200 && body["result"]["isError"] != true => Reaction::Answered,
        Ok(body) => Reaction::Failed(format!("{status}: {body}")),
        Err(error) => Reaction::Failed(format!("{status}: {error:?}")),
    }
}

async fn terminate(pid: &str) {
    let sent = Command::new("kill").args(["-TERM", pid]).status().await;
    assert!(sent.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_it_speaks_tls_1_3_alone() {
    let world = World::start().await;
    test_support::assert_speaks_tls_1_3_alone(|at| command(&world, at.requests)).await;
}
