//! Sessions of the TypeScript SDK's client, with tokens of a certified authorization server, where
//! `TEST_MCP_NODE` names a directory that has both. `tests/clients/run` sees to that.

use std::{process::Stdio, sync::Arc};

use auth::Verifier;
use mcp_gateway::http::{HttpConfig, router};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use service_kit::{CancellationToken, Clock, listen};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
};
use url::Url;

use crate::{
    resources,
    support::{
        World,
        foreign::{Node, lines},
    },
};

/// An authorization server, as long as it is not dropped.
struct OidcProvider {
    issuer: String,
    _child: Child,
    /// It goes on talking, and ends where nobody listens.
    _said: Lines<BufReader<ChildStdout>>,
}

async fn oidc_provider(node: &Node, secret: &SecretString) -> OidcProvider {
    let mut command = node.script("issuer.mjs");
    let mut child = command
        .env("CLIENT_SECRET", secret.expose_secret())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    OidcProvider {
        issuer: said.next_line().await.unwrap().unwrap(),
        _child: child,
        _said: said,
    }
}

/// The world's gateway behind another door, which believes that issuer.
async fn gateway(world: &World, issuer: &str, stop: &CancellationToken) -> Url {
    let listener = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let public_url = format!("http://{}", listener.local_addr().unwrap());
    let public_url = public_url.parse().unwrap();
    let config = HttpConfig::new(&public_url, issuer.parse().unwrap(), &[], &[]).unwrap();
    let checks = config.verifier_config();
    let verifier = Verifier::new(checks, world.http.clone(), Clock::system());
    let router = router(world.gateway.clone(), Arc::new(verifier), &config);
    tokio::spawn(listen::serve(listener, router, stop.clone()));
    config.resource().clone()
}

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
    let provider = oidc_provider(&node, &secret).await;
    let resource = gateway(&world, &provider.issuer, &stop).await;
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
