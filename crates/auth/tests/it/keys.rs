//! How the issuer's keys are found, kept and renewed.

use std::sync::Arc;

use auth::{AuthError, FetchError, TokenFault, Verifier};
use contracts::Scope;
use futures::{FutureExt as _, future::join_all};
use serde_json::{Value, json};
use test_support::forge::{EcKey, RsaKey, jws};

use crate::harness::{Issuer, Stub, TestClock, client};

fn signed(stub: &Stub, time: &TestClock, key: &EcKey, kid: &str) -> String {
    let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": kid });
    jws(&header, &stub.claims(time), |message| key.sign(message))
}

fn is_unknown_key<T>(result: &Result<T, AuthError>) -> bool {
    matches!(result, Err(AuthError::InvalidToken(TokenFault::UnknownKey)))
}

async fn unavailable(verifier: &Verifier, token: &str) -> Arc<FetchError> {
    match verifier.verify(token).await {
        Err(AuthError::IssuerUnavailable(cause)) => cause,
        other => panic!("expected no keys, got {other:?}"),
    }
}

#[tokio::test]
async fn rotation_is_noticed_without_a_restart() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let old = issuer.token(&[Scope::ContentRead]);
    assert!(verifier.verify(&old).await.is_ok());
    issuer.idp.rotate().unwrap();
    issuer.time.advance(11);
    let new = issuer.token(&[Scope::ContentRead]);
    assert!(verifier.verify(&new).await.is_ok());
    assert!(
        verifier.verify(&old).await.is_ok(),
        "the old key is still published"
    );
    assert_eq!(issuer.hits.of("/jwks"), 2);
}

#[tokio::test]
async fn an_outage_is_outlived_for_a_day() {
    let mut issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let token = issuer.token(&[Scope::ContentRead]);
    assert!(verifier.verify(&token).await.is_ok());
    issuer.served.stop().await;
    issuer.time.advance(11 * 60);
    assert!(
        verifier.verify(&token).await.is_ok(),
        "the last good keys serve on"
    );
    assert!(verifier.ready().await.is_ok());
    issuer.time.advance(24 * 3_600 - 11 * 60);
    let day_old = issuer.token(&[Scope::ContentRead]);
    assert!(verifier.verify(&day_old).await.is_ok());
    issuer.time.advance(1);
    let cause = unavailable(&verifier, &day_old).await;
    assert!(
        matches!(*cause, FetchError::Unreachable { .. }),
        "{cause:?}"
    );
    assert!(verifier.ready().await.is_err());
}

#[tokio::test]
async fn a_flood_of_unknown_keys_does_not_reach_the_issuer() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let good = issuer.token(&[]);
    assert!(verifier.verify(&good).await.is_ok());
    let mut header = issuer.header().await;
    let before = issuer.hits.of("/jwks");
    let key = EcKey::generate();
    let flood: Vec<_> = (0..200)
        .map(|number| {
            header["kid"] = json!(format!("unknown-{number}"));
            jws(&header, &issuer.claims(), |message| key.sign(message))
        })
        .collect();
    let results = join_all(flood.iter().map(|token| verifier.verify(token))).await;
    assert!(results.iter().all(is_unknown_key));
    assert_eq!(
        issuer.hits.of("/jwks"),
        before,
        "the keys are younger than ten seconds"
    );
    issuer.time.advance(10);
    let results = join_all(flood.iter().map(|token| verifier.verify(token))).await;
    assert!(results.iter().all(is_unknown_key));
    assert_eq!(
        issuer.hits.of("/jwks"),
        before + 1,
        "one question for all of them"
    );
    assert!(verifier.verify(&good).await.is_ok());
}

