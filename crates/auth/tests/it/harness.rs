//! A clock to drive, issuers to ask and a resource to call.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use auth::{Authorized, Caller, TokenSource, Verifier, VerifierConfig, scope::ContentRead};
use axum::{
    Router,
    extract::{FromRef, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contracts::{Scope, Scopes};
use local_idp::{LocalIdp, LocalIdpConfig, RegisteredClient};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use service_kit::{CancellationToken, Clock};
use tempfile::TempDir;
use test_support::forge::{EcKey, jws};
use time::OffsetDateTime;
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore, SemaphorePermit},
    task::JoinHandle,
};

pub const API: &str = "https://promptsales.local/api";
pub const OTHER: &str = "https://other.example/api";

/// Time that moves only when a test says so.
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

pub fn client() -> reqwest::Client {
    service_kit::http_client::build(Duration::from_secs(10)).unwrap()
}

pub fn scopes(list: &[Scope]) -> Scopes {
    list.iter().copied().collect()
}

/// Counts requests by path.
#[derive(Clone, Default)]
pub struct Hits(Arc<Mutex<HashMap<String, usize>>>);

impl Hits {
    pub fn of(&self, path: &str) -> usize {
        self.0
            .lock()
            .unwrap()
            .get(path)
            .copied()
            .unwrap_or_default()
    }

    fn add(&self, path: &str) {
        *self.0.lock().unwrap().entry(path.to_owned()).or_default() += 1;
    }
}

/// A router on a port of its own, until dropped or stopped.
pub struct Served {
    pub address: SocketAddr,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Served {
    pub fn start(listener: TcpListener, router: Router) -> Self {
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = service_kit::listen::serve(listener, router, stop.clone());
        let task = tokio::spawn(async move { serving.await.unwrap() });
        Self {
            address,
            stop,
            task: Some(task),
        }
    }

    pub async fn stop(&mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            task.await.unwrap();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The real local authorization server, with its requests counted.
pub struct Issuer {
    pub idp: LocalIdp,
    pub hits: Hits,
    pub time: TestClock,
    pub clients: Vec<RegisteredClient>,
    pub served: Served,
    key_dir: TempDir,
}

impl Issuer {
    pub async fn start() -> Self {
        Self::with_lifetime(3_600).await
    }

    pub async fn with_lifetime(seconds: u64) -> Self {
        let listener = LocalIdp::bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let clients = vec![RegisteredClient::generate("gateway", scopes(&Scope::ALL)).unwrap()];
        let key_dir = tempfile::tempdir().unwrap();
        let time = TestClock::new();
        let config = LocalIdpConfig {
            issuer: issuer.parse().unwrap(),
            clients: clients.clone(),
            audiences: vec![API.to_owned(), OTHER.to_owned()],
            token_lifetime: Duration::from_secs(seconds),
            key_dir: key_dir.path().join("keys"),
        };
        let idp = LocalIdp::new(config, time.clock()).unwrap();
        let hits = Hits::default();
        let served = Served::start(listener, counted(idp.router(), hits.clone()));
        Self {
            idp,
            hits,
            time,
            clients,
            served,
            key_dir,
        }
    }

    pub fn verifier(&self) -> Verifier {
        Verifier::new(self.config(), client(), self.time.clock())
    }

    pub fn config(&self) -> VerifierConfig {
        VerifierConfig::new(self.idp.issuer().parse().unwrap(), API)
    }

    /// A good token for [`API`] that lives an hour.
    pub fn token(&self, allowed: &[Scope]) -> String {
        self.token_for(API, allowed)
    }

    pub fn token_for(&self, audience: &str, allowed: &[Scope]) -> String {
        let hour = Duration::from_secs(3_600);
        let token = self
            .idp
            .issue("marketer", &scopes(allowed), audience, hour)
            .unwrap();
        token.expose_secret().to_owned()
    }

    /// The claims of a good token, to be spoilt.
    pub fn claims(&self) -> Value {
        let now = self.time.now();
        json!({
            "iss": self.idp.issuer(), "aud": API, "sub": "marketer", "client_id": "marketer",
            "iat": now, "exp": now + 3_600, "jti": "1", "scope": "content:read",
        })
    }

    /// The header of a good token, to be spoilt.
    pub async fn header(&self) -> Value {
        let url = format!("{}/jwks", self.idp.issuer());
        let keys: Value = client()
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        json!({ "typ": "at+jwt", "alg": "ES256", "kid": keys["keys"][0]["kid"] })
    }

    /// The key that the server signs with.
    pub fn key(&self) -> EcKey {
        let file = self.key_dir.path().join("keys/signing-keys.json");
        let ring: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let active = ring["keys"].as_array().unwrap().last().unwrap();
        let pkcs8 = URL_SAFE_NO_PAD
            .decode(active["pkcs8"].as_str().unwrap())
            .unwrap();
        EcKey::from_pkcs8(&pkcs8)
    }

    /// Spoilt claims under a good signature.
    pub async fn signed(&self, claims: &Value) -> String {
        jws(&self.header().await, claims, |message| {
            self.key().sign(message)
        })
    }

    pub fn token_source(&self) -> TokenSource {
        let registered = &self.clients[0];
        let credentials = auth::ClientCredentials {
            token_url: format!("{}/token", self.idp.issuer()).parse().unwrap(),
            client_id: registered.id.clone(),
            client_secret: registered.secret.clone(),
            scopes: scopes(&[Scope::ContentRead]),
            resource: Some(API.to_owned()),
        };
        TokenSource::new(credentials, client(), self.time.clock())
    }
}

fn counted(router: Router, hits: Hits) -> Router {
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        hits.add(request.uri().path());
        next.run(request)
    }))
}

