//! What a caller sees: status, challenge and problem, over HTTP.

use auth::Verifier;
use contracts::{Problem, Scope};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use tower::ServiceExt as _;
use tracing::{Instrument as _, field};

use crate::{
    harness::{Issuer, OTHER, Served, Stub, TestClock, client, resource, scopes, serve_resource},
    log::Log,
};

async fn get(served: &Served, path: &str, values: &[&str]) -> reqwest::Response {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(
            AUTHORIZATION,
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    let url = format!("http://{}{path}", served.address);
    client().get(url).headers(headers).send().await.unwrap()
}

/// Status, challenge and problem slug.
async fn refusal(response: reqwest::Response) -> (u16, String, Problem) {
    let status = response.status().as_u16();
    let headers = response.headers();
    assert_eq!(headers["content-type"], "application/problem+json");
    let challenge = headers
        .get("www-authenticate")
        .map(|text| text.to_str().unwrap().to_owned());
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.status, status);
    (status, challenge.unwrap_or_default(), problem)
}

#[tokio::test]
async fn whoever_has_the_scope_may_act() {
    let issuer = Issuer::start().await;
    let served = serve_resource(issuer.verifier()).await;
    let token = issuer.token(&[Scope::ContentRead]);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let response = get(&served, "/content", &[&format!("{scheme} {token}")]).await;
        assert_eq!(response.status(), 200, "{scheme}");
        assert_eq!(response.text().await.unwrap(), "marketer");
    }
    let response = get(&served, "/guarded", &[&format!("Bearer {token}")]).await;
    assert_eq!(response.text().await.unwrap(), "marketer");
}

#[tokio::test]
async fn without_a_token_no_error_code() {
    let issuer = Issuer::start().await;
    let served = serve_resource(issuer.verifier()).await;
    let token = issuer.token(&[Scope::ContentRead]);
    // In the query a token ends up in logs, so it counts for nothing there.
    let in_query = format!("/content?access_token={token}");
    for (path, headers) in [
        ("/content", &[][..]),
        ("/any", &[]),
        ("/guarded", &[]),
        (in_query.as_str(), &[]),
        ("/content", &["Basic dXNlcjpwYXNz"]),
    ] {
        let (status, challenge, problem) = refusal(get(&served, path, headers).await).await;
        assert_eq!((status, problem.slug()), (401, "missing-token"), "{path}");
        assert_eq!(challenge, r#"Bearer realm="promptsales""#);
        assert_eq!(
            problem.detail,
            "This needs an access token: send it as 'Authorization: Bearer <token>'."
        );
    }
}

#[tokio::test]
async fn a_malformed_header_is_a_bad_request() {
    let issuer = Issuer::start().await;
    let served = serve_resource(issuer.verifier()).await;
    let good = format!("Bearer {}", issuer.token(&[Scope::ContentRead]));
    let (status, challenge, problem) =
        refusal(get(&served, "/content", &[&good, &good]).await).await;
    assert_eq!(
        (status, problem.slug()),
        (400, "invalid-authorization-header")
    );
    assert_eq!(
        challenge,
        "Bearer realm=\"promptsales\", error=\"invalid_request\", \
         error_description=\"more than one Authorization header; expected one\""
    );
    let doubled = format!("{good} again");
    for header in [
        "Bearer",
        "Bearer ",
        "Bearer a\"b",
        "Bearer ===",
        "Bearer señal",
        &doubled,
    ] {
        let (status, challenge, problem) = refusal(get(&served, "/any", &[header]).await).await;
        assert_eq!(
            (status, problem.slug()),
            (400, "invalid-authorization-header"),
            "{header}"
        );
        assert_eq!(
            challenge,
            "Bearer realm=\"promptsales\", error=\"invalid_request\", error_description=\"\
             malformed Authorization header; expected Bearer, one space and the token\""
        );
    }
}

#[tokio::test]
async fn an_invalid_token_is_challenged_without_being_repeated() {
    let issuer = Issuer::start().await;
    let served = serve_resource(issuer.verifier()).await;
    let (status, challenge, problem) =
        refusal(get(&served, "/content", &["Bearer garbage-in"]).await).await;
    assert_eq!((status, problem.slug()), (401, "invalid-token"));
    assert_eq!(
        challenge,
        "Bearer realm=\"promptsales\", error=\"invalid_token\", \
         error_description=\"the token is not a signed JWT of a known algorithm\""
    );
    assert!(!problem.detail.contains("garbage-in"));

    let token = issuer.token(&[Scope::ContentRead]);
    issuer.time.advance(4_000);
    let expired = get(&served, "/guarded", &[&format!("Bearer {token}")]).await;
    let (status, challenge, problem) = refusal(expired).await;
    assert_eq!((status, problem.slug()), (401, "invalid-token"));
    assert_eq!(
        challenge,
        "Bearer realm=\"promptsales\", error=\"invalid_token\", \
         error_description=\"the token expired; get a new one\""
    );
    assert_eq!(problem.detail, "The token expired; get a new one.");
}

#[tokio::test]
async fn an_under_scoped_token_learns_what_it_lacks() {
    let issuer = Issuer::start().await;
    let served = serve_resource(issuer.verifier()).await;
    let bearer = format!(
        "Bearer {}",
        issuer.token(&[Scope::SalesRead, Scope::ContentWrite])
    );
    let (status, challenge, problem) = refusal(get(&served, "/content", &[&bearer]).await).await;
    assert_eq!((status, problem.slug()), (403, "insufficient-scope"));
    assert_eq!(
        challenge,
        r#"Bearer realm="promptsales", error="insufficient_scope", scope="content:read""#
    );
    assert_eq!(get(&served, "/any", &[&bearer]).await.status(), 200);

    let verifier = issuer.verifier();
    let caller = verifier
        .verify(&issuer.token(&[Scope::SalesRead]))
        .await
        .unwrap();
    let error = caller
        .require(&[Scope::SalesRead, Scope::ContentRead])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the token does not allow this: expected one with the scope content:read sales:read"
    );
    assert!(caller.require(&[Scope::SalesRead]).is_ok());
}

