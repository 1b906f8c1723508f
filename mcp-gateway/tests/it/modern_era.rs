//! The protocol of 2026-07-28: stateless, version and capabilities with every request.

use contracts::Scope;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Reply, World, with_meta};

#[tokio::test]
async fn discovery_names_both_eras_and_the_tools() {
    let world = World::start().await;
    let reply = Reply::of(world.modern(&world.token(&[]), "server/discover", json!({}))).await;
    let found = reply.result();
    let versions = found["supportedVersions"].as_array().unwrap();
    for version in ["2025-11-25", "2026-07-28"] {
        assert!(versions.contains(&json!(version)), "{found}");
    }
    assert!(found["capabilities"]["tools"].is_object(), "{found}");
    assert_eq!(reply.header("mcp-session-id"), "");
}

#[tokio::test]
async fn the_list_shows_the_tool_with_everything_an_assistant_needs() {
    let world = World::start().await;
    let reply = Reply::of(world.modern(&world.reader(), "tools/list", json!({}))).await;
    let list = reply.result();
    assert_eq!(list["cacheScope"], "private");
    assert!(list["ttlMs"].as_u64().unwrap() > 0);
    assert_eq!(list["resultType"], "complete");
    let tools = list["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 2, "{list}");
    let tool = &tools[0];
    assert_eq!(tool["name"], "getContent");
    assert!(tool["title"].is_string());
    let description = tool["description"].as_str().unwrap();
    assert!(description.contains("Use it when") && description.contains("Do not use it for"));
    let hints = &tool["annotations"];
    assert_eq!(hints["readOnlyHint"], true);
    assert_eq!(hints["destructiveHint"], false);
    assert_eq!(hints["idempotentHint"], true);
    assert_eq!(hints["openWorldHint"], false);

    let input = &tool["inputSchema"];
    assert_eq!(input["type"], "object");
    assert_eq!(input["required"], json!(["description"]));
    assert_eq!(input["additionalProperties"], false);
    let properties = &input["properties"];
    assert_eq!(properties["limit"]["minimum"], 1);
    assert_eq!(properties["limit"]["maximum"], 20);
    assert_eq!(properties["limit"]["type"], "integer");
    assert_eq!(properties["language"]["enum"], json!(["es", "en"]));
    assert_eq!(properties["description"]["maxLength"], 2000);
    let filters = properties["filters"]["properties"].as_object().unwrap();
    let mut names: Vec<_> = filters.keys().map(String::as_str).collect();
    names.sort_unstable();
    // The names that content-api's own filters have.
    let every = contracts::Filters {
        themes: vec!["a".into()],
        campaign_themes: vec!["a".into()],
        channels: vec!["a".into()],
        audience: vec!["a".into()],
        orientation: vec![contracts::content::Orientation::Square],
        territory: Some("CR".into()),
        usable_on: Some("2026-01-01".into()),
    };
    let Value::Object(every) = serde_json::to_value(every).unwrap() else {
        panic!()
    };
    let mut theirs: Vec<_> = every.keys().map(String::as_str).collect();
    theirs.sort_unstable();
    assert_eq!(names, theirs);
    // Not every client follows references.
    assert!(!tool.to_string().contains("$ref"), "{tool}");
    for schema in ["inputSchema", "outputSchema"] {
        assert!(
            jsonschema::draft202012::meta::is_valid(&tool[schema]),
            "{}",
            tool[schema]
        );
    }
}

#[tokio::test]
async fn a_cursor_that_was_never_given_out_is_refused() {
    let world = World::start().await;
    let reply =
        Reply::of(world.modern(&world.reader(), "tools/list", json!({"cursor": "2"}))).await;
    assert_eq!(reply.body["error"]["code"], -32602, "{:?}", reply.body);
}

#[tokio::test]
async fn a_tool_is_called_without_any_handshake() {
    let world = World::start().await;
    let result = world
        .get_content(json!({"description": "two beaches"}))
        .await;
    assert_eq!(result["isError"], false);
    assert_eq!(result["resultType"], "complete");
    assert_eq!(
        result["structuredContent"]["results"][0]["id"],
        "two-beaches"
    );
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error_that_names_the_known_ones() {
    let world = World::start().await;
    let params = json!({"name": "getcontent", "arguments": {}});
    let reply = Reply::of(world.modern(&world.reader(), "tools/call", params)).await;
    assert_eq!(reply.body["error"]["code"], -32602, "{:?}", reply.body);
    let message = reply.body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("'getcontent'") && message.contains("getContent"),
        "{message}"
    );
}

#[tokio::test]
async fn headers_must_agree_with_the_body() {
    let world = World::start().await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": with_meta(
        json!({"name": "getContent", "arguments": {"description": "beach"}})
    )});
    let token = world.token(&[Scope::ContentRead]);
    for (method, name) in [
        (Some("tools/list"), Some("getContent")),
        (Some("tools/call"), Some("other")),
        (Some("tools/call"), None),
        (None, Some("getContent")),
    ] {
        let mut request = world
            .post(&body)
            .bearer_auth(&token)
            .header("MCP-Protocol-Version", "2026-07-28");
        if let Some(method) = method {
            request = request.header("Mcp-Method", method);
        }
        if let Some(name) = name {
            request = request.header("Mcp-Name", name);
        }
        let reply = Reply::of(request).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{method:?} {name:?}");
        assert_eq!(reply.body["error"]["code"], -32020, "{:?}", reply.body);
    }
    assert!(world.content.searches().is_empty());
}

#[tokio::test]
async fn unknown_versions_and_methods_have_their_own_answers() {
    let world = World::start().await;
    let mut params = with_meta(json!({}));
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params});
    let request = world
        .post(&body)
        .bearer_auth(world.reader())
        .header("MCP-Protocol-Version", "2099-01-01")
        .header("Mcp-Method", "tools/list");
    let reply = Reply::of(request).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(reply.body["error"]["code"], -32022, "{:?}", reply.body);

    let reply = Reply::of(world.modern(&world.reader(), "no/such", json!({}))).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert_eq!(reply.body["error"]["code"], -32601, "{:?}", reply.body);
}

#[tokio::test]
async fn every_tool_says_when_not_to_call_it_and_that_it_only_reads() {
    let world = World::start().await;
    let reply = Reply::of(world.modern(&world.analyst(), "tools/list", json!({}))).await;
    let tools = reply.result()["tools"].as_array().unwrap().clone();
    let names: Vec<_> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "ask",
            "getContent",
            "query_sales",
            "describe_sales",
            "get_campaign_log"
        ]
    );
    for tool in &tools {
        let description = tool["description"].as_str().unwrap();
        assert!(description.contains("Do not use it"), "{description}");
        let hints = &tool["annotations"];
        for (hint, set) in [
            ("readOnlyHint", true),
            ("destructiveHint", false),
            ("idempotentHint", true),
            ("openWorldHint", false),
        ] {
            assert_eq!(hints[hint], set, "{tool}");
        }
        assert!(!tool.to_string().contains("$ref"), "{tool}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false);
    }
}
