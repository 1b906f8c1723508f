//! The server itself: its clients, its keys, and the tokens that it signs.

use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc, time::Duration};

use aws_lc_rs::rand;
use contracts::Scopes;
use jsonwebtoken::jwk::JwkSet;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use service_kit::Clock;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use crate::{LocalIdpConfig, LocalIdpError, config, keys::KeyRing, private_file};

/// A loopback authorization server. Cheap to clone; clones share keys and clients.
#[derive(Clone)]
pub struct LocalIdp(Arc<Inner>);

struct Inner {
    issuer: String,
    audiences: Vec<String>,
    token_lifetime: Duration,
    clients: BTreeMap<String, Client>,
    keys: KeyRing,
    clock: Clock,
}

/// A client as the token endpoint knows it: it needs no secret, only its hash.
pub(crate) struct Client {
    pub(crate) secret_hash: [u8; 32],
    pub(crate) scopes: Scopes,
    pub(crate) audiences: Vec<String>,
}

/// RFC 9068 section 2.2.
#[derive(Serialize)]
struct AccessTokenClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    client_id: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    scope: String,
}

impl LocalIdp {
    /// Checks the configuration and loads the signing keys of `key_dir`, or makes the first one.
    pub fn new(config: LocalIdpConfig, clock: Clock) -> Result<Self, LocalIdpError> {
        config.validate()?;
        private_file::prepare_dir(&config.key_dir)?;
        let keys = KeyRing::load_or_create(&config.key_dir)?;
        let LocalIdpConfig {
            issuer,
            clients,
            audiences,
            token_lifetime,
            ..
        } = config;
        let clients = clients
            .into_iter()
            .map(|client| {
                let known = Client {
                    secret_hash: Sha256::digest(client.secret.expose_secret()).into(),
                    scopes: client.scopes,
                    audiences: if client.audiences.is_empty() {
                        audiences.clone()
                    } else {
                        client.audiences
                    },
                };
                (client.id, known)
            })
            .collect();
        // `Url` writes an origin with a slash at its end; an issuer is compared letter by letter,
        // and the form without is the one that people type.
        let issuer = issuer.as_str().trim_end_matches('/').to_owned();
        Ok(Self(Arc::new(Inner {
            issuer,
            audiences,
            token_lifetime,
            clients,
            keys,
            clock,
        })))
    }

    /// Binds a loopback address and refuses any other.
    pub async fn bind(address: SocketAddr) -> Result<TcpListener, LocalIdpError> {
        if !address.ip().to_canonical().is_loopback() {
            return Err(LocalIdpError::NotLoopback(address));
        }
        Ok(service_kit::listen::bind(address).await?)
    }

    /// The exact `iss` of its tokens, such as `http://127.0.0.1:7400`.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Mints a token without asking for a secret: for tests and for the command line.
    ///
    /// `audience` must be one of the configured ones and `lifetime` at most
    /// [`crate::MAX_TOKEN_LIFETIME`]. `client_id` need not be registered.
    pub fn issue(
        &self,
        client_id: &str,
        scopes: &Scopes,
        audience: &str,
        lifetime: Duration,
    ) -> Result<SecretString, LocalIdpError> {
        config::validate_lifetime("lifetime of the token", lifetime)?;
        if !self.0.audiences.iter().any(|known| known == audience) {
            let known = self.0.audiences.join(", ");
            let problem = format!("{audience} asked for, expected one of {known}");
            return Err(LocalIdpError::config("audience of the token", problem));
        }
        let mut id = [0_u8; 16];
        rand::fill(&mut id).map_err(|_| LocalIdpError::Crypto("name a token"))?;
        let id = hex::encode(id);
        let now = self.0.clock.now();
        let claims = AccessTokenClaims {
            iss: &self.0.issuer,
            sub: client_id,
            client_id,
            aud: audience,
            iat: now.unix_timestamp(),
            exp: (now + lifetime).unix_timestamp(),
            jti: id.clone(),
            scope: scopes.to_string(),
        };
        let token = self.0.keys.sign(&claims)?;
        tracing::info!(client_id, audience, %scopes, token_id = %id, "token issued");
        Ok(token.into())
    }

    /// Makes a new signing key. The old one stays published until its last token has expired.
    /// Writes the key file, so it blocks for a moment.
    pub fn rotate(&self) -> Result<(), LocalIdpError> {
        self.0.keys.rotate(self.0.clock.now())
    }

    pub(crate) fn client(&self, id: &str) -> Option<&Client> {
        self.0.clients.get(id)
    }

    pub(crate) fn public_keys(&self) -> JwkSet {
        self.0.keys.public(self.0.clock.now())
    }

    pub(crate) fn token_lifetime(&self) -> Duration {
        self.0.token_lifetime
    }
}

impl fmt::Debug for LocalIdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalIdp")
            .field("issuer", &self.0.issuer)
            .finish_non_exhaustive()
    }
}
