//! What it serves.

use axum::{
    Json, Router,
    extract::State,
    middleware,
    response::Response,
    routing::{get, post},
};
use jsonwebtoken::jwk::JwkSet;
use serde_json::Value;

use crate::{LocalIdp, host_guard, metadata, oauth_error::OAuthError, token_endpoint};

impl LocalIdp {
    /// Discovery, key set and token endpoint.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/.well-known/oauth-authorization-server", get(discovery))
            .route("/jwks", get(jwks))
            .route("/token", post(token_endpoint::token))
            .route("/authorize", get(authorize))
            .layer(middleware::from_fn(host_guard::refuse_foreign_hosts))
            .with_state(self.clone())
    }
}

async fn discovery(State(idp): State<LocalIdp>) -> Json<Value> {
    Json(metadata::document(idp.issuer()))
}

async fn jwks(State(idp): State<LocalIdp>) -> Json<JwkSet> {
    Json(idp.public_keys())
}

async fn authorize() -> Response {
    OAuthError::new(
        "unsupported_response_type",
        "this server has no users to ask; use grant_type=client_credentials at the token endpoint",
    )
    .into_response()
}
