//! The same tools over standard streams: in-process, and through the service's own binary.

use std::{process::Stdio, time::Duration};

use contracts::Problem;
use mcp_gateway::{Config, stdio};
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

use crate::support::{Behaviour, World, foreign::stdio_environment, text_of, with_meta};

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

fn spawn(world: &World, log: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_mcp-gateway"))
        .arg("stdio")
        .env_clear()
        .envs(stdio_environment(world))
        .env("RUST_LOG", log)
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
    let mut child = spawn(&world, "trace");
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
    let mut child = spawn(&world, "trace");
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

/// The search behind is given up, nobody answers the call, and the session goes on.
#[tokio::test]
async fn a_call_that_is_cancelled_is_given_up() {
    for modern in [false, true] {
        // Only the cancellation can end it in time.
        let unhurried = |config: &mut Config| {
            (config.search_deadline, config.tool_deadline) = (10 * PATIENCE, 10 * PATIENCE);
        };
        let world = World::start_with(unhurried).await;
        let params = |params| if modern { with_meta(params) } else { params };
        let (client, server) = tokio::io::duplex(64 * 1024);
        let (input, output) = tokio::io::split(server);
        let stop = CancellationToken::new();
        let gateway = world.gateway.clone();
        let serving = stdio::serve_streams(gateway, input, output, stop.clone());
        let serving = tokio::spawn(serving);
        let (from, to) = tokio::io::split(client);
        let from = BufReader::new(from);
        let mut line = Line { from, to };
        if !modern {
            line.ask(1, "initialize", initialize()).await;
            line.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
                .await;
        }
        world.content.behave(Behaviour::Hang);
        let call = json!({"name": "getContent", "arguments": {"description": "two beaches"}});
        let call =
            json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params(call)});
        line.say(&call).await;
        timeout(PATIENCE, world.content.search_began())
            .await
            .unwrap();
        let cancelled = json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": params(json!({"requestId": 2, "reason": "enough"})),
        });
        line.say(&cancelled).await;
        timeout(PATIENCE, world.content.search_ended())
            .await
            .unwrap();
        // What is heard next is the answer to this, and not to what was cancelled.
        let list = line.ask(3, "tools/list", params(json!({}))).await;
        assert!(list["result"]["tools"].is_array(), "{list}");
        stop.cancel();
        timeout(PATIENCE, serving).await.unwrap().unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_refusal_that_quotes_the_question_stays_out_of_the_log() {
    let world = World::start().await;
    let quoted = "there is no theme wedding-of-ana";
    let problem = Problem::new(422, "unknown-value", "Unknown value", quoted);
    world.content.behave(Behaviour::Problem(problem));
    let mut child = spawn(&world, "info");
    let mut errors = child.stderr.take().unwrap();
    let mut line = Line {
        from: BufReader::new(child.stdout.take().unwrap()),
        to: child.stdin.take().unwrap(),
    };
    for arguments in [
        json!({"description": "x", "limit": "wedding-of-ana"}),
        json!({"description": "x", "filters": {"themes": ["wedding-of-ana"]}}),
    ] {
        let call = json!({"name": "getContent", "arguments": arguments});
        let refused = line.ask(1, "tools/call", with_meta(call)).await;
        let text = text_of(&refused["result"]);
        assert!(text.contains("wedding-of-ana"), "{text}");
    }
    drop(line);
    let mut logs = String::new();
    let reading = errors.read_to_string(&mut logs);
    timeout(PATIENCE, reading).await.unwrap().unwrap();
    assert_eq!(logs.matches("tool failed").count(), 2, "{logs}");
    assert!(logs.contains("422 (Unknown value)"), "{logs}");
    assert!(!logs.contains("wedding-of-ana"), "{logs}");
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
