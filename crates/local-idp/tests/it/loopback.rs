//! It serves this machine and nobody else.

use local_idp::{LocalIdp, LocalIdpError};
use serde_json::Value;

use crate::harness::Served;

#[tokio::test]
async fn only_loopback_addresses_are_bound() {
    for address in [
        "0.0.0.0:0",
        "[::]:0",
        "10.0.0.1:0",
        "[::ffff:10.0.0.1]:0",
        "192.168.1.1:80",
    ] {
        let error = LocalIdp::bind(address.parse().unwrap()).await.unwrap_err();
        assert!(
            matches!(error, LocalIdpError::NotLoopback(_)),
            "{address}: {error}"
        );
        assert!(
            error
                .to_string()
                .contains("configure a real OAuth 2.0 issuer"),
            "{error}"
        );
    }
    let listener = LocalIdp::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let taken = listener.local_addr().unwrap();
    assert!(taken.ip().is_loopback());
    let error = LocalIdp::bind(taken).await.unwrap_err();
    assert!(
        matches!(&error, LocalIdpError::Bind(cause) if cause.in_use()),
        "{error}"
    );
}

#[tokio::test]
async fn a_rebound_name_is_refused_everywhere() {
    let served = Served::start().await;
    for path in [
        "/.well-known/openid-configuration",
        "/jwks",
        "/token",
        "/authorize",
        "/no-such-path",
    ] {
        let url = format!("{}{path}", served.origin);
        let response = served
            .http
            .get(url)
            .header("host", "rebound.example")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 403, "{path}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(
            problem["type"], "urn:promptsales:problem:foreign-host",
            "{path}"
        );
    }
    let port = served.origin.rsplit_once(':').unwrap().1;
    for host in [
        "localhost".to_owned(),
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
    ] {
        let url = format!("{}/jwks", served.origin);
        let response = served
            .http
            .get(url)
            .header("host", &host)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{host}");
    }
}
