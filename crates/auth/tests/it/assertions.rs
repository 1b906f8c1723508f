//! What a gateway says about its caller: believed where everything fits, refused otherwise.

use auth::{
    AssertedRequest, AssertionKey, AssertionSigner, CALLER_HEADER, Caller, KeySet, TrustedGateways,
    Verifier,
};
use axum::{Router, body::Body, routing::post};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contracts::{Problem, Scope};
use http::{HeaderValue, Method, Request, header::AUTHORIZATION};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::harness::{API, Issuer, OTHER, Stub, client, resource};

/// An issuer, a gateway with a key, and a resource that trusts it.
struct World {
    issuer: Issuer,
    signer: AssertionSigner,
    resource: Router,
    /// The person's, as the gateway has checked it.
    person: Caller,
    /// The gateway's own.
    token: String,
    keys: TempDir,
}

fn key() -> AssertionKey {
    AssertionKey::from_pem(&AssertionKey::generate_pem()).unwrap()
}

impl World {
    async fn start() -> Self {
        let issuer = Issuer::start().await;
        let signer = AssertionSigner::new("marketer", key(), issuer.time.clock());
        let keys = tempfile::tempdir().unwrap();
        let file = keys.path().join("keys.json");
        publish(&file, &[&signer]);
        let mut config = issuer.config();
        config.gateways = Some(TrustedGateways {
            clients: vec!["marketer".to_owned()],
            keys: KeySet::File(file),
        });
        let verifier = Verifier::new(config, client(), issuer.time.clock());
        let person = issuer.verifier().verify(&person_token(&issuer).await).await;
        Self {
            person: person.unwrap(),
            token: issuer.token(&[Scope::ContentRead, Scope::SalesRead]),
            resource: resource(verifier),
            issuer,
            signer,
            keys,
        }
    }

    fn sign<'a>(&'a self, change: impl FnOnce(&mut AssertedRequest<'a>)) -> HeaderValue {
        let mut request = AssertedRequest {
            audience: API,
            method: &Method::GET,
            path: "/content",
            token: &self.token,
        };
        change(&mut request);
        self.signer.sign(&self.person, request)
    }

    async fn get(&self, assertions: &[&HeaderValue]) -> (u16, String) {
        self.send(&self.token, "/content", assertions).await
    }

