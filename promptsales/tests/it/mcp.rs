//! MCP: over standard streams, as an assistant starts it, and over HTTP with a token.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{Api, Reply, Up, command, indexed_home, shared_up, token, wait_for};

/// A client on the other end of `promptsales mcp`.
struct Client {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Client {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().unwrap());
        Self { child, to, from }
    }

    fn say(&mut self, message: &Value) {
        let to = self.to.as_mut().unwrap();
        to.write_all(format!("{message}\n").as_bytes()).unwrap();
    }

    /// The result of a request.
    fn ask(&mut self, id: u32, method: &str, params: Value) -> Value {
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("not JSON on stdout: {error}: {line:?}"));
        assert_eq!(
            (&answer["jsonrpc"], &answer["id"]),
            (&json!("2.0"), &json!(id))
        );
        assert_eq!(answer.get("error"), None);
        answer["result"].clone()
    }

    /// A whole session, up to the images of a description.
    fn session(&mut self) {
        let opened = self.ask(1, "initialize", initialize());
        assert_eq!(opened["protocolVersion"], "2025-11-25");
        assert_eq!(opened["serverInfo"]["name"], "promptsales");
        self.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        assert_lists_the_tool(&self.ask(2, "tools/list", json!({})));
        assert_found(&self.ask(3, "tools/call", call("un perro en el parque")));
    }

    /// Closes the stream; it ends by itself and says nothing more, and nothing but JSON-RPC before.
    fn close(mut self) {
        drop(self.to.take());
        let (mut rest, mut stderr) = (String::new(), String::new());
        self.from.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        let status = wait_for("mcp to end", || self.child.try_wait().unwrap());
        let errors = self.child.stderr.take().unwrap();
        BufReader::new(errors).read_to_string(&mut stderr).unwrap();
        assert_eq!(status.code(), Some(0), "{stderr}");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
    }
}

fn initialize() -> Value {
    json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    })
}

fn call(description: &str) -> Value {
    json!({"name": "getContent", "arguments": {"description": description, "limit": 2}})
}

#[track_caller]
fn assert_lists_the_tool(listed: &Value) {
    let tools = listed["tools"].as_array().unwrap();
    let tool = tools
        .iter()
        .find(|tool| tool["name"] == "getContent")
        .unwrap();
    assert!(tool["inputSchema"].is_object() && tool["outputSchema"].is_object());
    assert_eq!(tool["annotations"]["readOnlyHint"], true);
}

#[track_caller]
fn assert_found(result: &Value) {
    assert_ne!(result["isError"], true, "{result}");
    let best = &result["structuredContent"]["results"][0];
    assert_eq!(best["id"], "dog-park-frisbee", "{result}");
    let blocks = result["content"].as_array().unwrap();
    let kinds: Vec<_> = blocks
        .iter()
        .map(|block| block["type"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"image") && kinds.contains(&"resource_link"),
        "{kinds:?}"
    );
}

/// With the command that `up` prints for a client's configuration.
#[test]
fn a_client_that_is_configured_as_printed_talks_to_the_running_system() {
    let Some(up) = shared_up() else { return };
    let server = printed_configuration(up, "command");
    let mut command = Command::new(server["command"].as_str().unwrap());
    for argument in server["args"].as_array().unwrap() {
        command.arg(argument.as_str().unwrap());
    }
    let mut client = Client::start(&mut command);
    client.session();
    client.close();
}

#[test]
fn without_a_running_up_it_starts_its_own_and_leaves_nothing() {
    let Some(home) = indexed_home() else { return };
    let mut client = Client::start(command(&home).arg("mcp"));
    client.session();
    assert!(!home.postgres_processes().is_empty());
    client.close();
    assert_eq!(home.processes(), []);
}

#[test]
fn a_client_that_never_speaks_is_no_fault() {
    let Some(up) = shared_up() else { return };
    Client::start(command(up.home()).arg("mcp")).close();
}

#[tokio::test]
async fn over_http_with_a_token_for_it() {
    let Some(up) = shared_up() else { return };
    let server = printed_configuration(up, "type");
    let url = server["url"].as_str().unwrap();
    let http = Api::of(up).http;
    let for_mcp = token(up.home(), &["--mcp"]);
    let ask = |token: Option<&str>, method: &str, params: Value| -> RequestBuilder {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = http
            .post(url)
            .header("Accept", "application/json, text/event-stream")
            .header("MCP-Protocol-Version", "2025-11-25")
            .json(&body);
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    };
    let opened = Reply::of(ask(Some(&for_mcp), "initialize", initialize()))
        .await
        .json();
    assert_eq!(opened["result"]["protocolVersion"], "2025-11-25");
    let listed = Reply::of(ask(Some(&for_mcp), "tools/list", json!({})))
        .await
        .json();
    assert_lists_the_tool(&listed["result"]);
    let found = call("a dog plays in the park");
    let found = Reply::of(ask(Some(&for_mcp), "tools/call", found))
        .await
        .json();
    assert_found(&found["result"]);

    // A token for the API is none for this, and the refusal says where tokens are to be had.
    let for_api = token(up.home(), &[]);
    for (token, slug) in [
        (None, "missing-token"),
        (Some(for_api.as_str()), "invalid-token"),
    ] {
        let refused = Reply::of(ask(token, "tools/list", json!({}))).await;
        refused.problem(401, slug);
        let challenge = refused.header("www-authenticate");
        let (_, rest) = challenge.split_once("resource_metadata=\"").unwrap();
        let metadata = http.get(rest.split('"').next().unwrap());
        let metadata = Reply::of(metadata).await.json();
        assert_eq!(metadata["resource"], url);
    }
}

/// One of the two client configurations that `up` prints: the one whose server has this field.
fn printed_configuration(up: &Up, field: &str) -> Value {
    let stdout = up.stdout();
    let documents = stdout
        .lines()
        .filter(|line| line.contains("\"mcpServers\""));
    let mut servers = documents.map(|line| {
        let document: Value = serde_json::from_str(line.trim()).unwrap();
        document["mcpServers"]["promptsales"].clone()
    });
    servers.find(|server| server.get(field).is_some()).unwrap()
}
