//! Tokens for calling others.

use std::error::Error as _;

use auth::{ClientCredentials, FetchError, TokenError, TokenSource};
use contracts::{Scope, Scopes};
use futures::future::join_all;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::harness::{API, Issuer, Stub, TestClock, client};

fn source_of(stub: &Stub, time: &TestClock) -> TokenSource {
    let credentials = ClientCredentials {
        token_url: format!("{}/token", stub.origin).parse().unwrap(),
        client_id: "service".to_owned(),
        client_secret: "hush".into(),
        scopes: Scopes::default(),
        resource: None,
    };
    TokenSource::new(credentials, client(), time.clock())
}

async fn text(source: &TokenSource) -> String {
    source.token().await.unwrap().expose_secret().to_owned()
}

#[tokio::test]
async fn a_token_is_kept_and_renewed_before_it_expires() {
    let issuer = Issuer::start().await;
    let source = issuer.token_source();
    let token = text(&source).await;
    let caller = issuer.verifier().verify(&token).await.unwrap();
    assert_eq!(caller.subject(), "gateway");
    assert_eq!(caller.scopes().to_string(), "content:read");
    issuer.time.advance(3_600 - 31);
    assert_eq!(text(&source).await, token);
    assert_eq!(issuer.hits.of("/token"), 1);
    issuer.time.advance(1);
    let renewed = text(&source).await;
    assert_ne!(renewed, token);
    assert_eq!(issuer.hits.of("/token"), 2);
}

#[tokio::test]
async fn a_short_lived_token_is_kept_for_nine_tenths_of_its_life() {
    let issuer = Issuer::with_lifetime(100).await;
    let source = issuer.token_source();
    let token = text(&source).await;
    issuer.time.advance(89);
    assert_eq!(text(&source).await, token);
    issuer.time.advance(1);
    assert_ne!(text(&source).await, token);
}

#[tokio::test]
async fn many_who_ask_at_once_make_one_request() {
    let issuer = Issuer::start().await;
    let source = issuer.token_source();
    let tokens = join_all((0..50).map(|_| text(&source))).await;
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(issuer.hits.of("/token"), 1);
}

#[tokio::test]
async fn a_token_can_be_asked_for_from_a_task_of_its_own() {
    let issuer = Issuer::start().await;
    let (source, verifier) = (issuer.token_source(), issuer.verifier());
    // Compiles only while the futures are `Send`, as handlers need them.
    let task = tokio::spawn(async move {
        let token = source.token().await.unwrap();
        verifier.verify(token.expose_secret()).await.unwrap()
    });
    assert_eq!(task.await.unwrap().client_id(), "gateway");
}

#[tokio::test]
async fn who_hangs_up_does_not_spoil_it_for_the_others() {
    let (stub, _served) = Stub::start().await;
    stub.answer(
        "/token",
        200,
        json!({"access_token": "a", "token_type": "Bearer"}),
    );
    let source = source_of(&stub, &TestClock::new());
    let closed = stub.close().await;
    tokio::select! {
        result = source.token() => panic!("answered through a closed gate: {}", result.is_ok()),
        () = stub.arrived.notified() => {}
    }
    drop(closed);
    assert_eq!(text(&source).await, "a");
}

#[tokio::test]
async fn a_refused_token_can_be_forgotten() {
    let issuer = Issuer::start().await;
    let source = issuer.token_source();
    let token = source.token().await.unwrap();
    source.forget(&"another".into());
    assert_eq!(text(&source).await, token.expose_secret());
    source.forget(&token);
    assert_ne!(text(&source).await, token.expose_secret());
}

