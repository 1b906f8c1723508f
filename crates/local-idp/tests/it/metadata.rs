//! Discovery, RFC 8414.

use serde_json::json;

use crate::harness::Served;

#[tokio::test]
async fn both_discovery_documents_say_what_there_is() {
    let served = Served::start().await;
    let origin = &served.origin;
    assert_eq!(served.idp.issuer(), origin, "no slash at its end");
    let expected = json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
        "jwks_uri": format!("{origin}/jwks"),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported":
            ["content:read", "content:write", "content:approve", "campaigns:write", "sales:read", "index:write"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    });
    for name in ["openid-configuration", "oauth-authorization-server"] {
        assert_eq!(
            served.json(&format!("/.well-known/{name}")).await,
            expected,
            "{name}"
        );
    }
}
