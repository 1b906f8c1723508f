//! A served authorization server with a clock to drive.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use contracts::{Scope, Scopes};
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, jwk::JwkSet};
use local_idp::{LocalIdp, LocalIdpConfig, RegisteredClient};
use serde_json::Value;
use service_kit::{CancellationToken, Clock};
use tempfile::TempDir;
use time::OffsetDateTime;

pub const API: &str = "https://promptsales.local/api";
pub const MCP: &str = "http://127.0.0.1:7410/mcp";

#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_800_000_000)))
    }

    pub fn clock(&self) -> Clock {
        let seconds = Arc::clone(&self.0);
        Clock::from_fn(move || {
            OffsetDateTime::from_unix_timestamp(seconds.load(Ordering::SeqCst)).unwrap()
        })
    }

    pub fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

pub fn scopes(list: &[Scope]) -> Scopes {
    list.iter().copied().collect()
}

/// Two clients: `reader` may read everything, `api-only` may write content of the API.
pub fn clients() -> Vec<RegisteredClient> {
    let mut api_only = client(
        "api-only",
        "s3cret:with/odd+characters&=%",
        &[Scope::ContentWrite],
    );
    api_only.audiences = vec![API.to_owned()];
    vec![
        client("reader", "s3cret", &[Scope::ContentRead, Scope::SalesRead]),
        api_only,
    ]
}

pub fn client(id: &str, secret: &str, allowed: &[Scope]) -> RegisteredClient {
    RegisteredClient {
        id: id.to_owned(),
        secret: secret.into(),
        scopes: scopes(allowed),
        audiences: Vec::new(),
    }
}

pub fn config(key_dir: &Path) -> LocalIdpConfig {
    LocalIdpConfig {
        issuer: "http://127.0.0.1:7400".parse().unwrap(),
        clients: clients(),
        audiences: vec![API.to_owned(), MCP.to_owned()],
        token_lifetime: Duration::from_secs(600),
        key_dir: key_dir.to_owned(),
    }
}

pub struct Served {
    pub idp: LocalIdp,
    pub origin: String,
    pub time: TestClock,
    pub http: reqwest::Client,
    dir: TempDir,
    stop: CancellationToken,
}

impl Served {
    pub async fn start() -> Self {
        let listener = LocalIdp::bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let dir = tempfile::tempdir().unwrap();
        let time = TestClock::new();
        let mut config = config(&dir.path().join("keys"));
        config.issuer = origin.parse().unwrap();
        let idp = LocalIdp::new(config, time.clock()).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(service_kit::listen::serve(
            listener,
            idp.router(),
            stop.clone(),
        ));
        let http = service_kit::http_client::build(Duration::from_secs(10)).unwrap();
        Self {
            idp,
            origin,
            time,
            http,
            dir,
            stop,
        }
    }

    pub fn key_dir(&self) -> PathBuf {
        self.dir.path().join("keys")
    }

    pub async fn json(&self, path: &str) -> Value {
        let response = self
            .http
            .get(format!("{}{path}", self.origin))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    /// Asks for a token as `reader`, with HTTP Basic.
    pub async fn ask(&self, form: &[(&str, &str)]) -> reqwest::Response {
        self.ask_as("reader", "s3cret", form).await
    }

    pub async fn ask_as(&self, id: &str, secret: &str, form: &[(&str, &str)]) -> reqwest::Response {
        let request = self.http.post(format!("{}/token", self.origin));
        request
            .basic_auth(id, Some(secret))
            .form(form)
            .send()
            .await
            .unwrap()
    }

    /// Checks a token's signature with the published keys.
    pub async fn decode(&self, token: &str) -> TokenData<Value> {
        let keys: JwkSet = serde_json::from_value(self.json("/jwks").await).unwrap();
        decode(token, &keys).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub fn decode(token: &str, keys: &JwkSet) -> Option<TokenData<Value>> {
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(keys.find(&kid)?).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    Some(jsonwebtoken::decode(token, &key, &validation).unwrap())
}
