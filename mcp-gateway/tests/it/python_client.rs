//! Sessions of the Python SDK's client, where `TEST_MCP_PYTHON` names a Python that has it.
//! `tests/clients/run` sees to that.

use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::process::Command;

use crate::support::{
    World,
    foreign::{clients, lines, named, stdio_environment},
};

/// The script, or nothing with a line that says why.
fn script() -> Option<Command> {
    let mut command = Command::new(named("TEST_MCP_PYTHON")?);
    command.arg(clients().join("session.py"));
    Some(command)
}

async fn sessions(command: Command) {
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
    assert_eq!(lines(command).await, expected);
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
        .envs(stdio_environment(&world));
    sessions(command).await;
}