    async fn send(&self, token: &str, path: &str, assertions: &[&HeaderValue]) -> (u16, String) {
        let mut request = Request::get(path).header(AUTHORIZATION, format!("Bearer {token}"));
        for assertion in assertions {
            request = request.header(CALLER_HEADER, *assertion);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.resource.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let challenged = response.headers().contains_key("www-authenticate");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        if status == 200 {
            return (status, text);
        }
        assert_eq!(challenged, matches!(status, 400 | 401 | 403), "{text}");
        let problem: Problem = serde_json::from_str(&text).unwrap();
        (status, format!("{}: {}", problem.slug(), problem.detail))
    }
}

/// Somebody at a program of theirs, who may read content and register campaigns.
async fn person_token(issuer: &Issuer) -> String {
    let mut claims = issuer.claims();
    claims["sub"] = json!("ana");
    claims["client_id"] = json!("desktop");
    claims["scope"] = json!("content:read campaigns:write");
    issuer.signed(&claims).await
}

fn publish(file: &std::path::Path, signers: &[&AssertionSigner]) {
    let keys: Vec<_> = signers
        .iter()
        .flat_map(|signer| signer.public_keys().keys)
        .collect();
    std::fs::write(file, json!({ "keys": keys }).to_string()).unwrap();
}

/// The same claims with some of them changed, under the old signature.
fn tampered(assertion: &HeaderValue, claim: &str, value: &Value) -> HeaderValue {
    let parts: Vec<&str> = assertion.to_str().unwrap().split('.').collect();
    let bytes = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let mut claims: Value = serde_json::from_slice(&bytes).unwrap();
    claims[claim] = value.clone();
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    HeaderValue::try_from(format!("{}.{claims}.{}", parts[0], parts[2])).unwrap()
}

#[tokio::test]
async fn a_trusted_gateway_says_for_whom_it_calls() {
    let world = World::start().await;
    assert_eq!(
        world.get(&[&world.sign(|_| {})]).await,
        (200, "ana".to_owned())
    );
    // Without one it calls for itself.
    assert_eq!(world.get(&[]).await, (200, "marketer".to_owned()));
}

#[tokio::test]
async fn the_caller_is_known_with_the_program_and_the_gateway_and_what_both_may() {
    let world = World::start().await;
    let mut config = world.issuer.config();
    config.gateways = Some(TrustedGateways {
        clients: vec!["marketer".to_owned()],
        keys: KeySet::File(world.keys.path().join("keys.json")),
    });
    let verifier = std::sync::Arc::new(Verifier::new(config, client(), world.issuer.time.clock()));
    async fn who(axum::Extension(caller): axum::Extension<Caller>) -> String {
        format!("{caller:?}")
    }
    let guard = axum::middleware::from_fn_with_state(verifier, auth::require_valid_token);
    let router = Router::new().route("/who", post(who)).layer(guard);
    let assertion = world.sign(|request| {
        request.method = &Method::POST;
        request.path = "/who";
    });
    let request = Request::post("/who?page=2")
        .header(AUTHORIZATION, format!("Bearer {}", world.token))
        .header(CALLER_HEADER, assertion)
        .body(Body::empty())
        .unwrap();
    let body = router.oneshot(request).await.unwrap().into_body();
    let seen = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    for part in [
        r#"subject: "ana""#,
        r#"client_id: "desktop""#,
        r#"via: Some("marketer")"#,
        "scopes: Scopes({ContentRead})",
    ] {
        assert!(seen.contains(part), "{part} in {seen}");
    }
}

#[tokio::test]
async fn whoever_is_spoken_for_gets_no_more_than_they_may_themselves() {
    let world = World::start().await;
    // The gateway's token allows content:read, theirs does not.
    let mut claims = world.issuer.claims();
    claims["scope"] = json!("campaigns:write");
    let token = world.issuer.signed(&claims).await;
    let person = world.issuer.verifier().verify(&token).await.unwrap();
    let request = AssertedRequest {
        audience: API,
        method: &Method::GET,
        path: "/content",
        token: &world.token,
    };
    let (status, said) = world.get(&[&world.signer.sign(&person, request)]).await;
    assert_eq!(status, 403, "{said}");
    assert!(said.starts_with("insufficient-scope"), "{said}");
    assert_eq!(world.get(&[]).await.0, 200);
}

#[tokio::test]
async fn what_was_changed_on_its_way_is_refused() {
    let world = World::start().await;
    for (claim, value) in [
        ("sub", json!("eva")),
        ("scope", json!("content:read content:approve")),
        ("exp", json!(9_999_999_999_u64)),
        ("path", json!("/any")),
    ] {
        let (status, said) = world
            .get(&[&tampered(&world.sign(|_| {}), claim, &value)])
            .await;
        assert_eq!(status, 401, "{claim}");
        assert_eq!(
            said,
            "invalid-caller: The signature of the assertion of the caller does not match."
        );
    }
}

#[tokio::test]
async fn an_assertion_fits_one_request_alone() {
    let world = World::start().await;
    let other_token = world.issuer.token(&[Scope::ContentRead]);
    let cases = [
        (
            world.sign(|request| request.audience = OTHER),
            "for another audience",
        ),
        (
            world.sign(|request| request.method = &Method::POST),
            "another request",
        ),
        (
            world.sign(|request| request.path = "/any"),
            "another request",
        ),
        (
            world.sign(|request| request.token = &other_token),
            "another token",
        ),
    ];
    for (assertion, why) in cases {
        let (status, said) = world.get(&[&assertion]).await;
        assert_eq!(status, 401, "{why}");
        assert!(said.contains(why), "{said}");
    }
    // One that would do is of no use with another token of the same client's.
    let (status, said) = world
        .send(&other_token, "/content", &[&world.sign(|_| {})])
        .await;
    assert_eq!(status, 401);
    assert!(said.contains("another token"), "{said}");
}

#[tokio::test]
async fn an_assertion_counts_once() {
    let world = World::start().await;
    let assertion = world.sign(|_| {});
    assert_eq!(world.get(&[&assertion]).await.0, 200);
    for _ in 0..2 {
        let (status, said) = world.get(&[&assertion]).await;
        assert_eq!(status, 401);
        assert_eq!(
            said,
            "invalid-caller: The assertion of the caller was used before."
        );
    }
    // For as long as it could be taken: to the last second of the leeway.
    world.issuer.time.advance(59);
    assert!(world.get(&[&assertion]).await.1.contains("used before"));
    world.issuer.time.advance(1);
    assert!(world.get(&[&assertion]).await.1.contains("expired"));
}

#[tokio::test]
async fn an_assertion_holds_thirty_seconds_and_a_little_skew() {
    let world = World::start().await;
    let early = world.sign(|_| {});
    world.issuer.time.advance(59);
    assert_eq!(world.get(&[&early]).await.0, 200);
    let late = world.sign(|_| {});
    world.issuer.time.advance(60);
    let (status, said) = world.get(&[&late]).await;
    assert_eq!((status, said.contains("expired")), (401, true), "{said}");
    let future = world.sign(|_| {});
    world.issuer.time.advance(-31);
    let (status, said) = world.get(&[&future]).await;
    assert_eq!(
        (status, said.contains("in the future")),
        (401, true),
        "{said}"
    );
    world.issuer.time.advance(1);
    assert_eq!(world.get(&[&future]).await.0, 200);
}

#[tokio::test]
async fn another_key_and_another_client_are_refused() {
    let mut world = World::start().await;
    let trusted = world.signer.clone();
    let clock = world.issuer.time.clock();
    world.signer = AssertionSigner::new("marketer", key(), clock.clone());
    let (status, said) = world.get(&[&world.sign(|_| {})]).await;
    assert_eq!(
        (status, said.contains("key that is not known")),
        (401, true),
        "{said}"
    );

    // The right key under another name than the token's.
    let file = world.keys.path().join("keys.json");
    world.signer = AssertionSigner::new("somebody", key(), clock);
    publish(&file, &[&trusted, &world.signer]);
    world.issuer.time.advance(11);
    let (status, said) = world.get(&[&world.sign(|_| {})]).await;
    assert_eq!(
        (status, said.contains("another client's")),
        (401, true),
        "{said}"
    );

    // A client that nobody trusts may not speak for anybody, with whatever key.
    world.signer = trusted;
    let mut claims = world.issuer.claims();
    claims["client_id"] = json!("analyst");
    let token = world.issuer.signed(&claims).await;
    let assertion = world.sign(|request| request.token = &token);
    let (status, said) = world.send(&token, "/content", &[&assertion]).await;
    assert_eq!(
        (status, said.contains("may not say for whom")),
        (401, true),
        "{said}"
    );
    assert_eq!(world.send(&token, "/content", &[]).await.0, 200);
}

#[tokio::test]
async fn a_resource_that_trusts_nobody_takes_no_assertion() {
    let mut world = World::start().await;
    world.resource = resource(world.issuer.verifier());
    let (status, said) = world.get(&[&world.sign(|_| {})]).await;
    assert_eq!(
        (status, said.contains("may not say for whom")),
        (401, true),
        "{said}"
    );
}

#[tokio::test]
async fn what_is_no_assertion_is_a_bad_request() {
    let world = World::start().await;
    let good = world.sign(|_| {});
    let (status, said) = world.get(&[&good, &good]).await;
    assert_eq!(
        (status, said.contains("More than one")),
        (400, true),
        "{said}"
    );
    // An access token is none, though a key signed it.
    let token = HeaderValue::try_from(&world.token).unwrap();
    let unsigned = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"promptsales-caller+jwt"}"#),
        good.to_str().unwrap().split('.').nth(1).unwrap()
    );
    let long = format!("{}{}", good.to_str().unwrap(), "A".repeat(4096));
    for text in ["", "ana", "a.b.c", &unsigned, &long] {
        let value = HeaderValue::from_str(text).unwrap();
        let (status, said) = world.get(&[&value]).await;
        assert_eq!(status, 400, "{text}");
        assert!(said.starts_with("invalid-caller-header"), "{said}");
    }
    assert_eq!(world.get(&[&token]).await.0, 400);
    let bytes = HeaderValue::from_bytes(b"a\xffb").unwrap();
    assert_eq!(world.get(&[&bytes]).await.0, 400);
}

