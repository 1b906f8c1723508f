//! The discovery document (RFC 8414 section 2, OpenID Connect Discovery 1.0 section 3).

use contracts::Scope;
use serde_json::{Value, json};

/// Served under both well-known names, since clients look for either.
pub(crate) fn document(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        // Nothing can be authorised here, but common clients do not read a document without it.
        "authorization_endpoint": format!("{issuer}/authorize"),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": Scope::ALL.map(Scope::as_str),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    })
}
