//! What a token allows decides what is listed and what may be called.

use contracts::Scope;
use http::StatusCode;
use serde_json::json;

use crate::support::{Reply, World};

#[tokio::test]
async fn a_call_beyond_the_tokens_scopes_is_refused_with_the_scopes_it_needs() {
    let world = World::start().await;
    let token = world.token(&[Scope::SalesRead]);
    let call = || json!({"name": "getContent", "arguments": {"description": "beach"}});
    for request in [
        world.modern(&token, "tools/call", call()),
        world.legacy(&token, "tools/call", call()),
    ] {
        let reply = Reply::of(request).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        assert_eq!(
            reply.body["type"],
            "urn:promptsales:problem:insufficient-scope"
        );
        assert_eq!(
            reply.header("www-authenticate"),
            format!(
                "Bearer realm=\"promptsales\", error=\"insufficient_scope\", \
                 scope=\"content:read\", resource_metadata=\"{}.well-known/\
                 oauth-protected-resource/mcp\"",
                world.public_url
            )
        );
    }
    assert!(world.content.searches().is_empty());
}

/// The check before the protocol's handler reads the body on its own; where the two could read it
/// differently, the handler's own check must hold.
#[tokio::test]
async fn a_body_with_two_names_gets_nobody_past_the_check() {
    let world = World::start().await;
    let token = world.token(&[]);
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","name":"getContent","arguments":{"description":"a"}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getContent","name":"x","arguments":{"description":"a"}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"getContent","arguments":{"description":"a"}}}"#,
        r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getContent","arguments":{"description":"a"}}}]"#,
    ] {
        let request = world
            .http
            .post(world.resource())
            .bearer_auth(&token)
            .header("Accept", "application/json, text/event-stream")
            .header("Content-Type", "application/json")
            .header("MCP-Protocol-Version", "2025-11-25")
            .body(body);
        let reply = Reply::of(request).await;
        assert!(reply.body.get("result").is_none(), "{:?}", reply.body);
    }
    assert!(world.content.searches().is_empty());
}

#[tokio::test]
async fn the_list_holds_what_the_token_allows() {
    let world = World::start().await;
    for (scopes, listed) in [
        (vec![], 0),
        (vec![Scope::IndexWrite, Scope::ContentWrite], 0),
        (vec![Scope::CampaignsWrite], 1),
        (vec![Scope::ContentRead], 2),
        (vec![Scope::SalesRead], 2),
        (vec![Scope::ContentRead, Scope::SalesRead], 5),
        (Scope::ALL.to_vec(), 6),
    ] {
        let token = world.token(&scopes);
        for request in [
            world.modern(&token, "tools/list", json!({})),
            world.legacy(&token, "tools/list", json!({})),
        ] {
            let reply = Reply::of(request).await;
            assert_eq!(
                reply.result()["tools"].as_array().unwrap().len(),
                listed,
                "{scopes:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_callers_token_goes_no_further_and_the_request_id_does() {
    let world = World::start().await;
    let token = world.reader();
    let params = json!({"name": "getContent", "arguments": {"description": "beach"}});
    let request = world
        .modern(&token, "tools/call", params)
        .header("x-request-id", "r-1");
    Reply::of(request).await.result();
    let (headers, _) = world.content.searches().remove(0);
    // The double has verified the token: it is one of the gateway's own for content-api.
    let sent = headers["authorization"].to_str().unwrap();
    assert!(!sent.contains(&token));
    assert_eq!(headers["x-request-id"], "r-1");
}