#[tokio::test]
async fn a_withdrawn_key_is_forgotten_after_ten_minutes() {
    let (stub, _served) = Stub::start().await;
    let time = TestClock::new();
    let (first, second) = (EcKey::generate(), EcKey::generate());
    stub.publish(&[first.jwk("first")]);
    let verifier = Verifier::new(stub.config(), client(), time.clock());
    let token = signed(&stub, &time, &first, "first");
    assert!(verifier.verify(&token).await.is_ok());
    stub.publish(&[second.jwk("second")]);
    time.advance(599);
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(stub.hits.of("/jwks"), 1);
    time.advance(1);
    assert!(is_unknown_key(&verifier.verify(&token).await));
    assert!(
        verifier
            .verify(&signed(&stub, &time, &second, "second"))
            .await
            .is_ok()
    );
    assert_eq!(stub.hits.of("/jwks"), 2);
    // A clock that is set back does not make old keys young.
    time.advance(-86_400);
    assert!(verifier.ready().await.is_ok());
    stub.publish(&[]);
    let back = signed(&stub, &time, &second, "second");
    assert!(is_unknown_key(&verifier.verify(&back).await));
}

#[tokio::test]
async fn one_question_serves_all_who_wait_for_it() {
    let (stub, _served) = Stub::start().await;
    let time = TestClock::new();
    let key = EcKey::generate();
    stub.publish(&[key.jwk("key")]);
    let verifier = Verifier::new(stub.config(), client(), time.clock());
    let token = signed(&stub, &time, &key, "key");
    // The first caller hangs up while the issuer is thinking; the question goes on.
    let closed = stub.close().await;
    tokio::select! {
        result = verifier.verify(&token) => panic!("answered through a closed gate: {result:?}"),
        () = stub.arrived.notified() => {}
    }
    drop(closed);
    let results = join_all((0..50).map(|_| verifier.verify(&token))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(stub.hits.of("/jwks"), 1);
}

#[tokio::test]
async fn stale_keys_serve_while_new_ones_are_fetched() {
    let (stub, _served) = Stub::start().await;
    let time = TestClock::new();
    let key = EcKey::generate();
    stub.publish(&[key.jwk("key")]);
    let verifier = Verifier::new(stub.config(), client(), time.clock());
    let token = signed(&stub, &time, &key, "key");
    assert!(verifier.verify(&token).await.is_ok());
    time.advance(601);
    let closed = stub.close().await;
    stub.arrived.notified().await; // Left over from the first fetch.
    tokio::select! {
        result = verifier.verify(&token) => panic!("answered through a closed gate: {result:?}"),
        () = stub.arrived.notified() => {}
    }
    let meanwhile = verifier.verify(&token).now_or_never();
    assert!(
        meanwhile.is_some_and(|result| result.is_ok()),
        "nobody else waits for the issuer"
    );
    drop(closed);
}

#[tokio::test]
async fn only_a_key_that_fits_is_used() {
    let (stub, _served) = Stub::start().await;
    let time = TestClock::new();
    let (key, rsa) = (EcKey::generate(), RsaKey::generate());
    let said = |kid: &str, name: &str, value: Value| {
        let mut jwk = key.jwk(kid);
        jwk[name] = value;
        jwk
    };
    stub.publish(&[
        json!({ "kty": "AKP", "kid": "quantum", "alg": "ML-DSA-44", "pub": "AAAA" }),
        json!({ "kty": "oct", "kid": "secret", "k": "c2VjcmV0" }),
        json!({ "kty": "EC", "crv": "P-521", "kid": "large", "x": "AA", "y": "AA" }),
        json!("not a key"),
        json!({ "kty": "RSA" }),
        said("for-encryption", "use", json!("enc")),
        said("for-deriving", "key_ops", json!(["deriveKey"])),
        said("other-alg", "alg", json!("ES384")),
        said("other-curve", "crv", json!("P-384")),
        said("same", "use", json!("sig")),
        rsa.jwk("same"),
        said("said", "alg", json!("ES256")),
        said("verifying", "key_ops", json!(["verify"])),
        key.jwk("plain"),
    ]);
    let verifier = Verifier::new(stub.config(), client(), time.clock());
    for kid in ["same", "said", "verifying", "plain"] {
        let token = signed(&stub, &time, &key, kid);
        assert!(verifier.verify(&token).await.is_ok(), "{kid}");
    }
    for kid in [
        "for-encryption",
        "for-deriving",
        "other-alg",
        "other-curve",
        "large",
        "secret",
    ] {
        let token = signed(&stub, &time, &key, kid);
        assert!(is_unknown_key(&verifier.verify(&token).await), "{kid}");
    }
    let header = json!({ "typ": "at+jwt", "alg": "RS256", "kid": "same" });
    let token = jws(&header, &stub.claims(&time), |message| rsa.sign(message));
    assert!(
        verifier.verify(&token).await.is_ok(),
        "two keys of one kid, told apart by type"
    );
}

#[tokio::test]
async fn metadata_is_found_by_either_standard_and_has_to_be_the_issuers_own() {
    let (stub, _served) = Stub::start().await;
    let time = TestClock::new();
    let key = EcKey::generate();
    stub.publish(&[key.jwk("key")]);
    stub.answer("/.well-known/openid-configuration", 404, "");
    let tenant = format!("{}/tenant", stub.origin);
    let jwks_uri = format!("{}/jwks", stub.origin);
    let metadata = |issuer: &str| json!({ "issuer": issuer, "jwks_uri": jwks_uri });
    let fresh = || {
        let mut config = stub.config();
        config.issuer = tenant.parse().unwrap();
        Verifier::new(config, client(), time.clock())
    };
    let mut claims = stub.claims(&time);
    claims["iss"] = json!(tenant);
    let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": "key" });
    let token = jws(&header, &claims, |message| key.sign(message));

    let cause = unavailable(&fresh(), &token).await;
    assert!(matches!(*cause, FetchError::Status { .. }), "{cause:?}");
    // RFC 8414 puts the name before the path, OpenID Connect after it.
    stub.answer(
        "/.well-known/oauth-authorization-server/tenant",
        200,
        metadata(&tenant),
    );
    assert!(fresh().verify(&token).await.is_ok());
    stub.answer(
        "/tenant/.well-known/openid-configuration",
        200,
        metadata(&tenant),
    );
    stub.answer("/.well-known/oauth-authorization-server/tenant", 404, "");
    assert!(fresh().verify(&token).await.is_ok());
    for other in [stub.origin.clone(), format!("{tenant}/")] {
        stub.answer(
            "/tenant/.well-known/openid-configuration",
            200,
            metadata(&other),
        );
        let cause = unavailable(&fresh(), &token).await;
        assert!(
            matches!(*cause, FetchError::OtherIssuer { .. }),
            "{cause:?}"
        );
    }
    // A configured address needs no discovery.
    let mut config = stub.config();
    config.issuer = tenant.parse().unwrap();
    config.jwks_uri = Some(jwks_uri.parse().unwrap());
    let configured = Verifier::new(config, client(), time.clock());
    assert!(configured.verify(&token).await.is_ok());
}

#[tokio::test]
async fn a_bad_answer_is_not_taken_for_keys() {
    let (stub, _served) = Stub::start().await;
    let time = TestClock::new();
    let key = EcKey::generate();
    stub.publish(&[key.jwk("key")]);
    let verifier = Verifier::new(stub.config(), client(), time.clock());
    let token = signed(&stub, &time, &key, "key");
    let document = json!({ "keys": [key.jwk("key")] }).to_string();
    let padded = |size: usize| format!("{document}{}", " ".repeat(size - document.len()));

    stub.answer("/jwks", 200, padded(256 * 1024 + 1));
    let cause = unavailable(&verifier, &token).await;
    assert!(
        matches!(*cause, FetchError::TooLarge { limit: 262_144, .. }),
        "{cause:?}"
    );
    // Within a second it is not even asked again.
    assert!(matches!(
        *unavailable(&verifier, &token).await,
        FetchError::TooLarge { .. }
    ));
    assert_eq!(stub.hits.of("/jwks"), 1);
    time.advance(1);
    stub.answer("/jwks", 200, "<html>");
    let cause = unavailable(&verifier, &token).await;
    assert!(matches!(*cause, FetchError::Malformed { .. }), "{cause:?}");
    time.advance(1);
    stub.answer("/jwks", 500, "{}");
    let cause = unavailable(&verifier, &token).await;
    assert!(matches!(*cause, FetchError::Status { .. }), "{cause:?}");
    time.advance(1);
    stub.answer("/jwks", 200, padded(256 * 1024));
    assert!(verifier.verify(&token).await.is_ok());
    time.advance(601);
    stub.answer("/jwks", 500, "{}");
    assert!(
        verifier.verify(&token).await.is_ok(),
        "the last good keys serve on"
    );
}
