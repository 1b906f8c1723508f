//! Which tokens hold, and for what reason the others do not.

use std::time::Duration;

use auth::{AuthError, SigningAlgorithm, TokenFault, TokenTypes, Verifier};
use contracts::Scope;
use serde_json::{Value, json};
use test_support::forge::{EcKey, RsaKey, hs256, jws};

use crate::harness::{API, Issuer, OTHER, Stub, TestClock, client};

async fn fault(verifier: &Verifier, token: &str) -> TokenFault {
    match verifier.verify(token).await {
        Err(AuthError::InvalidToken(fault)) => fault,
        other => panic!("expected an invalid token, got {other:?}"),
    }
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    match new {
        Value::Null => value.as_object_mut().unwrap().remove(name),
        new => value.as_object_mut().unwrap().insert(name.to_owned(), new),
    };
    value
}

#[tokio::test]
async fn a_good_token_says_who_calls() {
    let issuer = Issuer::start().await;
    let caller = issuer
        .verifier()
        .verify(&issuer.token(&[Scope::ContentRead]))
        .await
        .unwrap();
    assert_eq!(caller.subject(), "marketer");
    assert_eq!(caller.client_id(), "marketer");
    assert!(caller.scopes().contains(Scope::ContentRead));
    assert!(!caller.scopes().contains(Scope::ContentWrite));
    assert_eq!(caller.token_id().unwrap().len(), 32);
    assert_eq!(
        caller.expires_at().unix_timestamp(),
        issuer.time.now() + 3_600
    );
}

#[tokio::test]
async fn garbage_is_malformed() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let good = issuer.token(&[]);
    let (head, rest) = good.split_once('.').unwrap();
    let without_signature = good.rsplit_once('.').unwrap().0;
    for token in [
        "",
        "garbage",
        "a.b",
        "a.b.c",
        "....",
        head,
        rest,
        without_signature,
    ] {
        assert_eq!(
            fault(&verifier, token).await,
            TokenFault::Malformed,
            "{token}"
        );
    }
    assert_eq!(
        issuer.hits.of("/jwks"),
        0,
        "refused before any key was looked up"
    );
}

#[tokio::test]
async fn times_are_held_with_thirty_seconds_of_leeway() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let token = issuer.token(&[]);
    issuer.time.advance(3_600 + 29);
    assert!(verifier.verify(&token).await.is_ok());
    issuer.time.advance(1);
    assert_eq!(fault(&verifier, &token).await, TokenFault::Expired);

    let now = issuer.time.now();
    let early = issuer
        .signed(&with(issuer.claims(), "nbf", json!(now + 31)))
        .await;
    assert_eq!(fault(&verifier, &early).await, TokenFault::NotYetValid);
    let future = issuer
        .signed(&with(issuer.claims(), "iat", json!(now + 31)))
        .await;
    assert_eq!(fault(&verifier, &future).await, TokenFault::IssuedInFuture);
    issuer.time.advance(1);
    assert!(verifier.verify(&early).await.is_ok());
    assert!(verifier.verify(&future).await.is_ok());
}

