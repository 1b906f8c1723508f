//! `POST /token`: client credentials in, an RFC 9068 access token out.

use aws_lc_rs::constant_time;
use axum::{
    Json,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest as _, Request, State},
    response::{IntoResponse as _, Response},
};
use contracts::{Scope, Scopes, token::TokenAnswer};
use http::StatusCode;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::{
    LocalIdp,
    idp::Client,
    oauth_error::{OAuthError, uncached},
    token_request::{Credentials, Form},
};

/// Largest token request body, in bytes.
pub const MAX_TOKEN_REQUEST_BYTES: usize = 16 * 1024;

/// Issues a token, or says in OAuth's terms why not.
pub(crate) async fn token(State(idp): State<LocalIdp>, request: Request) -> Response {
    match answer(&idp, request).await {
        Ok(answer) => uncached(Json(answer).into_response()),
        Err(error) => {
            tracing::info!(
                error = error.code,
                reason = error.description,
                "token refused"
            );
            error.into_response()
        }
    }
}

async fn answer(idp: &LocalIdp, mut request: Request) -> Result<TokenAnswer, OAuthError> {
    let headers = std::mem::take(request.headers_mut());
    DefaultBodyLimit::max(MAX_TOKEN_REQUEST_BYTES).apply(&mut request);
    let body = Bytes::from_request(request, &())
        .await
        .map_err(|rejection| OAuthError {
            status: rejection.status(),
            ..OAuthError::invalid_request("the body cannot be read; it may hold at most 16 KiB")
        })?;
    let form = Form::parse(&headers, &body)?;
    let credentials = Credentials::read(&headers, &form)?;
    let client = authenticate(idp, &credentials)?;
    match form.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => {
            return Err(OAuthError::new(
                "unsupported_grant_type",
                "only client_credentials is supported",
            ));
        }
        None => return Err(OAuthError::invalid_request("grant_type is missing")),
    }
    let scopes = granted_scopes(client, form.get("scope"))?;
    let audience = granted_audience(client, &form)?;
    let lifetime = idp.token_lifetime();
    let token = idp
        .issue(&credentials.id, &scopes, audience, lifetime)
        .map_err(|error| {
            tracing::error!(%error, "cannot issue a token");
            OAuthError {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                ..OAuthError::new("server_error", "the token could not be signed; see the log")
            }
        })?;
    Ok(TokenAnswer {
        access_token: token.expose_secret().to_owned(),
        token_type: "Bearer".to_owned(),
        expires_in: lifetime.as_secs(),
        scope: scopes.to_string(),
    })
}

fn authenticate<'a>(
    idp: &'a LocalIdp,
    credentials: &Credentials,
) -> Result<&'a Client, OAuthError> {
    let given = Sha256::digest(credentials.secret.expose_secret());
    let client = idp.client(&credentials.id);
    // An unknown client costs the same comparison as a known one, and fails it.
    let expected = client.map_or([0; 32], |client| client.secret_hash);
    let equal = constant_time::verify_slices_are_equal(&given, &expected).is_ok();
    client
        .filter(|_| equal)
        .ok_or_else(|| OAuthError::invalid_client("unknown client or wrong secret"))
}

fn granted_scopes(client: &Client, asked: Option<&str>) -> Result<Scopes, OAuthError> {
    let Some(asked) = asked else {
        return Ok(client.scopes.clone());
    };
    asked
        .split(' ')
        .map(|token| {
            let scope: Scope = token
                .parse()
                .map_err(|_| OAuthError::new("invalid_scope", "an asked scope does not exist"))?;
            if client.scopes.contains(scope) {
                Ok(scope)
            } else {
                Err(OAuthError::new(
                    "invalid_scope",
                    "an asked scope is not the client's to have",
                ))
            }
        })
        .collect()
}

fn granted_audience<'a>(client: &'a Client, form: &Form) -> Result<&'a str, OAuthError> {
    let asked = match (form.get("resource"), form.get("audience")) {
        (Some(resource), Some(audience)) if resource != audience => {
            return Err(OAuthError::new(
                "invalid_target",
                "resource and audience differ",
            ));
        }
        (resource, audience) => resource.or(audience),
    };
    let mut allowed = client.audiences.iter();
    let granted = match asked {
        None => allowed.next(),
        Some(asked) => allowed.find(|known| *known == asked),
    };
    granted.map(String::as_str).ok_or_else(|| {
        OAuthError::new(
            "invalid_target",
            "the client may not have tokens for that resource",
        )
    })
}