#[tokio::test]
async fn a_wrong_secret_is_reported_and_never_shown() {
    let issuer = Issuer::start().await;
    let credentials = ClientCredentials {
        token_url: format!("{}/token", issuer.idp.issuer()).parse().unwrap(),
        client_id: "gateway".to_owned(),
        client_secret: "not-the-secret".into(),
        scopes: [Scope::ContentRead].into_iter().collect(),
        resource: Some(API.to_owned()),
    };
    let source = TokenSource::new(credentials, client(), issuer.time.clock());
    let results = join_all((0..20).map(|_| source.token())).await;
    assert_eq!(
        issuer.hits.of("/token"),
        1,
        "who waited together hears it together"
    );
    let error = results.into_iter().next().unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}/token refused a token for client 'gateway': invalid_client. Check the client's id, \
             secret, scopes and audiences at the issuer",
            issuer.idp.issuer()
        )
    );
    for shown in [format!("{error:?}"), format!("{source:?}")] {
        assert!(
            shown.contains("gateway") && !shown.contains("not-the-secret"),
            "{shown}"
        );
    }
    source.token().await.unwrap_err();
    assert_eq!(issuer.hits.of("/token"), 2, "a failure is not kept");
}

#[tokio::test]
async fn a_failure_is_forgotten() {
    let (stub, mut served) = Stub::start().await;
    let source = source_of(&stub, &TestClock::new());
    let refusal = json!({"error": "temporarily_unavailable", "error_description": "hush"});
    stub.answer("/token", 400, refusal);
    let error = source.token().await.unwrap_err();
    assert!(
        matches!(&error, TokenError::Refused { code, .. } if code == "temporarily_unavailable"),
        "{error:?}"
    );
    assert!(!format!("{error:?} {error}").contains("hush"), "{error:?}");
    let good = json!({"access_token": "a", "token_type": "bearer", "expires_in": 60});
    stub.answer("/token", 200, good);
    assert_eq!(text(&source).await, "a");
    served.stop().await;
    assert_eq!(text(&source).await, "a", "kept");
}

#[tokio::test]
async fn a_token_without_a_lifetime_is_used_once() {
    let (stub, _served) = Stub::start().await;
    stub.answer(
        "/token",
        200,
        json!({"access_token": "a", "token_type": "Bearer"}),
    );
    let source = source_of(&stub, &TestClock::new());
    text(&source).await;
    text(&source).await;
    assert_eq!(stub.hits.of("/token"), 2);
}

#[tokio::test]
async fn answers_that_are_not_oauth_are_refused() {
    let (stub, mut served) = Stub::start().await;
    let source = source_of(&stub, &TestClock::new());
    let mac = json!({"access_token": "a", "token_type": "mac"}).to_string();
    for (status, body) in [
        (200, "<html>"),
        (200, "{}"),
        (200, ""),
        (502, ""),
        (200, &mac),
    ] {
        stub.answer("/token", status, body);
        let error = source.token().await.unwrap_err();
        assert!(
            matches!(error, TokenError::NotOAuth { .. }),
            "{status} {body}: {error:?}"
        );
        assert!(error.to_string().starts_with(&stub.origin), "{error}");
    }
    stub.answer("/token", 200, " ".repeat(64 * 1024 + 1));
    let error = source.token().await.unwrap_err();
    let TokenError::Unreachable { source: cause, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(matches!(**cause, FetchError::TooLarge { .. }), "{cause:?}");
    served.stop().await;
    let error = source.token().await.unwrap_err();
    assert!(matches!(error, TokenError::Unreachable { .. }), "{error:?}");
    assert!(
        error.source().unwrap().to_string().contains(&stub.origin),
        "says which endpoint"
    );
}

#[tokio::test]
async fn a_password_in_the_address_is_dropped() {
    let mut issuer = Issuer::start().await;
    let address = format!("http://user:hush@{}/token", issuer.served.address);
    issuer.served.stop().await;
    let credentials = ClientCredentials {
        token_url: address.parse().unwrap(),
        client_id: "service".to_owned(),
        client_secret: "s".into(),
        scopes: Scopes::default(),
        resource: None,
    };
    let source = TokenSource::new(credentials, client(), issuer.time.clock());
    let error = source.token().await.unwrap_err();
    assert!(
        !format!("{error:?} {source:?}").contains("hush"),
        "{error:?}"
    );
}
