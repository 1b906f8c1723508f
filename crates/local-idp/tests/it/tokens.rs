//! Tokens that are granted.

use std::time::Duration;

use contracts::Scope;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::harness::{API, MCP, Served, scopes};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn claims(served: &Served, response: reqwest::Response) -> Value {
    assert_eq!(response.status(), 200);
    let answer: Value = response.json().await.unwrap();
    served
        .decode(answer["access_token"].as_str().unwrap())
        .await
        .claims
}

#[tokio::test]
async fn a_client_gets_an_rfc_9068_token() {
    let served = Served::start().await;
    let response = served.ask(&[GRANT]).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["pragma"], "no-cache");
    assert_eq!(response.headers()["content-type"], "application/json");
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 600);
    assert_eq!(answer["scope"], "content:read sales:read");

    let token = served
        .decode(answer["access_token"].as_str().unwrap())
        .await;
    assert_eq!(token.header.typ.as_deref(), Some("at+jwt"));
    let mut claims = token.claims;
    let id = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(id.as_str().unwrap().len(), 32);
    let now = served.time.now();
    assert_eq!(
        claims,
        json!({
            "iss": served.origin, "sub": "reader", "client_id": "reader", "aud": API,
            "iat": now, "exp": now + 600, "scope": "content:read sales:read",
        })
    );
}

#[tokio::test]
async fn a_client_may_ask_for_less_and_for_another_resource() {
    let served = Served::start().await;
    let one = claims(&served, served.ask(&[GRANT, ("scope", "sales:read")]).await).await;
    assert_eq!(one["scope"], "sales:read");
    let empty = claims(&served, served.ask(&[GRANT, ("scope", "")]).await).await;
    assert_eq!(
        empty["scope"], "content:read sales:read",
        "empty means omitted"
    );
    for parameter in ["resource", "audience"] {
        let token = claims(&served, served.ask(&[GRANT, (parameter, MCP)]).await).await;
        assert_eq!(token["aud"], MCP);
    }
    let both = claims(
        &served,
        served
            .ask(&[GRANT, ("resource", MCP), ("audience", MCP)])
            .await,
    );
    assert_eq!(both.await["aud"], MCP);
}

#[tokio::test]
async fn a_client_may_authenticate_in_the_body() {
    let served = Served::start().await;
    let form = [GRANT, ("client_id", "reader"), ("client_secret", "s3cret")];
    let url = format!("{}/token", served.origin);
    let response = served.http.post(url).form(&form).send().await.unwrap();
    assert_eq!(claims(&served, response).await["sub"], "reader");
}

#[tokio::test]
async fn basic_credentials_are_form_decoded() {
    let served = Served::start().await;
    // RFC 6749 section 2.3.1; the id in the body may repeat the one in the header.
    let encoded = "s3cret%3Awith%2Fodd%2Bcharacters%26%3D%25";
    let form = [GRANT, ("client_id", "api-only")];
    let response = served.ask_as("api-only", encoded, &form).await;
    assert_eq!(claims(&served, response).await["scope"], "content:write");
}

#[tokio::test]
async fn two_tokens_have_two_ids() {
    let served = Served::start().await;
    let first = claims(&served, served.ask(&[GRANT]).await).await;
    let second = claims(&served, served.ask(&[GRANT]).await).await;
    assert_ne!(first["jti"], second["jti"]);
}

#[tokio::test]
async fn tokens_are_minted_directly_within_limits() {
    let served = Served::start().await;
    let allowed = scopes(&[Scope::IndexWrite]);
    let mint = |audience: &str, seconds: u64| {
        served
            .idp
            .issue("operator", &allowed, audience, Duration::from_secs(seconds))
    };
    let token = mint(MCP, 86_400).unwrap();
    assert!(!format!("{token:?}").contains(token.expose_secret()));
    let claims = served.decode(token.expose_secret()).await.claims;
    assert_eq!(claims["sub"], "operator");
    assert_eq!(claims["aud"], MCP);
    assert_eq!(claims["scope"], "index:write");
    assert_eq!(claims["exp"], served.time.now() + 86_400);

    for seconds in [0, 86_401] {
        let error = mint(MCP, seconds).unwrap_err().to_string();
        assert!(error.contains("expected 1 to 86400 seconds"), "{error}");
    }
    let error = mint("https://elsewhere.example", 60)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(API) && error.contains(MCP),
        "says what there is: {error}"
    );
}
