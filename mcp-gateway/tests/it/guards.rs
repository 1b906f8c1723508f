//! Who is let in: tokens, hosts, origins, sizes.

use std::{sync::Arc, time::Duration};

use auth::{ClientCredentials, Issuer, TokenSource, Verifier};
use contracts::Scope;
use http::StatusCode;
use mcp_gateway::{
    Config, Gateway, Tokens,
    http::{HttpConfig, HttpConfigError, router},
};
use secrecy::ExposeSecret as _;
use serde_json::json;
use service_kit::{CancellationToken, Clock, listen};
use url::Url;

use crate::support::{API, FRIEND, Reply, World};

#[tokio::test]
async fn without_a_token_the_challenge_says_where_to_find_the_issuer() {
    let world = World::start().await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    let reply = Reply::of(world.post(&body)).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    let metadata = format!(
        "{}.well-known/oauth-protected-resource/mcp",
        world.public_url
    );
    assert_eq!(
        reply.header("www-authenticate"),
        format!(
            "Bearer realm=\"promptsales\", scope=\"content:read campaigns:write sales:read\", \
             resource_metadata=\"{metadata}\""
        )
    );

    for path in ["/.well-known/oauth-protected-resource", metadata.as_str()] {
        let url = world.public_url.join(path).unwrap();
        let reply = Reply::of(world.http.get(url)).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.body["resource"], world.resource());
        assert_eq!(
            reply.body["authorization_servers"],
            json!([world.idp.issuer()])
        );
        assert_eq!(
            reply.body["scopes_supported"],
            json!(["content:read", "campaigns:write", "sales:read"])
        );
        assert_eq!(reply.body["bearer_methods_supported"], json!(["header"]));
    }
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_refused_on_every_method() {
    let world = World::start().await;
    let lifetime = Duration::from_secs(60);
    let scopes = [Scope::ContentRead].into_iter().collect();
    let elsewhere = world
        .idp
        .issue("assistant", &scopes, API, lifetime)
        .unwrap();
    for token in ["garbage", elsewhere.expose_secret()] {
        for (method, params) in [
            ("tools/list", json!({})),
            ("server/discover", json!({})),
            (
                "tools/call",
                json!({"name": "getContent", "arguments": {"description": "beach"}}),
            ),
        ] {
            let reply = Reply::of(world.modern(token, method, params)).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{method}");
            let challenge = reply.header("www-authenticate");
            assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
            assert!(challenge.contains("resource_metadata=\""), "{challenge}");
        }
    }
    assert!(world.content.searches().is_empty());
}

