//! Sessions of the Python SDK's client, where `TEST_MCP_PYTHON` names a Python that has it.
//! `tests/clients/run` sees to that.

use secrecy::ExposeSecret as _;
use serde_json::json;
use service_kit::CancellationToken;
use tokio::process::Command;

use crate::support::{
    World,
    foreign::{Node, OidcProvider, clients, lines, named, stdio_environment},
};

/// The script, or nothing with a line that says why.
fn script() -> Option<Command> {
    let mut command = Command::new(named("TEST_MCP_PYTHON")?);
    command.arg(clients().join("session.py"));
    Some(command)
}

const ALL: [&str; 6] = [
    "ask",
    "getContent",
    "query_sales",
    "describe_sales",
    "register_campaign",
    "get_campaign_log",
];

/// What the authorization server lets its clients have.
const READING: [&str; 5] = [
    "ask",
    "getContent",
    "query_sales",
    "describe_sales",
    "get_campaign_log",
];

/// Each era, where the token allows these tools.
async fn sessions(command: Command, tools: &[&str]) {
    let expected = ["legacy", "2026-07-28", "auto"].map(|era| {
        json!({
            "era": era,
            "tools": tools,
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
    sessions(command, &ALL).await;
}

/// With tokens of an authorization server that others wrote, too.
#[tokio::test]
async fn over_http_by_each_grant() {
    let (Some(node), Some(_)) = (Node::installed(), script()) else {
        return;
    };
    let world = World::start().await;
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    let secret = world.gateway_client.secret.clone();
    let provider = OidcProvider::start(&node, &secret).await;
    let resource = provider.gateway(&world, &stop).await;
    for (how, client) in [("http", "service"), ("code", "assistant")] {
        let mut command = script().unwrap();
        command
            .args([how, resource.as_str(), &provider.issuer, client])
            .env("CLIENT_SECRET", secret.expose_secret());
        sessions(command, &READING).await;
    }
}

#[tokio::test]
async fn over_stdio() {
    let Some(mut command) = script() else { return };
    let world = World::start().await;
    command
        .args(["stdio", env!("CARGO_BIN_EXE_mcp-gateway"), "stdio"])
        .envs(stdio_environment(&world));
    sessions(command, &ALL).await;
}
