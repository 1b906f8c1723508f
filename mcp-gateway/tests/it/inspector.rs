//! The Inspector's command line, where `TEST_MCP_NODE` names a directory that has it.
//! `tests/clients/run` sees to that.

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{
    World,
    foreign::{Node, output, stdio_environment},
};

const TOOLS: [&str; 2] = ["ask", "getContent"];

/// What it keeps goes to a directory of its own.
fn inspector(node: &Node, home: &TempDir) -> Command {
    let launcher = "@modelcontextprotocol/inspector/clients/launcher/build/index.js";
    let mut command = node.program(launcher);
    command.env("HOME", home.path()).arg("--cli");
    command
}

async fn said(mut command: Command, arguments: &[&str]) -> Value {
    command.args(arguments).args(["--format", "json"]);
    let said = output(command).await;
    let mut said: Value = serde_json::from_str(&said).unwrap();
    said["result"].take()
}

/// Lists the tools and calls one.
async fn session(command: impl Fn() -> Command) {
    let listed = said(command(), &["--method", "tools/list"]).await;
    let tools = listed["tools"].as_array().unwrap();
    for name in TOOLS {
        assert!(tools.iter().any(|tool| tool["name"] == name), "{listed}");
    }
    let arguments = r#"{"description": "two beaches"}"#;
    let call = ["--method", "tools/call", "--tool-name", "getContent"];
    let called = said(
        command(),
        &[&call[..], &["--tool-args-json", arguments]].concat(),
    )
    .await;
    let found = &called["structuredContent"]["results"];
    assert_eq!(found[0]["id"], "two-beaches", "{called}");
}

#[tokio::test]
async fn over_http_with_a_token() {
    let Some(node) = Node::installed() else {
        return;
    };
    let (world, home) = (World::start().await, TempDir::new().unwrap());
    let bearer = format!("Authorization: Bearer {}", world.analyst());
    session(|| {
        let mut command = inspector(&node, &home);
        command
            .arg(world.resource())
            .args(["--transport", "http", "--header", &bearer]);
        command
    })
    .await;
}

#[tokio::test]
async fn over_stdio() {
    let Some(node) = Node::installed() else {
        return;
    };
    let (world, home) = (World::start().await, TempDir::new().unwrap());
    session(|| {
        let mut command = inspector(&node, &home);
        command.args([env!("CARGO_BIN_EXE_mcp-gateway"), "stdio"]);
        for (name, value) in stdio_environment(&world) {
            command.arg("-e").arg(format!("{name}={value}"));
        }
        command
    })
    .await;
}