#[tokio::test]
async fn a_replaced_key_file_is_read_without_a_restart() {
    let mut world = World::start().await;
    assert_eq!(world.get(&[&world.sign(|_| {})]).await.0, 200);
    world.signer = AssertionSigner::new("marketer", key(), world.issuer.time.clock());
    publish(&world.keys.path().join("keys.json"), &[&world.signer]);
    world.issuer.time.advance(11);
    assert_eq!(world.get(&[&world.sign(|_| {})]).await.0, 200);
}

#[tokio::test]
async fn without_keys_nobody_is_believed_and_nobody_else_suffers() {
    let world = World::start().await;
    let missing = world.keys.path().join("keys.json");
    for contents in [None, Some("no json"), Some(r#"{"keys": 1}"#)] {
        match contents {
            Some(text) => std::fs::write(&missing, text).unwrap(),
            None => std::fs::remove_file(&missing).unwrap(),
        }
        let (status, said) = world.get(&[&world.sign(|_| {})]).await;
        assert_eq!(status, 503, "{said}");
        assert!(!said.contains("keys.json"), "{said}");
        assert_eq!(world.get(&[]).await.0, 200);
        world.issuer.time.advance(2);
    }
}

#[tokio::test]
async fn keys_may_lie_at_an_address() {
    let mut world = World::start().await;
    let (stub, _served) = Stub::start().await;
    stub.answer("/keys", 200, json!(world.signer.public_keys()));
    let mut config = world.issuer.config();
    config.gateways = Some(TrustedGateways {
        clients: vec!["marketer".to_owned()],
        keys: KeySet::Url(format!("{}/keys", stub.origin).parse().unwrap()),
    });
    let verifier = Verifier::new(config, client(), world.issuer.time.clock());
    world.resource = resource(verifier);
    assert_eq!(world.get(&[&world.sign(|_| {})]).await.0, 200);
    assert_eq!(stub.hits.of("/keys"), 1);
}