/// An issuer that answers whatever a test sets.
#[derive(Clone)]
pub struct Stub {
    pub origin: String,
    pub hits: Hits,
    answers: Arc<Mutex<HashMap<String, (u16, String)>>>,
    gate: Arc<Semaphore>,
    pub arrived: Arc<Notify>,
}

impl Stub {
    pub async fn start() -> (Self, Served) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stub = Self {
            origin: format!("http://{}", listener.local_addr().unwrap()),
            hits: Hits::default(),
            answers: Arc::default(),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            arrived: Arc::default(),
        };
        let router = Router::new().fallback(stub_answer).with_state(stub.clone());
        (stub, Served::start(listener, router))
    }

    pub fn answer(&self, path: &str, status: u16, body: impl ToString) {
        self.answers
            .lock()
            .unwrap()
            .insert(path.to_owned(), (status, body.to_string()));
    }

    /// Publishes keys and the metadata that leads to them.
    pub fn publish(&self, keys: &[Value]) {
        let metadata =
            json!({ "issuer": self.origin, "jwks_uri": format!("{}/jwks", self.origin) });
        self.answer("/.well-known/openid-configuration", 200, metadata);
        self.answer("/jwks", 200, json!({ "keys": keys }));
    }

    /// Holds every answer back until the permit is dropped.
    pub async fn close(&self) -> SemaphorePermit<'_> {
        self.gate.forget_permits(self.gate.available_permits() - 1);
        self.gate.acquire().await.unwrap()
    }

    pub fn config(&self) -> VerifierConfig {
        VerifierConfig::new(self.origin.parse().unwrap(), API)
    }

    pub fn claims(&self, time: &TestClock) -> Value {
        let now = time.now();
        json!({
            "iss": self.origin, "aud": [OTHER, API], "sub": "user-1", "client_id": "app",
            "iat": now, "exp": now + 86_400, "scope": "openid content:read",
        })
    }
}

async fn stub_answer(State(stub): State<Stub>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    stub.hits.add(&path);
    stub.arrived.notify_one();
    drop(stub.gate.acquire().await.unwrap());
    let answer = stub.answers.lock().unwrap().get(&path).cloned();
    let (status, body) = answer.unwrap_or((404, "{}".to_owned()));
    let status = http::StatusCode::from_u16(status).unwrap();
    (
        status,
        [(http::header::CONTENT_TYPE, "application/json")],
        body,
    )
        .into_response()
}

/// A resource server with one route that reads content and one for any valid token.
#[derive(Clone)]
struct Resource(Arc<Verifier>);

impl FromRef<Resource> for Arc<Verifier> {
    fn from_ref(resource: &Resource) -> Self {
        Arc::clone(&resource.0)
    }
}

pub fn resource(verifier: Verifier) -> Router {
    async fn content(caller: Authorized<ContentRead>) -> String {
        caller.subject().to_owned()
    }
    async fn any(caller: Caller) -> String {
        caller.client_id().to_owned()
    }
    async fn in_extensions(request: Request) -> String {
        request
            .extensions()
            .get::<Caller>()
            .unwrap()
            .subject()
            .to_owned()
    }
    let verifier = Arc::new(verifier);
    let guard = middleware::from_fn_with_state(Arc::clone(&verifier), auth::require_valid_token);
    let guarded = Router::new()
        .route("/guarded", get(in_extensions))
        .layer(guard);
    Router::new()
        .route("/content", get(content))
        .route("/any", get(any))
        .with_state(Resource(verifier))
        .merge(guarded)
}

pub async fn serve_resource(verifier: Verifier) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Served::start(listener, resource(verifier))
}
