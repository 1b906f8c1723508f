//! Sessions of the TypeScript SDK's client, with tokens of a certified authorization server, where
//! `TEST_MCP_NODE` names a directory that has both. `tests/clients/run` sees to that.

use secrecy::ExposeSecret as _;
use serde_json::json;
use service_kit::CancellationToken;

use crate::{
    resources,
    support::foreign::{Node, OidcProvider, lines},
};

#[tokio::test]
async fn each_era_with_a_token_by_each_grant() {
    let Some(node) = Node::installed() else {
        return;
    };
    let world = resources::start().await;
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    // Any text would do: it is the test's own.
    let secret = world.gateway_client.secret.clone();
    let provider = OidcProvider::start(&node, &secret).await;
    let resource = provider.gateway(&world, &stop).await;
    let mut command = node.script("session.mjs");
    command
        .args([resource.as_str(), &provider.issuer])
        .env("CLIENT_SECRET", secret.expose_secret());
    let heard = lines(command).await;
    let mut expected = Vec::new();
    for era in ["2025-11-25", "2026-07-28"] {
        for grant in ["client_credentials", "authorization_code"] {
            expected.push(json!({
                "era": era,
                "grant": grant,
                "negotiated": era,
                "challenged": grant == "authorization_code",
                "tools": ["ask", "getContent", "query_sales", "describe_sales", "get_campaign_log"],
                "ids": ["two-beaches"],
                "blocks": ["text", "image", "resource_link"],
                "route": "content",
                "refused": true,
                "resources": 1 + 45 + 3,
                "read": "application/json",
                "templates": 3,
            }));
        }
    }
    assert_eq!(heard, expected);
}