#[tokio::test]
async fn every_challenge_leads_to_the_metadata_when_there_is_some() {
    let issuer = Issuer::start().await;
    let mut config = issuer.config();
    let metadata = "https://mcp.example/.well-known/oauth-protected-resource/mcp";
    config.resource_metadata = Some(metadata.parse().unwrap());
    let verifier = Verifier::new(config, client(), issuer.time.clock());
    let served = serve_resource(verifier).await;
    let under_scoped = format!("Bearer {}", issuer.token(&[]));
    for (headers, start) in [
        (&[][..], r#"Bearer realm="promptsales""#),
        (
            &[under_scoped.as_str()],
            r#"Bearer realm="promptsales", error="insufficient_scope", scope="content:read""#,
        ),
    ] {
        let (_, challenge, _) = refusal(get(&served, "/content", headers).await).await;
        assert_eq!(
            challenge,
            format!("{start}, resource_metadata=\"{metadata}\"")
        );
    }
}

#[tokio::test]
async fn who_has_no_valid_token_is_told_the_scopes_of_the_resource_where_there_are_some() {
    let issuer = Issuer::start().await;
    let mut config = issuer.config();
    config.scopes = scopes(&[Scope::SalesRead, Scope::ContentRead]);
    let verifier = Verifier::new(config, client(), issuer.time.clock());
    let served = serve_resource(verifier).await;
    let under_scoped = format!("Bearer {}", issuer.token(&[]));
    let elsewhere = format!("Bearer {}", issuer.token_for(OTHER, &[]));
    for (headers, expected) in [
        (
            &[][..],
            r#"Bearer realm="promptsales", scope="content:read sales:read""#,
        ),
        (
            &[elsewhere.as_str()],
            r#"Bearer realm="promptsales", error="invalid_token", error_description="the token is for another audience", scope="content:read sales:read""#,
        ),
        // What this request needs, and nothing else.
        (
            &[under_scoped.as_str()],
            r#"Bearer realm="promptsales", error="insufficient_scope", scope="content:read""#,
        ),
        (
            &["Bearer a b"],
            r#"Bearer realm="promptsales", error="invalid_request", error_description="malformed Authorization header; expected Bearer, one space and the token""#,
        ),
    ] {
        let (_, challenge, _) = refusal(get(&served, "/content", headers).await).await;
        assert_eq!(challenge, expected);
    }
}

#[tokio::test]
async fn an_issuer_that_never_answered_is_our_fault() {
    let (stub, mut served_stub) = Stub::start().await;
    let issuer = Issuer::start().await;
    served_stub.stop().await;
    let verifier = Verifier::new(stub.config(), client(), TestClock::new().clock());
    assert!(verifier.ready().await.is_err());
    let served = serve_resource(verifier).await;
    let bearer = format!("Bearer {}", issuer.token(&[Scope::ContentRead]));
    let response = get(&served, "/content", &[&bearer]).await;
    assert_eq!(response.headers()["retry-after"], "2");
    let (status, challenge, problem) = refusal(response).await;
    assert_eq!(
        (status, challenge.as_str(), problem.slug()),
        (503, "", "unavailable")
    );
    assert!(
        !problem.detail.contains("127.0.0.1"),
        "where the issuer is stays in the log"
    );
}

#[tokio::test]
async fn the_subject_is_recorded_and_the_token_is_not() {
    let issuer = Issuer::start().await;
    let log = Log::begin();
    let token = issuer.token(&[Scope::ContentRead]);
    let request = http::Request::get("/content")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(axum::body::Body::empty())
        .unwrap();
    let span = tracing::info_span!("request", subject = field::Empty);
    let response = resource(issuer.verifier())
        .oneshot(request)
        .instrument(span)
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let log = log.text();
    assert!(log.contains(r#""subject":"marketer""#), "{log}");
    let signature = token.rsplit_once('.').unwrap().1;
    assert!(!log.contains(signature), "a token was logged");
}
