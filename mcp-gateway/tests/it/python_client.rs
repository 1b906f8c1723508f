//! Sessions of the Python SDK's client, where `TEST_MCP_PYTHON` names a Python that has it.
//! `tests/clients/run` sees to that.

use std::io::Write as _;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{API, World};

/// The script, or nothing with a line that says why.
fn script() -> Option<Command> {
    let Some(python) = std::env::var_os("TEST_MCP_PYTHON") else {
        skipped("TEST_MCP_PYTHON is not set; use mcp-gateway/tests/clients/run");
        return None;
    };
    let mut command = Command::new(python);
    command.arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/clients/session.py"
    ));
    Some(command)
}

/// Past the capture of test output: a skipped test must not look like one that ran.
fn skipped(why: &str) {
    let line = format!("SKIPPED: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

async fn sessions(mut command: Command) {
    let output = command.kill_on_drop(true).output().await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let heard: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let expected = ["legacy", "2026-07-28", "auto"].map(|era| {
        json!({
            "era": era,
            "tools": ["ask", "getContent", "query_sales", "describe_sales", "register_campaign", "get_campaign_log"],
            "is_error": false,
            "ids": ["two-beaches"],
            "blocks": ["text", "image", "resource_link"],
            "refused": true,
        })
    });
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn over_http_it_finds_the_issuer_by_itself() {
    let Some(mut command) = script() else { return };
    let world = World::start().await;
    command
        .args([
            "http",
            &world.resource(),
            world.idp.issuer(),
            &world.gateway_client.id,
        ])
        .env("CLIENT_SECRET", world.gateway_client.secret.expose_secret());
    sessions(command).await;
}

#[tokio::test]
async fn over_stdio() {
    let Some(mut command) = script() else { return };
    let world = World::start().await;
    command
        .args(["stdio", env!("CARGO_BIN_EXE_mcp-gateway"), "stdio"])
        .env("MCP_GATEWAY_CONTENT_API", world.content.base.as_str())
        .env("MCP_GATEWAY_SALES_WAREHOUSE", world.warehouse.base.as_str())
        .env("MCP_GATEWAY_EMBEDDER", world.embedder.base.as_str())
        .env(
            "MCP_GATEWAY_TOKEN_URL",
            format!("{}/token", world.idp.issuer()),
        )
        .env("MCP_GATEWAY_CLIENT_ID", &world.gateway_client.id)
        .env(
            "MCP_GATEWAY_CLIENT_SECRET",
            world.gateway_client.secret.expose_secret(),
        )
        .env("MCP_GATEWAY_CONTENT_AUDIENCE", API);
    sessions(command).await;
}
