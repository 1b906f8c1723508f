//! Documents and configuration.

use auth::{Issuer, protected_resource_metadata, protected_resource_metadata_url};
use contracts::Scope;
use serde_json::json;

use crate::harness::scopes;

#[test]
fn a_resource_describes_itself() {
    let resource = "https://mcp.example/mcp".parse().unwrap();
    let issuer: Issuer = "https://login.example".parse().unwrap();
    let allowed = scopes(&[Scope::SalesRead, Scope::ContentRead]);
    assert_eq!(
        protected_resource_metadata(&resource, &issuer, &allowed),
        json!({
            "resource": "https://mcp.example/mcp",
            "authorization_servers": ["https://login.example"],
            "scopes_supported": ["content:read", "sales:read"],
            "bearer_methods_supported": ["header"],
        })
    );
    for (resource, described_at) in [
        (
            "https://mcp.example/mcp",
            "https://mcp.example/.well-known/oauth-protected-resource/mcp",
        ),
        (
            "http://127.0.0.1:7/",
            "http://127.0.0.1:7/.well-known/oauth-protected-resource",
        ),
    ] {
        let url = protected_resource_metadata_url(&resource.parse().unwrap());
        assert_eq!(url.as_str(), described_at);
    }
}

#[test]
fn an_issuer_is_kept_letter_by_letter() {
    for text in [
        "https://login.example",
        "https://login.example/",
        "http://127.0.0.1:7/a/b",
    ] {
        assert_eq!(text.parse::<Issuer>().unwrap().as_str(), text);
        assert_eq!(
            serde_json::from_value::<Issuer>(json!(text))
                .unwrap()
                .to_string(),
            text
        );
    }
    for text in [
        "",
        "login.example",
        "ftp://login.example",
        "https://user:password@login.example",
        "https://login.example?tenant=1",
        "https://login.example#a",
        " https://login.example",
    ] {
        let error = text.parse::<Issuer>().unwrap_err().to_string();
        assert!(!error.contains("password"), "{error}");
    }
}
