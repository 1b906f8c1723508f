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

/// In each era lists the tools, calls one, and finds its gallery where it says that it shows such.
async fn session(command: impl Fn() -> Command) {
    let call = ["--method", "tools/call", "--tool-name", "getContent"];
    for era in ["legacy", "modern"] {
        let in_era = || {
            let mut command = command();
            command.args(["--protocol-era", era]);
            command
        };
        let listed = said(in_era(), &["--method", "tools/list"]).await;
        let tools = listed["tools"].as_array().unwrap();
        for name in TOOLS {
            assert!(tools.iter().any(|tool| tool["name"] == name), "{listed}");
        }
        let arguments = ["--tool-args-json", r#"{"description": "two beaches"}"#];
        let called = said(in_era(), &[&call[..], &arguments].concat()).await;
        let found = &called["structuredContent"]["results"];
        assert_eq!(found[0]["id"], "two-beaches", "{era}: {called}");
    }
    let mut command = command();
    command.args(["--protocol-era", "modern", "--advertise-apps", "--app-info"]);
    command.args(call).args(["--format", "json"]);
    let app = output(command).await;
    assert!(
        app.contains(r#""resourceUri":"ui://promptsales/gallery""#),
        "{app}"
    );
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
