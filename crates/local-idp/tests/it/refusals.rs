//! Token requests that are refused, in the terms of RFC 6749 section 5.2.

use local_idp::MAX_TOKEN_REQUEST_BYTES;
use serde_json::Value;

use crate::harness::{MCP, Served};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn refused(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    let headers = response.headers();
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers.contains_key("www-authenticate"), status == 401);
    let body: Value = response.json().await.unwrap();
    assert!(!body["error_description"].as_str().unwrap().is_empty());
    assert!(!body.to_string().contains("s3cret"));
    (status, body["error"].as_str().unwrap().to_owned())
}

fn error(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn whoever_does_not_prove_who_it_is_gets_nothing() {
    let served = Served::start().await;
    for (id, secret) in [
        ("reader", "wrong"),
        ("reader", ""),
        ("reader", "s3cret "),
        ("nobody", "s3cret"),
        ("", ""),
        ("api-only", "s3cret"),
    ] {
        let response = served.ask_as(id, secret, &[GRANT]).await;
        assert_eq!(
            refused(response).await,
            error(401, "invalid_client"),
            "{id}:{secret}"
        );
    }
    let post = || served.http.post(format!("{}/token", served.origin));
    for form in [
        &[GRANT][..],
        &[GRANT, ("client_id", "reader")],
        &[GRANT, ("client_id", "reader"), ("client_secret", "wrong")],
    ] {
        let response = post().form(form).send().await.unwrap();
        assert_eq!(
            refused(response).await,
            error(401, "invalid_client"),
            "{form:?}"
        );
    }
    for header in ["Bearer abc", "Basic", "Basic %%%", "Basic cmVhZGVy"] {
        let response = post()
            .header("authorization", header)
            .form(&[GRANT])
            .send()
            .await
            .unwrap();
        assert_eq!(
            refused(response).await,
            error(401, "invalid_client"),
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_challenge_comes_with_a_failed_authentication() {
    let served = Served::start().await;
    let response = served.ask_as("reader", "wrong", &[GRANT]).await;
    assert_eq!(
        response.headers()["www-authenticate"],
        "Basic realm=\"promptsales\""
    );
}

#[tokio::test]
async fn requests_that_contradict_the_protocol_are_refused() {
    let served = Served::start().await;
    for (form, code) in [
        (&[][..], "invalid_request"),
        (&[("grant_type", "")], "invalid_request"),
        (&[GRANT, GRANT], "invalid_request"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (
            &[("grant_type", "authorization_code")],
            "unsupported_grant_type",
        ),
        (&[GRANT, ("scope", "content:delete")], "invalid_scope"),
        (
            &[GRANT, ("scope", "content:read content:delete")],
            "invalid_scope",
        ),
        (&[GRANT, ("scope", "content:write")], "invalid_scope"),
        (
            &[GRANT, ("scope", "content:read  sales:read")],
            "invalid_scope",
        ),
        (
            &[GRANT, ("resource", "https://elsewhere.example")],
            "invalid_target",
        ),
        (
            &[GRANT, ("audience", "https://elsewhere.example")],
            "invalid_target",
        ),
        (
            &[
                GRANT,
                ("resource", MCP),
                ("audience", "https://promptsales.local/api"),
            ],
            "invalid_target",
        ),
        (&[GRANT, ("client_secret", "s3cret")], "invalid_request"),
        (&[GRANT, ("client_id", "api-only")], "invalid_request"),
    ] {
        assert_eq!(
            refused(served.ask(form).await).await,
            error(400, code),
            "{form:?}"
        );
    }
    let secret = "s3cret%3Awith%2Fodd%2Bcharacters%26%3D%25";
    let response = served
        .ask_as("api-only", secret, &[GRANT, ("resource", MCP)])
        .await;
    assert_eq!(
        refused(response).await,
        error(400, "invalid_target"),
        "not this client's"
    );
}

#[tokio::test]
async fn the_body_has_to_be_a_form() {
    let served = Served::start().await;
    let body = "grant_type=client_credentials";
    for kind in ["application/json", "text/plain", "multipart/form-data"] {
        let response = served
            .http
            .post(format!("{}/token", served.origin))
            .basic_auth("reader", Some("s3cret"))
            .header("content-type", kind)
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(
            refused(response).await,
            error(400, "invalid_request"),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn the_body_may_have_16_kib_and_no_more() {
    let served = Served::start().await;
    let start = "grant_type=client_credentials&pad=";
    for (size, expected) in [
        (MAX_TOKEN_REQUEST_BYTES, 200),
        (MAX_TOKEN_REQUEST_BYTES + 1, 413),
    ] {
        let response = served
            .http
            .post(format!("{}/token", served.origin))
            .basic_auth("reader", Some("s3cret"))
            .header(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8",
            )
            .body(format!("{start}{}", "x".repeat(size - start.len())))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), expected);
        if expected == 413 {
            assert_eq!(refused(response).await, error(413, "invalid_request"));
        }
    }
}

#[tokio::test]
async fn nobody_is_authorised_interactively() {
    let served = Served::start().await;
    let url = format!("{}/authorize?response_type=code", served.origin);
    let response = served.http.get(url).send().await.unwrap();
    assert_eq!(
        refused(response).await,
        error(400, "unsupported_response_type")
    );
}