#[tokio::test]
async fn a_token_in_the_query_counts_for_nothing() {
    let world = World::start().await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    let request = world.post(&body).query(&[("access_token", world.reader())]);
    assert_eq!(Reply::of(request).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn only_known_origins_may_call_from_a_browser() {
    let world = World::start().await;
    let token = world.reader();
    for (origin, status) in [
        (FRIEND, StatusCode::OK),
        ("http://localhost:6275", StatusCode::FORBIDDEN),
        ("https://localhost:6274", StatusCode::FORBIDDEN),
        ("https://evil.example", StatusCode::FORBIDDEN),
        ("null", StatusCode::FORBIDDEN),
    ] {
        let request = world
            .modern(&token, "tools/list", json!({}))
            .header("Origin", origin);
        assert_eq!(Reply::of(request).await.status, status, "{origin}");
    }
}

#[tokio::test]
async fn only_known_hosts_are_answered() {
    let world = World::start().await;
    let token = world.reader();
    for (host, status) in [
        ("localhost", StatusCode::OK),
        ("127.0.0.1:9", StatusCode::OK),
        ("rebound.example", StatusCode::FORBIDDEN),
        ("127.0.0.1.evil.example", StatusCode::FORBIDDEN),
    ] {
        let request = world
            .modern(&token, "tools/list", json!({}))
            .header("Host", host);
        assert_eq!(Reply::of(request).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn oversized_nested_and_malformed_bodies_are_refused() {
    let world = World::start().await;
    let token = world.reader();
    let big = "x".repeat(contracts::limits::MAX_JSON_BODY_BYTES);
    let params = json!({"name": "getContent", "arguments": {"description": big}});
    let reply = Reply::of(world.modern(&token, "tools/call", params)).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(reply.body["type"], "urn:promptsales:problem:body-too-large");

    for body in [
        "{",
        "[]",
        &format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)),
        "\u{feff}{}",
    ] {
        let request = world
            .http
            .post(world.resource())
            .bearer_auth(&token)
            .header("Accept", "application/json, text/event-stream")
            .header("Content-Type", "application/json")
            .body(body.to_owned());
        let reply = Reply::of(request).await;
        assert!(
            reply.status.is_client_error(),
            "{} {:?}",
            reply.status,
            reply.body
        );
    }
    assert!(world.content.searches().is_empty());
}

#[tokio::test]
async fn it_is_ready_with_keys_and_a_token_of_its_own() {
    let world = World::start().await;
    for path in ["/livez", "/readyz"] {
        let reply = Reply::of(world.http.get(world.public_url.join(path).unwrap())).await;
        assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    }
}

#[tokio::test]
async fn without_the_issuer_it_is_alive_but_not_ready() {
    let world = World::start().await;
    let gone = Url::parse("http://127.0.0.1:1").unwrap();
    let clock = Clock::system();
    let credentials = ClientCredentials {
        token_url: gone.join("/token").unwrap(),
        client_id: "mcp-gateway".to_owned(),
        client_secret: "x".into(),
        scopes: [Scope::ContentRead].into_iter().collect(),
        resource: None,
    };
    let tokens = Arc::new(TokenSource::new(
        credentials,
        world.http.clone(),
        clock.clone(),
    ));
    let config = Config::new(
        world.content.base.clone(),
        world.warehouse.base.clone(),
        world.embedder.base.clone(),
    );
    let gateway = Gateway::new(
        config,
        world.http.clone(),
        Tokens {
            content: Arc::clone(&tokens),
            campaigns: Arc::clone(&tokens),
            embedder: Arc::clone(&tokens),
            sales: tokens,
        },
    );
    let issuer = "http://127.0.0.1:1".parse().unwrap();
    let config = HttpConfig::new(&world.public_url, issuer, &[], &[]).unwrap();
    let verifier = Arc::new(Verifier::new(
        config.verifier_config(),
        world.http.clone(),
        clock,
    ));
    let listener = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    tokio::spawn(listen::serve(
        listener,
        router(gateway, verifier, &config),
        stop,
    ));

    let alive = Reply::of(world.http.get(format!("{base}/livez"))).await;
    assert_eq!(alive.status, StatusCode::OK);
    let ready = Reply::of(world.http.get(format!("{base}/readyz"))).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        ready.body["missing"],
        json!([
            "the authorization server's keys",
            "a token of the gateway's own for content-api",
            "a token of the gateway's own for embedder",
            "a token of the gateway's own for sales-warehouse"
        ])
    );
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    let issuer: Issuer = "http://127.0.0.1:7400".parse().unwrap();
    let url = |text: &str| Url::parse(text).unwrap();
    let config = |public: &str, origins: &[Url]| {
        HttpConfig::new(&url(public), issuer.clone(), origins, &[]).map(|config| {
            let checks = config.verifier_config();
            (
                checks.audience,
                checks.resource_metadata.unwrap().to_string(),
            )
        })
    };
    assert_eq!(
        config("https://mcp.example", &[url("https://app.example")]).unwrap(),
        (
            "https://mcp.example/mcp".to_owned(),
            "https://mcp.example/.well-known/oauth-protected-resource/mcp".to_owned()
        )
    );
    for bad in [
        "https://mcp.example/base",
        "ftp://mcp.example",
        "https://a@mcp.example",
    ] {
        let error = config(bad, &[]).unwrap_err();
        assert!(matches!(error, HttpConfigError::PublicUrl(_)), "{bad}");
    }
    for bad in ["https://app.example/path", "data:text/plain,x"] {
        let error = config("https://mcp.example", &[url(bad)]).unwrap_err();
        assert!(matches!(error, HttpConfigError::AllowedOrigin(_)), "{bad}");
    }
}