#[tokio::test]
async fn every_claim_is_held() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let now = issuer.time.now();
    let cases = [
        (
            "iss",
            json!("https://other.example"),
            TokenFault::WrongIssuer,
        ),
        (
            "iss",
            json!(format!("{}/", issuer.idp.issuer())),
            TokenFault::WrongIssuer,
        ),
        ("iss", Value::Null, TokenFault::MissingClaim("iss")),
        ("aud", json!(OTHER), TokenFault::WrongAudience),
        (
            "aud",
            json!([OTHER, format!("{API}/")]),
            TokenFault::WrongAudience,
        ),
        ("aud", json!([]), TokenFault::WrongAudience),
        ("aud", Value::Null, TokenFault::MissingClaim("aud")),
        ("exp", Value::Null, TokenFault::MissingClaim("exp")),
        ("exp", json!("tomorrow"), TokenFault::InvalidClaim("set")),
        ("exp", json!(-1), TokenFault::InvalidClaim("set")),
        ("exp", json!(1e300), TokenFault::InvalidClaim("set")),
        ("exp", json!(now - 31), TokenFault::Expired),
        ("exp", json!(now), TokenFault::InvalidClaim("exp")),
        ("iat", Value::Null, TokenFault::MissingClaim("iat")),
        ("sub", Value::Null, TokenFault::MissingClaim("sub")),
        ("sub", json!(""), TokenFault::InvalidClaim("sub")),
        ("sub", json!("a\nb"), TokenFault::InvalidClaim("sub")),
        (
            "sub",
            json!("a".repeat(257)),
            TokenFault::InvalidClaim("sub"),
        ),
        (
            "client_id",
            Value::Null,
            TokenFault::MissingClaim("client_id"),
        ),
        ("client_id", json!(7), TokenFault::InvalidClaim("set")),
        ("jti", json!(""), TokenFault::InvalidClaim("jti")),
        (
            "scope",
            json!(["content:read"]),
            TokenFault::InvalidClaim("set"),
        ),
    ];
    for (claim, value, expected) in cases {
        let token = issuer
            .signed(&with(issuer.claims(), claim, value.clone()))
            .await;
        assert_eq!(
            fault(&verifier, &token).await,
            expected,
            "{claim} = {value}"
        );
    }
    for (claim, value) in [
        ("aud", json!([OTHER, API])),
        ("exp", json!(now as f64 + 60.5)),
        ("exp", json!(253_402_300_799_i64)),
        ("sub", json!("a".repeat(256))),
        ("jti", Value::Null),
        ("nbf", json!(now)),
    ] {
        let token = issuer
            .signed(&with(issuer.claims(), claim, value.clone()))
            .await;
        assert!(verifier.verify(&token).await.is_ok(), "{claim} = {value}");
    }
    let no_scope = issuer
        .signed(&with(issuer.claims(), "scope", Value::Null))
        .await;
    assert_eq!(
        verifier
            .verify(&no_scope)
            .await
            .unwrap()
            .scopes()
            .iter()
            .count(),
        0
    );
}

#[tokio::test]
async fn a_token_of_another_issuer_or_for_another_resource_is_refused() {
    let (ours, theirs) = (Issuer::start().await, Issuer::start().await);
    let verifier = ours.verifier();
    let foreign = theirs.token(&[Scope::ContentRead]);
    assert_eq!(fault(&verifier, &foreign).await, TokenFault::UnknownKey);
    let elsewhere = ours.token_for(OTHER, &[Scope::ContentRead]);
    assert_eq!(
        fault(&verifier, &elsewhere).await,
        TokenFault::WrongAudience
    );
}

#[tokio::test]
async fn every_header_is_held() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let header = issuer.header().await;
    let cases = [
        ("typ", json!("JWT"), TokenFault::WrongType),
        ("typ", json!("id+jwt"), TokenFault::WrongType),
        ("typ", Value::Null, TokenFault::WrongType),
        ("alg", json!("none"), TokenFault::Malformed),
        ("alg", json!("NONE"), TokenFault::Malformed),
        ("alg", json!("ES384"), TokenFault::AlgorithmNotAllowed),
        ("alg", json!("PS256"), TokenFault::AlgorithmNotAllowed),
        ("alg", json!("HS256"), TokenFault::AlgorithmNotAllowed),
        ("alg", json!("RS256"), TokenFault::UnknownKey),
        ("kid", Value::Null, TokenFault::MissingKeyId),
        ("kid", json!("unknown"), TokenFault::UnknownKey),
        ("crit", json!(["exp"]), TokenFault::CriticalExtension),
    ];
    for (name, value, expected) in cases {
        let header = with(header.clone(), name, value.clone());
        let token = jws(&header, &issuer.claims(), |message| {
            issuer.key().sign(message)
        });
        assert_eq!(fault(&verifier, &token).await, expected, "{name} = {value}");
    }
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        let header = with(header.clone(), "typ", json!(typ));
        let token = jws(&header, &issuer.claims(), |message| {
            issuer.key().sign(message)
        });
        assert!(verifier.verify(&token).await.is_ok(), "{typ}");
    }
}

#[tokio::test]
async fn an_algorithm_that_is_not_allowed_is_refused_before_any_key_is_looked_up() {
    let issuer = Issuer::start().await;
    let (header, claims) = (issuer.header().await, issuer.claims());
    let before = issuer.hits.of("/jwks");
    for algorithm in ["none", "HS256", "HS512", "PS256", "EdDSA"] {
        let header = with(header.clone(), "alg", json!(algorithm));
        for signature in [Vec::new(), vec![1; 64]] {
            let token = jws(&header, &claims, |_| signature);
            let fault = fault(&issuer.verifier(), &token).await;
            let refused = [TokenFault::Malformed, TokenFault::AlgorithmNotAllowed];
            assert!(refused.contains(&fault), "{algorithm}: {fault:?}");
        }
    }
    assert_eq!(issuer.hits.of("/jwks"), before);
}

