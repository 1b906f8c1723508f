//! One service with everything around it, for one test.

use std::{sync::Arc, time::Duration};

use auth::{ClientCredentials, KeySet, TrustedGateways, Verifier, VerifierConfig};
use content_api::{
    Config, Deps, EmbedderClient, PostgresStore, PublishingRhythm, Service,
    cache::AnswerCache,
    store::{ContentStore, Store},
};
use contracts::{Problem, Scope, Scopes};
use http::{HeaderMap, StatusCode, header};
use local_idp::{LocalIdp, LocalIdpConfig, RegisteredClient};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use service_kit::{CancellationToken, Clock, http_client, listen};
use test_support::TestDatabase;
use tokio::net::TcpListener;
use url::Url;

use crate::{double::Double, sample::NOW};

pub const AUDIENCE: &str = "https://promptsales.test/api";
/// Longest that any test waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct World {
    pub base: String,
    pub http: reqwest::Client,
    pub store: PostgresStore,
    pub publisher: content_api::Publisher,
    pub housekeeping: content_api::Housekeeping,
    pub double: Arc<Double>,
    pub database: TestDatabase,
    pub idp: LocalIdp,
    /// Where the double is, and the secret of the client as which it is called.
    pub embedder_url: Url,
    pub client_secret: SecretString,
    pub stop: CancellationToken,
    /// The route `/metrics`.
    pub metrics: Url,
    _keys: tempfile::TempDir,
}

/// What a test may want otherwise.
pub struct Setup {
    /// Start the publisher.
    pub publish: bool,
    /// Instead of the double.
    pub embedder_url: Option<Url>,
    pub search_deadline: Duration,
    pub cache: Option<Arc<dyn AnswerCache>>,
    /// For the service, instead of [`World::store`].
    pub content: Option<Arc<dyn Store>>,
    pub clock: Clock,
    pub tick: Duration,
    pub audit: Duration,
    pub upload_deadline: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            publish: true,
            embedder_url: None,
            search_deadline: PATIENCE,
            cache: None,
            content: None,
            clock: Clock::from_fn(|| NOW),
            tick: Duration::from_millis(20),
            audit: Duration::from_millis(50),
            upload_deadline: PATIENCE,
        }
    }
}

/// An answer that was read to its end.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!(
                "{error}: {} {}",
                self.status,
                String::from_utf8_lossy(&self.body)
            )
        })
    }

    /// The problem, after checks that hold for all of them.
    #[track_caller]
    pub fn problem(&self, status: u16, slug: &str) -> Problem {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{text}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem: Problem = self.json();
        assert_eq!(problem.slug(), slug, "{text}");
        assert_eq!(problem.status, status);
        let named = problem.request_id.as_deref().unwrap_or_default();
        assert_eq!(named, self.header("x-request-id"), "{text}");
        assert!(
            !text.contains("secret") && !text.contains("panicked"),
            "{text}"
        );
        problem
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }
}

impl World {
    /// `None` where there is no PostgreSQL to test with.
    pub async fn start() -> Option<Self> {
        Self::start_with(Setup::default()).await
    }

