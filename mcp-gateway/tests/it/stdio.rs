//! The same tools over standard streams: in-process, and through the service's own binary.

use std::{process::Stdio, time::Duration};

use mcp_gateway::stdio;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use service_kit::CancellationToken;
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
        BufReader,
    },
    process::{Child, Command},
    time::timeout,
};

use crate::support::{API, World, text_of, with_meta};

/// Longest that any step may take before the test fails; nothing waits for it otherwise.
const PATIENCE: Duration = Duration::from_secs(20);

struct Line<R, W> {
    from: BufReader<R>,
    to: W,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Line<R, W> {
    async fn say(&mut self, message: &Value) {
        self.to
            .write_all(format!("{message}\n").as_bytes())
            .await
            .unwrap();
        self.to.flush().await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let mut line = String::new();
        timeout(PATIENCE, self.from.read_line(&mut line))
            .await
            .unwrap()
            .unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON on stdout: {line:?}"))
    }

    async fn ask(&mut self, id: u32, method: &str, params: Value) -> Value {
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .await;
        let answer = self.hear().await;
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }
}

fn initialize() -> Value {
    json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    })
}

fn spawn(world: &World) -> Child {
    Command::new(env!("CARGO_BIN_EXE_mcp-gateway"))
        .arg("stdio")
        .env_clear()
        .env("MCP_GATEWAY_CONTENT_API", world.content.base.as_str())
        .env(
            "MCP_GATEWAY_TOKEN_URL",
            format!("{}/token", world.idp.issuer()),
        )
        .env("MCP_GATEWAY_CLIENT_ID", &world.gateway_client.id)
        .env(
            "MCP_GATEWAY_CLIENT_SECRET",
            world.gateway_client.secret.expose_secret(),
        )
        .env("MCP_GATEWAY_SALES_WAREHOUSE", world.warehouse.base.as_str())
        .env("MCP_GATEWAY_EMBEDDER", world.embedder.base.as_str())
        .env("MCP_GATEWAY_CONTENT_AUDIENCE", API)
        .env("RUST_LOG", "trace")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_legacy_session_through_the_binary_says_nothing_else_on_stdout() {
    let world = World::start().await;
    let mut child = spawn(&world);
    let mut errors = child.stderr.take().unwrap();
    let logs = tokio::spawn(async move {
        let mut logs = String::new();
        errors.read_to_string(&mut logs).await.map(|_| logs)
    });
    let mut line = Line {
        from: BufReader::new(child.stdout.take().unwrap()),
        to: child.stdin.take().unwrap(),
    };
    let opened = line.ask(1, "initialize", initialize()).await;
    assert_eq!(opened["result"]["protocolVersion"], "2025-11-25");
    line.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        .await;
    let list = line.ask(2, "tools/list", json!({})).await;
    assert_eq!(list["result"]["tools"][1]["name"], "getContent");
    let call = json!({"name": "getContent", "arguments": {"description": "two beaches"}});
    let answer = line.ask(3, "tools/call", call).await;
    assert_eq!(
        answer["result"]["structuredContent"]["results"][0]["id"],
        "two-beaches"
    );
    let call = json!({"name": "getContent", "arguments": {"description": "a", "limit": 99}});
    let refused = line.ask(4, "tools/call", call).await;
    assert!(text_of(&refused["result"]).contains("99 given, expected 1 to 20"));

    let Line { mut from, to } = line;
    drop(to);
    let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    let mut rest = String::new();
    from.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "");
    let logs = logs.await.unwrap().unwrap();
    assert!(logs.contains("tool called"), "{logs}");
    assert!(!logs.contains(world.gateway_client.secret.expose_secret()));
}

#[tokio::test]
async fn a_signal_ends_the_binary_though_its_input_stays_open() {
    let world = World::start().await;
    let mut child = spawn(&world);
    let mut line = Line {
        from: BufReader::new(child.stdout.take().unwrap()),
        to: child.stdin.take().unwrap(),
    };
    line.ask(1, "initialize", initialize()).await;
    let id = child.id().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await
            .unwrap()
            .success()
    );
    let status = timeout(PATIENCE, child.wait())
        .await
        .expect("it hangs")
        .unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn a_modern_session_needs_no_handshake() {
    let world = World::start().await;
    let (client, server) = tokio::io::duplex(64 * 1024);
    let (input, output) = tokio::io::split(server);
    let stop = CancellationToken::new();
    let serving = tokio::spawn(stdio::serve_streams(
        world.gateway.clone(),
        input,
        output,
        stop.clone(),
    ));
    let (from, to) = tokio::io::split(client);
    let mut line = Line {
        from: BufReader::new(from),
        to,
    };
    let found = line.ask(1, "server/discover", with_meta(json!({}))).await;
    assert!(
        found["result"]["capabilities"]["tools"].is_object(),
        "{found}"
    );
    let call = json!({"name": "getContent", "arguments": {"description": "two beaches"}});
    let answer = line.ask(2, "tools/call", with_meta(call)).await;
    assert_eq!(
        answer["result"]["structuredContent"]["no_match"], false,
        "{answer}"
    );
    stop.cancel();
    timeout(PATIENCE, serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn input_that_ends_at_once_is_no_fault() {
    let world = World::start().await;
    let stop = CancellationToken::new();
    let serving = stdio::serve_streams(
        world.gateway.clone(),
        tokio::io::empty(),
        tokio::io::sink(),
        stop,
    );
    timeout(PATIENCE, serving).await.unwrap().unwrap();
}
