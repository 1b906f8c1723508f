//! OAuth 2.0 protected resource metadata, RFC 9728.

use contracts::Scopes;
use serde_json::{Value, json};
use url::Url;

use crate::Issuer;

/// The document that tells a client which issuer to ask for which scopes.
pub fn protected_resource_metadata(resource: &Url, issuer: &Issuer, scopes: &Scopes) -> Value {
    json!({
        "resource": resource,
        "authorization_servers": [issuer.as_str()],
        "scopes_supported": scopes.iter().map(contracts::Scope::as_str).collect::<Vec<_>>(),
        "bearer_methods_supported": ["header"],
    })
}

/// Where that document has to be served (section 3.1): `https://host/mcp` is described at
/// `https://host/.well-known/oauth-protected-resource/mcp`.
pub fn protected_resource_metadata_url(resource: &Url) -> Url {
    let mut url = resource.clone();
    let path = resource.path().trim_end_matches('/');
    url.set_path(&format!("/.well-known/oauth-protected-resource{path}"));
    url.set_fragment(None);
    url
}
