//! The gateway's side: saying who asks.

use aws_lc_rs::rand;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, Method};
use jsonwebtoken::{Algorithm, Header, jwk::JwkSet};
use service_kit::Clock;

use super::{AssertionClaims, AssertionKey, LIFETIME, TYPE, token_hash};
use crate::Caller;

/// Signs for one client: the gateway.
#[derive(Debug, Clone)]
pub struct AssertionSigner {
    client_id: String,
    key: AssertionKey,
    clock: Clock,
}

/// The request that an assertion is to travel with.
#[derive(Clone, Copy)]
pub struct AssertedRequest<'a> {
    /// What the resource is called in its tokens' `aud`.
    pub audience: &'a str,
    /// The request's method.
    pub method: &'a Method,
    /// Its path as the service sees it, percent-encoded and without a query.
    pub path: &'a str,
    /// The bearer token beside it.
    pub token: &'a str,
}

impl AssertionSigner {
    /// `client_id` is whose tokens the assertions travel with.
    pub fn new(client_id: impl Into<String>, key: AssertionKey, clock: Clock) -> Self {
        Self {
            client_id: client_id.into(),
            key,
            clock,
        }
    }

    /// The value of [`super::CALLER_HEADER`] for one request: each needs one of its own.
    pub fn sign(&self, caller: &Caller, request: AssertedRequest<'_>) -> HeaderValue {
        let now = self.clock.now();
        let claims = AssertionClaims {
            iss: self.client_id.clone(),
            sub: caller.subject().to_owned(),
            client_id: caller.client_id().to_owned(),
            scope: caller.scopes().to_string(),
            aud: request.audience.to_owned(),
            iat: now.unix_timestamp(),
            exp: (now + LIFETIME).unix_timestamp(),
            jti: random_id(),
            ath: token_hash(request.token),
            method: request.method.as_str().to_owned(),
            path: request.path.to_owned(),
        };
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.key.kid.clone());
        let jws = jsonwebtoken::encode(&header, &claims, &self.key.private)
            .expect("a key that was checked signs");
        let mut value = HeaderValue::try_from(jws).expect("base64url and points are visible ASCII");
        value.set_sensitive(true);
        value
    }

    /// What those who check need.
    pub fn public_keys(&self) -> JwkSet {
        self.key.public_keys()
    }
}

fn random_id() -> String {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).expect("the system's randomness is there");
    URL_SAFE_NO_PAD.encode(bytes)
}
