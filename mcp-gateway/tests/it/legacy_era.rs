//! The protocol of 2025-11-25, which many assistants still speak: a handshake, then calls. It is
//! served without sessions, so every request stands for itself.

use http::StatusCode;
use serde_json::json;

use crate::support::{Reply, World};

#[tokio::test]
async fn a_session_goes_from_handshake_to_answer() {
    let world = World::start().await;
    let token = world.reader();
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }});
    let reply = Reply::of(world.post(&initialize).bearer_auth(&token)).await;
    let opened = reply.result();
    assert_eq!(opened["protocolVersion"], "2025-11-25");
    assert_eq!(opened["serverInfo"]["name"], "promptsales");
    assert!(opened["capabilities"]["tools"].is_object());
    assert!(
        opened["instructions"]
            .as_str()
            .unwrap()
            .contains("stored-content")
    );
    assert_eq!(reply.header("mcp-session-id"), "");

    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let request = world
        .post(&initialized)
        .bearer_auth(&token)
        .header("MCP-Protocol-Version", "2025-11-25");
    assert_eq!(Reply::of(request).await.status, StatusCode::ACCEPTED);

    let reply = Reply::of(world.legacy(&token, "tools/list", json!({}))).await;
    assert_eq!(reply.result()["tools"][0]["name"], "getContent");
    assert_eq!(reply.result().get("resultType"), None);

    let params = json!({"name": "getContent", "arguments": {"description": "two beaches"}});
    let reply = Reply::of(world.legacy(&token, "tools/call", params)).await;
    let result = reply.result();
    assert_eq!(
        result["structuredContent"]["results"][0]["id"],
        "two-beaches"
    );
    assert_eq!(result.get("resultType"), None);
}

#[tokio::test]
async fn there_is_no_stream_to_open_and_no_session_to_end() {
    let world = World::start().await;
    let token = world.reader();
    for method in [http::Method::GET, http::Method::DELETE] {
        let request = world
            .http
            .request(method, world.resource())
            .header("Accept", "text/event-stream")
            .header("MCP-Protocol-Version", "2025-11-25")
            .bearer_auth(&token);
        let reply = Reply::of(request).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(reply.header("allow"), "POST");
    }
}

#[tokio::test]
async fn an_unknown_version_of_the_handshake_is_answered_with_a_known_one() {
    let world = World::start().await;
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "1999-01-01",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }});
    let reply = Reply::of(world.post(&initialize).bearer_auth(world.reader())).await;
    assert_eq!(reply.result()["protocolVersion"], "2025-11-25");
}