    pub async fn start_with(setup: Setup) -> Option<Self> {
        let database = test_support::fresh_database().await?;
        let store = PostgresStore::connect(&database.url.as_str().into())
            .await
            .unwrap();
        let clock = setup.clock;
        let http = http_client::build(PATIENCE).unwrap();
        let stop = CancellationToken::new();

        let keys = tempfile::tempdir().unwrap();
        let listener = LocalIdp::bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let scopes: Scopes = [Scope::ContentRead, Scope::IndexWrite]
            .into_iter()
            .collect();
        let client = RegisteredClient::generate("content-api", scopes).unwrap();
        let client_secret = client.secret.clone();
        let config = LocalIdpConfig {
            issuer: issuer.parse().unwrap(),
            clients: vec![client],
            audiences: vec![AUDIENCE.to_owned()],
            token_lifetime: Duration::from_secs(600),
            key_dir: keys.path().to_owned(),
        };
        let idp = LocalIdp::new(config, clock.clone()).unwrap();
        tokio::spawn(listen::serve(listener, idp.router(), stop.clone()));
        let mut expected = VerifierConfig::new(issuer.parse().unwrap(), AUDIENCE);
        // Nobody calls for anybody else here, and the keys of who might are away.
        expected.gateways = Some(TrustedGateways {
            clients: vec!["mcp-gateway".to_owned()],
            keys: KeySet::File(keys.path().join("callers.json")),
        });
        let verifier = Arc::new(Verifier::new(expected, http.clone(), clock.clone()));

        let double = Double::new(Arc::clone(&verifier));
        let double_url = serve(double.router(), &stop).await;
        let token_url: Url = format!("{issuer}/token").parse().unwrap();
        let credentials = ClientCredentials {
            token_url: token_url.clone(),
            client_id: "content-api".to_owned(),
            client_secret: client_secret.clone(),
            scopes: Scopes::default(),
            resource: Some(AUDIENCE.to_owned()),
        };
        let embedder_url = setup.embedder_url.unwrap_or(double_url);
        let embedder = EmbedderClient::new(&embedder_url, http.clone(), credentials, &clock)
            .with_search_deadline(setup.search_deadline);

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut config = Config::new(base.parse().unwrap(), token_url);
        config.upload_deadline = setup.upload_deadline;
        config.publishing = PublishingRhythm {
            tick: setup.tick,
            audit: setup.audit,
            first_retry: Duration::from_millis(5),
            longest_retry: Duration::from_millis(20),
        };
        let deps = Deps {
            store: setup.content.unwrap_or_else(|| Arc::new(store.clone())),
            embedder,
            verifier,
            clock,
        };
        let service = match setup.cache {
            Some(cache) => Service::with_cache(config, deps, cache).unwrap(),
            None => Service::build(config, deps).unwrap(),
        };
        tokio::spawn(listen::serve(listener, service.router, stop.clone()));
        let (publisher, housekeeping) = (service.publisher, service.housekeeping);
        let world = Self {
            base,
            http,
            store,
            publisher,
            housekeeping,
            double,
            database,
            idp,
            embedder_url,
            client_secret,
            metrics: serve(service.metrics.router(), &stop).await,
            stop,
            _keys: keys,
        };
        if setup.publish {
            world.run_publisher(&world.stop);
        }
        Some(world)
    }

    pub fn run_publisher(&self, stop: &CancellationToken) -> tokio::task::JoinHandle<()> {
        let (publisher, stop) = (self.publisher.clone(), stop.clone());
        tokio::spawn(async move { publisher.run(stop).await })
    }

    /// Stores documents and waits until the double holds them.
    pub async fn publish(&self, slugs: &[&str]) {
        for slug in slugs {
            self.store
                .put(&crate::sample::draft(slug), NOW)
                .await
                .unwrap();
        }
        self.publisher.wake();
        self.drained().await;
    }

    pub async fn drained(&self) {
        tokio::time::timeout(PATIENCE, self.publisher.drained())
            .await
            .expect("drained in time");
    }

    pub fn token(&self, scopes: &[Scope]) -> SecretString {
        let scopes = scopes.iter().copied().collect();
        self.idp
            .issue("tester", &scopes, AUDIENCE, Duration::from_secs(600))
            .unwrap()
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Reply {
            status,
            headers,
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    /// With a token that may read content.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = self.http.get(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let token = self.token(&[Scope::ContentRead]);
        self.send(request.bearer_auth(token.expose_secret())).await
    }

    /// A request with a token of these scopes.
    pub fn request(&self, method: &str, path: &str, scopes: &[Scope]) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        let token = self.token(scopes);
        let request = self.http.request(method, format!("{}{path}", self.base));
        request.bearer_auth(token.expose_secret())
    }

    /// With a token that may read content.
    pub async fn find(&self, body: Value) -> Reply {
        self.find_raw(serde_json::to_vec(&body).unwrap()).await
    }

    pub async fn find_raw(&self, body: Vec<u8>) -> Reply {
        let token = self.token(&[Scope::ContentRead]);
        let request = self
            .http
            .post(format!("{}/v1/getContent", self.base))
            .bearer_auth(token.expose_secret())
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        self.send(request).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Serves on a port of its own until stopped.
pub async fn serve(router: axum::Router, stop: &CancellationToken) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(listen::serve(listener, router, stop.clone()));
    url
}

/// A loopback URL at which nothing listens: the port was ours a moment ago.
pub async fn nobody_there() -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap()
}

/// Waits for a condition.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}
