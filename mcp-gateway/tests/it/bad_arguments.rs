//! Arguments that nobody should send, to every tool.

use contracts::Scope;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Reply, World, text_of};

async fn tools(world: &World, token: &str) -> Vec<Value> {
    let reply = Reply::of(world.modern(token, "tools/list", json!({}))).await;
    reply.result()["tools"].as_array().unwrap().clone()
}

async fn call(world: &World, token: &str, tool: &str, arguments: &Value) -> Reply {
    let params = json!({"name": tool, "arguments": arguments});
    Reply::of(world.modern(token, "tools/call", params)).await
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!([inner]))
}

#[tokio::test]
async fn every_tool_names_an_unknown_field_and_says_what_it_takes() {
    let world = World::start().await;
    let token = world.token(&Scope::ALL);
    let all = tools(&world, &token).await;
    assert_eq!(all.len(), 6);
    for tool in &all {
        let name = tool["name"].as_str().unwrap();
        let reply = call(&world, &token, name, &json!({"no_such_field": nested(50)})).await;
        let text = text_of(reply.result());
        assert_eq!(reply.result()["isError"], true, "{name}");
        assert!(
            text.contains("`no_such_field`") && text.contains(&format!("{name} takes:")),
            "{name}: {text}"
        );
    }
    assert!(world.content.searches().is_empty() && world.warehouse.asked().is_empty());
}

#[tokio::test]
async fn every_tool_names_a_field_of_the_wrong_type() {
    let world = World::start().await;
    let token = world.token(&Scope::ALL);
    for tool in tools(&world, &token).await {
        let name = tool["name"].as_str().unwrap();
        for field in tool["inputSchema"]["properties"]
            .as_object()
            .unwrap()
            .keys()
        {
            let reply = call(&world, &token, name, &json!({field: {"deep": nested(50)}})).await;
            let text = text_of(reply.result());
            assert_eq!(reply.result()["isError"], true, "{name}.{field}");
            assert!(text.contains(field.as_str()), "{name}.{field}: {text}");
            // What was sent is not sent back at length.
            assert!(text.len() < 2_500, "{name}.{field}: {}", text.len());
        }
    }
    assert!(world.content.searches().is_empty() && world.warehouse.asked().is_empty());
}

#[tokio::test]
async fn too_deep_and_too_long_is_refused_before_any_tool() {
    let world = World::start().await;
    let token = world.token(&Scope::ALL);
    for tool in tools(&world, &token).await {
        let name = tool["name"].as_str().unwrap();
        // Written by hand: this deep, writing a value would overflow the test's own stack.
        for depth in [200, 20_000] {
            let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{name}","arguments":{{"x":{deep}}}}}}}"#
            );
            let request = world
                .http
                .post(world.resource())
                .bearer_auth(&token)
                .header("Accept", "application/json, text/event-stream")
                .header("Content-Type", "application/json")
                .header("MCP-Protocol-Version", "2025-11-25")
                .body(body);
            let reply = Reply::of(request).await;
            assert!(reply.status.is_client_error(), "{name} {:?}", reply.status);
        }
        let long = "x".repeat(contracts::limits::MAX_JSON_BODY_BYTES);
        let reply = call(&world, &token, name, &json!({"x": long})).await;
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE, "{name}");
    }
    assert!(world.content.searches().is_empty() && world.warehouse.asked().is_empty());
}
