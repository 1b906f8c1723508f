//! The conformance suite of the protocol, against its own tools behind the production HTTP stack:
//! where `TEST_MCP_NODE` names a directory that has it. `tests/clients/run` sees to that.

#![allow(
    deprecated,
    reason = "the suite asks for logging, sampling and roots, which 2026-07-28 deprecates"
)]

mod catalogue;
mod fixture;
mod input_required;
mod tools;

use std::{sync::Arc, time::Duration};

use auth::Verifier;
use axum::{Router, extract::Request, middleware};
use contracts::Scope;
use http::{HeaderValue, header};
use local_idp::{LocalIdp, LocalIdpConfig};
use mcp_gateway::http::{HttpConfig, router_around};
use secrecy::ExposeSecret as _;
use service_kit::{CancellationToken, Clock, listen, metrics::HttpMetrics};
use tempfile::TempDir;
use url::Url;

use crate::support::foreign::{Node, clients, output};
use fixture::Fixture;

/// Scenarios that a revision's requirements score for servers; a suite that found fewer would prove less.
const SCORED_2026_07_28: usize = 37;
const SCORED_2025_11_25: usize = 30;

#[tokio::test]
async fn of_2026_07_28() {
    suite("2026-07-28", SCORED_2026_07_28).await;
}

#[tokio::test]
async fn of_2025_11_25() {
    suite("2025-11-25", SCORED_2025_11_25).await;
}

/// Fails where a scenario fails that the file of expected failures does not explain, and where one
/// passes that it does.
async fn suite(revision: &str, scored: usize) {
    let Some(node) = Node::installed() else {
        return;
    };
    let (stop, keys) = (CancellationToken::new(), TempDir::new().unwrap());
    let _stop = stop.clone().drop_guard();
    let endpoint = serve(&keys, &stop).await;
    let results = TempDir::new().unwrap();
    let mut command = node.program("@modelcontextprotocol/conformance/dist/index.js");
    command
        .args(["server", "--url", endpoint.as_str()])
        .args(["--requirements", revision, "--expected-failures"])
        .arg(clients().join(format!("conformance-{revision}.yaml")))
        .arg("--output-dir")
        .arg(results.path());
    let said = output(command).await;
    let ran = std::fs::read_dir(results.path()).unwrap().count();
    assert!(ran >= scored, "{ran} scenarios of {scored} ran: {said}");
}

/// The production router with the suite's fixtures behind it. The suite cannot send a token, so one is
/// added to each of its requests before the router sees it: nothing in the router is turned off.
async fn serve(keys: &TempDir, stop: &CancellationToken) -> Url {
    let (clock, http) = (
        Clock::system(),
        service_kit::http_client::build(Duration::from_secs(20)).unwrap(),
    );
    let listener = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let public_url: Url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let idp_listener = LocalIdp::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let issuer = format!("http://{}", idp_listener.local_addr().unwrap());
    // The suite plays a page of the server's own origin, which is to be let in where it is named.
    let origins = [public_url.clone()];
    let config = HttpConfig::new(&public_url, issuer.parse().unwrap(), &origins, &[]).unwrap();
    let idp = LocalIdp::new(
        LocalIdpConfig {
            issuer: issuer.parse().unwrap(),
            clients: Vec::new(),
            audiences: vec![config.resource().to_string()],
            token_lifetime: Duration::from_secs(600),
            key_dir: keys.path().join("keys"),
        },
        clock.clone(),
    )
    .unwrap();
    tokio::spawn(listen::serve(idp_listener, idp.router(), stop.clone()));
    let lifetime = Duration::from_secs(600);
    let scopes = Scope::ALL.into_iter().collect();
    let token = idp.issue("conformance", &scopes, config.resource().as_str(), lifetime);
    let token = token.unwrap();
    let verifier = Arc::new(Verifier::new(config.verifier_config(), http, clock));
    let requests = HttpMetrics::default();
    let router = router_around(
        Fixture::default(),
        verifier,
        &config,
        Router::new(),
        &requests,
    );
    let bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).unwrap();
    let router = router.layer(middleware::map_request(move |mut request: Request| {
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, bearer.clone());
        std::future::ready(request)
    }));
    tokio::spawn(listen::serve(listener, router, stop.clone()));
    config.resource().clone()
}
