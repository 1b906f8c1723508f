//! What every test starts.

mod campaigns;
mod content_api;
mod embedder;
pub mod foreign;
mod rpc;
mod tokens;
mod trust;
mod warehouse;

use std::{sync::Arc, time::Duration};

use auth::{ClientCredentials, TokenSource, Verifier};
use axum::Router;
use contracts::{Scope, Scopes};
use local_idp::{LocalIdp, LocalIdpConfig, RegisteredClient};
use mcp_gateway::{
    Config, Gateway, Tokens,
    http::{HttpConfig, Limits, metrics, router},
};
use redis_link::SharedCounters;
use secrecy::{ExposeSecret as _, SecretString};
use service_kit::{CancellationToken, Clock, listen};
use tempfile::TempDir;
use tokio_util::sync::DropGuard;
use url::Url;

pub use content_api::{Behaviour, ContentApi, JPEG, answer, hit};
pub use embedder::Embedder;
pub use rpc::{Reply, text_of, with_meta};
pub use tokens::{Forger, with};
pub use trust::Trust;
pub use warehouse::{Said, Warehouse, answered, asked_back, declined, unavailable};

/// Arguments of register_campaign.
pub fn campaign() -> serde_json::Value {
    serde_json::json!({
        "name": "Verano 2027", "objective": "Más visitas", "audience": ["families"], "markets": ["CR"],
        "channels": ["email"], "budget": {"amount": "12500.00", "currency": "USD"},
        "starts_on": "2027-01-01", "ends_on": "2027-03-31", "content_ids": ["two-beaches"],
        "idempotency_key": "k-1",
    })
}

/// content-api's audience.
pub const API: &str = "https://promptsales.local/api";
/// A page that may call the gateway.
pub const FRIEND: &str = "http://localhost:6274";

/// A gateway on a port of its own with everything it needs. All stops when it is dropped.
pub struct World {
    /// `http://127.0.0.1:PORT`.
    pub public_url: Url,
    pub content: ContentApi,
    pub warehouse: Warehouse,
    pub embedder: Embedder,
    pub idp: LocalIdp,
    pub gateway: Gateway,
    pub gateway_client: RegisteredClient,
    pub trust: Trust,
    pub http: reqwest::Client,
    metrics: Router,
    _stop: DropGuard,
    keys: TempDir,
}

impl World {
    pub async fn start() -> Self {
        Self::build(|_| {}, None, |_| {}).await
    }

    pub async fn start_limited(limits: Limits) -> Self {
        Self::build(|_| {}, None, |config| config.limits = limits).await
    }

    /// With counters that other gateways may share.
    pub async fn start_counting(limits: Limits, counters: SharedCounters) -> Self {
        let change = |config: &mut HttpConfig| {
            config.limits = limits;
            config.counters = Some(counters);
        };
        Self::build(|_| {}, None, change).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::build(change, None, |_| {}).await
    }

    /// The gateway asks for its tokens with this secret instead of its own.
    pub async fn start_with_secret(secret: &str) -> Self {
        Self::build(|_| {}, Some(secret.into()), |_| {}).await
    }

    async fn build(
        change: impl FnOnce(&mut Config),
        secret: Option<SecretString>,
        change_http: impl FnOnce(&mut HttpConfig),
    ) -> Self {
        let stop = CancellationToken::new();
        let http = service_kit::http_client::build(Duration::from_secs(20)).unwrap();
        let clock = Clock::system();
        let listener = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let public_url: Url = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let keys = TempDir::new().unwrap();

        let idp_listener = LocalIdp::bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let issuer: Url = format!("http://{}", idp_listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let gateway_client = RegisteredClient::generate(
            "mcp-gateway",
            only(&[Scope::ContentRead, Scope::SalesRead, Scope::CampaignsWrite]),
        )
        .unwrap();
        let idp = LocalIdp::new(
            LocalIdpConfig {
                issuer: issuer.clone(),
                clients: vec![gateway_client.clone()],
                audiences: vec![API.to_owned(), format!("{public_url}mcp")],
                token_lifetime: Duration::from_secs(600),
                key_dir: keys.path().join("keys"),
            },
            clock.clone(),
        )
        .unwrap();
        tokio::spawn(listen::serve(idp_listener, idp.router(), stop.clone()));

        let trust = Trust::new();
        let part = || (trust.clone(), http.clone(), stop.clone());
        let content = ContentApi::start(&idp, part()).await;
        let warehouse = Warehouse::start(&idp, part()).await;
        let embedder = Embedder::start(&idp, part()).await;
        let secret = secret.unwrap_or_else(|| gateway_client.secret.clone());
        let source = |scope| {
            let credentials = ClientCredentials {
                token_url: issuer.join("/token").unwrap(),
                client_id: gateway_client.id.clone(),
                client_secret: secret.clone(),
                scopes: only(&[scope]),
                resource: Some(API.to_owned()),
            };
            Arc::new(TokenSource::new(credentials, http.clone(), clock.clone()))
        };
        let tokens = Tokens {
            content: source(Scope::ContentRead),
            campaigns: source(Scope::CampaignsWrite),
            embedder: source(Scope::ContentRead),
            sales: source(Scope::SalesRead),
        };
        let mut config = Config::new(
            content.base.clone(),
            warehouse.base.clone(),
            embedder.base.clone(),
        );
        config.callers = Some(trust.telling());
        change(&mut config);
        let gateway = Gateway::new(config, http.clone(), tokens);

        let mut config = HttpConfig::new(
            &public_url,
            idp.issuer().parse().unwrap(),
            &[FRIEND.parse().unwrap()],
            &[],
        )
        .unwrap();
        change_http(&mut config);
        let verifier = Arc::new(Verifier::new(config.verifier_config(), http.clone(), clock));
        let metrics = metrics(&gateway, &config).router();
        tokio::spawn(listen::serve(
            listener,
            router(gateway.clone(), verifier, &config),
            stop.clone(),
        ));
        Self {
            public_url,
            content,
            warehouse,
            embedder,
            idp,
            gateway,
            gateway_client,
            trust,
            http,
            metrics,
            _stop: stop.drop_guard(),
            keys,
        }
    }

    /// `{public_url}/mcp`: the endpoint and the audience.
    pub fn resource(&self) -> String {
        format!("{}mcp", self.public_url)
    }

    /// What a collector of metrics is told, on a port of its own.
    pub async fn scraped(&self) -> String {
        let listener = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}/metrics", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let _stop = stop.clone().drop_guard();
        tokio::spawn(listen::serve(listener, self.metrics.clone(), stop));
        let answer = self.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    /// An assistant's token for the gateway.
    pub fn token(&self, scopes: &[Scope]) -> String {
        let lifetime = Duration::from_secs(300);
        let token = self
            .idp
            .issue("assistant", &only(scopes), &self.resource(), lifetime);
        token.unwrap().expose_secret().to_owned()
    }

    /// An assistant's token that allows every read.
    pub fn analyst(&self) -> String {
        self.token(&[Scope::ContentRead, Scope::SalesRead])
    }

    /// An assistant's token that allows getContent.
    pub fn reader(&self) -> String {
        self.token(&[Scope::ContentRead])
    }
}

fn only(scopes: &[Scope]) -> Scopes {
    scopes.iter().copied().collect()
}
