//! Every fault of a token, on the list of tools and on every tool, over HTTP.

use contracts::Scope;
use http::StatusCode;
use serde_json::{Value, json};
use test_support::forge::{EcKey, hs256, jws};

use crate::support::{API, Forger, Reply, World, answered, campaign, with};

/// Every tool with arguments that it takes, and the scopes that it needs.
fn tools() -> [(&'static str, Value, &'static [Scope]); 6] {
    const BOTH: &[Scope] = &[Scope::ContentRead, Scope::SalesRead];
    const CONTENT: &[Scope] = &[Scope::ContentRead];
    const SALES: &[Scope] = &[Scope::SalesRead];
    [
        (
            "ask",
            json!({"question": "beach", "route": "content"}),
            BOTH,
        ),
        ("getContent", json!({"description": "beach"}), CONTENT),
        ("query_sales", json!({"metrics": ["roas"]}), SALES),
        ("describe_sales", json!({}), SALES),
        ("register_campaign", campaign(), &[Scope::CampaignsWrite]),
        ("get_campaign_log", json!({"campaign": "summer"}), CONTENT),
    ]
}

/// `tools/list`, and a call of each tool.
fn requests() -> Vec<(&'static str, Value)> {
    let calls = tools().map(|(name, arguments, _)| {
        let params = json!({"name": name, "arguments": arguments});
        ("tools/call", params)
    });
    [("tools/list", json!({}))]
        .into_iter()
        .chain(calls)
        .collect()
}

/// Each way in which a token can be wrong, and what the refusal says of it.
async fn faults(world: &World) -> Vec<(&'static str, String, &'static str)> {
    let forger = Forger::of(world);
    let Forger {
        header,
        claims,
        now,
        ..
    } = &forger;
    let claiming =
        |name: &str, value: Value| forger.sign(header, &with(claims.clone(), name, value));
    let headed = |name: &str, value: Value| with(header.clone(), name, value);
    let stranger = EcKey::generate();
    let stranger_signs = |header: &Value| jws(header, claims, |message| stranger.sign(message));
    // A server that lets the token choose takes the published key for a secret.
    let confused = |secret: Vec<u8>| {
        let header = headed("alg", json!("HS256"));
        jws(&header, claims, |message| hs256(&secret, message))
    };
    let other = World::start().await;
    let others = other.token(&Scope::ALL);
    let own_jwk = headed("jwk", stranger.jwk("own"));
    vec![
        ("garbage", "garbage".to_owned(), "not a signed JWT"),
        ("three parts of it", "a.b.c".to_owned(), "not a signed JWT"),
        (
            "another audience",
            claiming("aud", json!(API)),
            "another audience",
        ),
        (
            "another issuer's name",
            claiming("iss", json!("https://other.example")),
            "another issuer",
        ),
        ("another issuer's", others, "does not publish"),
        (
            "expired",
            claiming("exp", json!(now - 31)),
            "the token expired",
        ),
        (
            "not yet valid",
            claiming("nbf", json!(now + 120)),
            "not valid yet",
        ),
        (
            "issued in the future",
            claiming("iat", json!(now + 120)),
            "issued in the future",
        ),
        (
            "another key",
            stranger_signs(header),
            "signature does not match",
        ),
        (
            "a key that came along",
            stranger_signs(&own_jwk),
            "signature does not match",
        ),
        (
            "an unknown key",
            stranger_signs(&headed("kid", json!("unknown"))),
            "does not publish",
        ),
        (
            "no algorithm",
            jws(&headed("alg", json!("none")), claims, |_| Vec::new()),
            "not a signed JWT",
        ),
        (
            "the public key as a secret",
            confused(forger.jwk.to_string().into_bytes()),
            "algorithm that is not accepted",
        ),
        (
            "the public key's point as a secret",
            confused(forger.jwk["x"].as_str().unwrap().into()),
            "algorithm that is not accepted",
        ),
        (
            "an identity token",
            forger.sign(&headed("typ", json!("JWT")), claims),
            "typ at+jwt",
        ),
    ]
}

#[tokio::test]
async fn every_fault_of_a_token_is_refused_on_every_tool() {
    let world = World::start().await;
    for (name, token, said) in faults(&world).await {
        for (method, params) in requests() {
            for request in [
                world.modern(&token, method, params.clone()),
                world.legacy(&token, method, params.clone()),
            ] {
                let reply = Reply::of(request).await;
                let what = format!("{name}: {method} {}", params["name"]);
                assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{what}");
                assert_eq!(reply.body["type"], "urn:promptsales:problem:invalid-token");
                let challenge = reply.header("www-authenticate");
                for part in [
                    "error=\"invalid_token\"",
                    said,
                    "scope=\"content:read campaigns:write sales:read\"",
                    "resource_metadata=\"",
                ] {
                    assert!(challenge.contains(part), "{what}: {challenge}");
                }
            }
        }
    }
    assert!(world.content.searches().is_empty());
    assert!(world.content.campaigns.checked().is_empty());
    assert!(world.warehouse.asked().is_empty());
}

/// The forged tokens were refused for their faults: one without any is let in everywhere.
#[tokio::test]
async fn the_same_token_without_a_fault_is_let_in() {
    let world = World::start().await;
    world.warehouse.answers(|uri, _| match uri.path() {
        "/v1/metrics" => Some((StatusCode::OK, crate::sales_tools::catalogue(uri))),
        _ => answered(&["roas"], json!([[2.5]])),
    });
    let forger = Forger::of(&world);
    let token = forger.sign(&forger.header, &forger.claims);
    for (method, params) in requests() {
        for request in [
            world.modern(&token, method, params.clone()),
            world.legacy(&token, method, params.clone()),
        ] {
            let reply = Reply::of(request).await;
            let result = reply.result();
            assert_ne!(result["isError"], true, "{params}: {result}");
        }
    }
}

#[tokio::test]
async fn a_missing_scope_is_refused_on_every_tool_with_all_that_it_needs() {
    let world = World::start().await;
    for (name, arguments, needed) in tools() {
        let params = json!({"name": name, "arguments": arguments});
        let named: Vec<&str> = needed.iter().map(|scope| scope.as_str()).collect();
        let named = format!("scope=\"{}\"", named.join(" "));
        for missing in needed {
            let held: Vec<Scope> = Scope::ALL
                .into_iter()
                .filter(|one| one != missing)
                .collect();
            let token = world.token(&held);
            for request in [
                world.modern(&token, "tools/call", params.clone()),
                world.legacy(&token, "tools/call", params.clone()),
            ] {
                let reply = Reply::of(request).await;
                assert_eq!(
                    reply.status,
                    StatusCode::FORBIDDEN,
                    "{name} without {missing}"
                );
                let challenge = reply.header("www-authenticate");
                assert!(challenge.contains("insufficient_scope"), "{challenge}");
                assert!(challenge.contains(&named), "{name}: {challenge}");
            }
        }
        // These and no others are enough.
        let request = world.modern(&world.token(needed), "tools/call", params);
        assert_eq!(Reply::of(request).await.status, StatusCode::OK, "{name}");
    }
}
