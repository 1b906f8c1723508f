//! Sessions of a client that others wrote, in both eras and over both transports.

use rmcp::{
    ClientLifecycleMode, ClientServiceExt as _, RoleClient,
    model::{CallToolRequestParams, ProtocolVersion},
    service::RunningService,
    transport::{
        StreamableHttpClientTransport, TokioChildProcess,
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::json;

use crate::support::{World, campaign, foreign::stdio_environment};

fn eras() -> [(ClientLifecycleMode, ProtocolVersion); 2] {
    let modern = ProtocolVersion::V_2026_07_28;
    [
        (
            ClientLifecycleMode::Initialize,
            ProtocolVersion::V_2025_11_25,
        ),
        (
            ClientLifecycleMode::Discover {
                preferred_versions: vec![modern.clone()],
            },
            modern,
        ),
    ]
}

async fn session(client: RunningService<RoleClient, ()>, expected: &ProtocolVersion) {
    let server = client.peer_info().unwrap();
    assert_eq!(&server.protocol_version, expected);
    let tools = client.list_all_tools().await.unwrap();
    assert!(
        tools.iter().any(|tool| tool.name == "getContent"),
        "{tools:?}"
    );
    let arguments = json!({"description": "two beaches"})
        .as_object()
        .unwrap()
        .clone();
    let call = CallToolRequestParams::new("getContent").with_arguments(arguments);
    let result = client.call_tool(call).await.unwrap();
    assert_eq!(result.is_error, Some(false));
    let structured = result.structured_content.unwrap();
    assert_eq!(structured["results"][0]["id"], "two-beaches");
    assert_eq!(
        result
            .content
            .iter()
            .filter(|block| block.as_image().is_some())
            .count(),
        1
    );
    register(&client).await;
    let prompts = client.list_all_prompts().await.unwrap();
    assert_eq!(prompts.len(), 2, "{prompts:?}");
    let templates = client.list_all_resource_templates().await.unwrap();
    assert_eq!(templates.len(), 3, "{templates:?}");
    client.cancel().await.unwrap();
}

/// It shows no forms, so it confirms with a token.
async fn register(client: &RunningService<RoleClient, ()>) {
    let mut arguments = campaign();
    for expected in ["confirmation_required", "registered"] {
        let given = arguments.as_object().unwrap().clone();
        let call = CallToolRequestParams::new("register_campaign").with_arguments(given);
        let result = client.call_tool(call).await.unwrap();
        let structured = result.structured_content.unwrap();
        assert_eq!(structured["status"], expected, "{structured}");
        arguments["confirmation_token"] = structured["confirmation_token"].clone();
    }
}

#[tokio::test]
async fn over_http() {
    let world = World::start().await;
    for (lifecycle, version) in eras() {
        let config = StreamableHttpClientTransportConfig::with_uri(world.resource())
            .auth_header(world.token(&contracts::Scope::ALL));
        let transport = StreamableHttpClientTransport::with_client(world.http.clone(), config);
        let client = ().serve_with_lifecycle(transport, lifecycle).await.unwrap();
        session(client, &version).await;
    }
    assert_eq!(world.content.campaigns.registered().len(), 1);
}

#[tokio::test]
async fn over_stdio() {
    let world = World::start().await;
    for (lifecycle, version) in eras() {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_mcp-gateway"));
        command
            .arg("stdio")
            .envs(stdio_environment(&world))
            .env("RUST_LOG", "off");
        let transport = TokioChildProcess::new(command).unwrap();
        let client = ().serve_with_lifecycle(transport, lifecycle).await.unwrap();
        session(client, &version).await;
    }
    assert_eq!(world.content.campaigns.registered().len(), 1);
}