#[tokio::test]
async fn forged_signatures_are_refused() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let (header, claims) = (issuer.header().await, issuer.claims());

    let wrong_key = jws(&header, &claims, |message| EcKey::generate().sign(message));
    assert_eq!(fault(&verifier, &wrong_key).await, TokenFault::BadSignature);
    let empty = jws(&header, &claims, |_| Vec::new());
    assert_eq!(fault(&verifier, &empty).await, TokenFault::BadSignature);
    // r = s = 0 would hold for any message if a verifier did not look.
    let zeros = jws(&header, &claims, |_| vec![0; 64]);
    assert_eq!(fault(&verifier, &zeros).await, TokenFault::BadSignature);

    let good = issuer.token(&[Scope::ContentRead]);
    let other = issuer.token(&Scope::ALL);
    let signature = good.rsplit_once('.').unwrap().1;
    let swapped = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    assert_eq!(fault(&verifier, &swapped).await, TokenFault::BadSignature);

    // A key that comes with the token proves nothing.
    let own = EcKey::generate();
    let embedded = with(header, "jwk", own.jwk("own"));
    let token = jws(&embedded, &claims, |message| own.sign(message));
    assert_eq!(fault(&verifier, &token).await, TokenFault::BadSignature);
}

#[tokio::test]
async fn a_public_key_is_no_hmac_secret() {
    let (stub, _served) = Stub::start().await;
    let time = TestClock::new();
    let key = RsaKey::generate();
    stub.publish(&[key.jwk("rsa")]);
    let verifier = Verifier::new(stub.config(), client(), time.clock());
    let claims = stub.claims(&time);
    let rs256 = json!({ "typ": "at+jwt", "alg": "RS256", "kid": "rsa" });
    let good = jws(&rs256, &claims, |message| key.sign(message));
    assert_eq!(verifier.verify(&good).await.unwrap().subject(), "user-1");

    let confused = json!({ "typ": "at+jwt", "alg": "HS256", "kid": "rsa" });
    let secrets = [
        key.public_der(),
        key.jwk("rsa")["n"].as_str().unwrap().into(),
    ];
    for secret in secrets {
        let token = jws(&confused, &claims, |message| hs256(&secret, message));
        assert_eq!(
            fault(&verifier, &token).await,
            TokenFault::AlgorithmNotAllowed
        );
        let token = jws(&rs256, &claims, |message| hs256(&secret, message));
        assert_eq!(fault(&verifier, &token).await, TokenFault::BadSignature);
    }
}

#[tokio::test]
async fn the_configuration_narrows_and_widens() {
    let issuer = Issuer::start().await;
    let mut config = issuer.config();
    config.algorithms = vec![SigningAlgorithm::Rs256];
    let rsa_only = Verifier::new(config, client(), issuer.time.clock());
    assert_eq!(
        fault(&rsa_only, &issuer.token(&[])).await,
        TokenFault::AlgorithmNotAllowed
    );

    let mut config = issuer.config();
    config.token_types = TokenTypes::AlsoPlainJwt;
    config.leeway = Duration::ZERO;
    let lenient = Verifier::new(config, client(), issuer.time.clock());
    for typ in [json!("JWT"), Value::Null] {
        let header = with(issuer.header().await, "typ", typ);
        let token = jws(&header, &issuer.claims(), |message| {
            issuer.key().sign(message)
        });
        assert!(lenient.verify(&token).await.is_ok());
    }
    let token = issuer.token(&[]);
    issuer.time.advance(3_600);
    assert_eq!(fault(&lenient, &token).await, TokenFault::Expired);
}

#[tokio::test]
async fn a_token_may_have_8192_bytes_and_no_more() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let bare = issuer
        .signed(&with(issuer.claims(), "pad", json!("")))
        .await
        .len();
    // Three bytes of padding make four of base64.
    let fits = (auth::MAX_TOKEN_BYTES - bare) / 4 * 3;
    let sized = |length: usize| with(issuer.claims(), "pad", json!("x".repeat(length)));
    let largest = issuer.signed(&sized(fits)).await;
    assert!(largest.len() <= auth::MAX_TOKEN_BYTES && largest.len() > auth::MAX_TOKEN_BYTES - 8);
    assert!(verifier.verify(&largest).await.is_ok());
    let filler = |length: usize| "a".repeat(length);
    let fits = fault(&verifier, &filler(auth::MAX_TOKEN_BYTES)).await;
    assert_eq!(fits, TokenFault::Malformed);
    let too_long = fault(&verifier, &filler(auth::MAX_TOKEN_BYTES + 1)).await;
    assert_eq!(too_long, TokenFault::TooLong);
}
