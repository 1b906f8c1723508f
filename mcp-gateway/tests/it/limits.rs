//! A client that comes too often, and the others.

use std::{num::NonZeroU32, time::Duration};

use contracts::{Scope, Scopes};
use http::StatusCode;
use mcp_gateway::http::Limits;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::support::{Reply, World, campaign};

pub const UNLIMITED: Limits = Limits {
    requests_per_minute: None,
    calls_per_minute: None,
    writes_per_minute: None,
};

pub fn token(world: &World, subject: &str) -> String {
    let scopes: Scopes = Scope::ALL.into_iter().collect();
    let lifetime = Duration::from_secs(60);
    let token = world
        .idp
        .issue(subject, &scopes, &world.resource(), lifetime);
    token.unwrap().expose_secret().to_owned()
}

async fn call(world: &World, token: &str, tool: &str) -> Reply {
    let arguments = match tool {
        "register_campaign" => campaign(),
        _ => json!({"description": "beach"}),
    };
    let params = json!({"name": tool, "arguments": arguments});
    Reply::of(world.modern(token, "tools/call", params)).await
}

pub fn refused(reply: &Reply, what: &str) {
    assert_eq!(
        reply.status,
        StatusCode::TOO_MANY_REQUESTS,
        "{:?}",
        reply.body
    );
    let seconds: u32 = reply.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(
        reply.body["type"],
        "urn:promptsales:problem:too-many-requests"
    );
    let detail = reply.body["detail"].as_str().unwrap();
    assert!(detail.contains(what), "{detail}");
}

#[tokio::test]
async fn a_flood_of_one_client_leaves_the_others_alone() {
    let limits = Limits {
        requests_per_minute: NonZeroU32::new(5),
        ..UNLIMITED
    };
    let world = World::start_limited(limits).await;
    let (flooding, other) = (token(&world, "flooding"), token(&world, "other"));
    let list = |token: &str| Reply::of(world.modern(token, "tools/list", json!({})));
    let mut let_in = 0;
    for _ in 0..30 {
        let reply = list(&flooding).await;
        if reply.status == StatusCode::OK {
            let_in += 1;
        } else {
            refused(&reply, "requests");
        }
    }
    // One comes back every 12 s: this took less than a minute, even on a slow machine.
    assert!((5..10).contains(&let_in), "{let_in}");
    refused(&call(&world, &flooding, "getContent").await, "requests");
    assert!(world.content.searches().is_empty());
    // A new token of the same client is the same client.
    assert_eq!(
        list(&token(&world, "flooding")).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    for _ in 0..5 {
        assert_eq!(list(&other).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_parameter_that_no_call_has_hides_none() {
    let limits = Limits {
        calls_per_minute: NonZeroU32::new(1),
        ..UNLIMITED
    };
    let world = World::start_limited(limits).await;
    let ana = token(&world, "ana");
    let params = json!({"name": "getContent", "arguments": {"description": "beach"}, "uri": 1});
    let call = || Reply::of(world.modern(&ana, "tools/call", params.clone()));
    call().await.result();
    refused(&call().await, "getContent");
    assert_eq!(world.content.searches().len(), 1);
}

#[tokio::test]
async fn each_tool_has_its_own_bound_and_a_refused_call_does_nothing() {
    let limits = Limits {
        calls_per_minute: NonZeroU32::new(2),
        writes_per_minute: NonZeroU32::new(1),
        ..UNLIMITED
    };
    let world = World::start_limited(limits).await;
    let ana = token(&world, "ana");
    for _ in 0..2 {
        call(&world, &ana, "getContent").await.result();
    }
    refused(&call(&world, &ana, "getContent").await, "getContent");
    assert_eq!(world.content.searches().len(), 2);
    call(&world, &ana, "register_campaign").await.result();
    refused(
        &call(&world, &ana, "register_campaign").await,
        "register_campaign",
    );
    assert_eq!(world.content.campaigns.checked().len(), 1);
    call(&world, &ana, "describe_sales").await.result();
    call(&world, &token(&world, "eva"), "getContent")
        .await
        .result();
}

#[tokio::test]
async fn no_bound_is_no_bound() {
    let world = World::start_limited(UNLIMITED).await;
    let ana = token(&world, "ana");
    for _ in 0..70 {
        call(&world, &ana, "register_campaign").await.result();
    }
}
