//! A content API, as far as its change feed goes: it speaks HTTP and takes tokens of a real authorization server.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use auth::{Authorized, ClientCredentials, Verifier, VerifierConfig, scope::ContentRead};
use axum::{
    Router,
    extract::{FromRef, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use contracts::Scope;
use local_idp::{LocalIdp, LocalIdpConfig, RegisteredClient};
use sales_warehouse::{
    etl::SourceConfig,
    source::{ChangeFeed, FeedSource},
};
use serde::Deserialize;
use serde_json::{Value, json};
use service_kit::{CancellationToken, Clock, http_client, listen};
use tokio::net::TcpListener;
use url::Url;

const AUDIENCE: &str = "https://promptsales.test";
const CLIENT: &str = "sales-warehouse";
const SECRET: &str = "hush-hush-hush-hush";
const STAMP: &str = "2026-03-01T12:00:00Z";
/// Pages are short, so that readings have many.
const PAGE: usize = 3;

/// How the feed answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Sound,
    Status(StatusCode),
    /// No JSON.
    Garbage,
    /// JSON, and no page.
    OtherJson,
    /// Says nothing for a minute.
    Silent,
    /// The same page for ever.
    Stuck,
    /// Things in the order of their names.
    Unordered,
    /// A document has a field more, of another type, or fewer.
    Added,
    OtherType,
    Without,
    /// A kind of change that nobody has heard of stands at the end.
    OtherKind,
    /// Answers the second page and breaks off.
    BreaksOff,
    /// A document is written whenever the first page is asked for.
    Restless,
}

#[derive(Default)]
struct Store {
    /// By what a thing is known by: its position and itself.
    things: BTreeMap<String, (i64, Value)>,
    last: i64,
    mood: Mood,
    /// What was asked for, `after` each time.
    asked: Vec<String>,
    /// `traceparent`, each time.
    traces: Vec<String>,
}

impl Store {
    fn put(&mut self, key: String, thing: Value) {
        self.last += 1;
        self.things.insert(key, (self.last, thing));
    }
}

pub struct Feed {
    base: Url,
    token_url: Url,
    store: Arc<Mutex<Store>>,
    stop: CancellationToken,
    _keys: tempfile::TempDir,
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[derive(Clone)]
struct Shared {
    store: Arc<Mutex<Store>>,
    verifier: Arc<Verifier>,
}

impl FromRef<Shared> for Arc<Verifier> {
    fn from_ref(shared: &Shared) -> Self {
        Arc::clone(&shared.verifier)
    }
}

impl Feed {
    pub async fn start() -> Self {
        let stop = CancellationToken::new();
        let clock = Clock::system();
        let http = http_client::build(Duration::from_secs(30)).unwrap();
        let keys = tempfile::tempdir().unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let listener = LocalIdp::bind(address).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let client = |id: &str, scopes: &[Scope]| RegisteredClient {
            id: id.to_owned(),
            secret: SECRET.into(),
            scopes: scopes.iter().copied().collect(),
            audiences: Vec::new(),
        };
        let config = LocalIdpConfig {
            issuer: issuer.parse().unwrap(),
            clients: vec![
                client(CLIENT, &[Scope::ContentRead]),
                client("without-scope", &[Scope::SalesRead]),
            ],
            audiences: vec![AUDIENCE.to_owned()],
            token_lifetime: Duration::from_secs(600),
            key_dir: keys.path().to_owned(),
        };
        let idp = LocalIdp::new(config, clock.clone()).unwrap();
        tokio::spawn(listen::serve(listener, idp.router(), stop.clone()));
        let store = Arc::new(Mutex::new(Store::default()));
        let expected = VerifierConfig::new(issuer.parse().unwrap(), AUDIENCE);
        let shared = Shared {
            store: Arc::clone(&store),
            verifier: Arc::new(Verifier::new(expected, http, clock)),
        };
        let router = Router::new()
            .route("/v1/changes", get(changes))
            .with_state(shared);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(listen::serve(listener, router, stop.clone()));
        Self {
            base: base.parse().unwrap(),
            token_url: issuer.parse::<Url>().unwrap().join("/token").unwrap(),
            store,
            stop,
            _keys: keys,
        }
    }

    /// With a few things in it: two images, one campaign that uses both.
    pub async fn filled() -> Self {
        let feed = Self::start().await;
        feed.content("sunny-beach", "Sunny beach", 1, &["#Summer", "#Sun"]);
        feed.content("old-town", "Old town", 2, &["#Travel", "#SUMMER"]);
        feed.campaign("spring-fair", 1);
        feed.attach("spring-fair", "sunny-beach");
        feed.attach("spring-fair", "old-town");
        feed
    }

    pub fn base(&self) -> &Url {
        &self.base
    }

    pub fn token_url(&self) -> &Url {
        &self.token_url
    }

    /// Client id, secret and resource.
    pub fn client() -> (&'static str, &'static str, &'static str) {
        (CLIENT, SECRET, AUDIENCE)
    }

    pub fn client_at(&self, base: &Url, token_url: &Url, client: &str, secret: &str) -> ChangeFeed {
        let credentials = ClientCredentials {
            token_url: token_url.clone(),
            client_id: client.to_owned(),
            client_secret: secret.into(),
            scopes: [Scope::SalesRead].into_iter().collect(),
            resource: Some(AUDIENCE.to_owned()),
        };
        let http = http_client::build(Duration::from_secs(30)).unwrap();
        ChangeFeed::new(base, http, credentials, Clock::system())
            .with_deadline(Duration::from_secs(1))
    }

    pub fn reader(&self) -> ChangeFeed {
        self.client_at(&self.base, &self.token_url, CLIENT, SECRET)
    }

    pub fn as_client(&self, client: &str, secret: &str) -> SourceConfig {
        SourceConfig::ChangeFeed(self.client_at(&self.base, &self.token_url, client, secret))
    }

    pub fn config(&self) -> SourceConfig {
        SourceConfig::ChangeFeed(self.reader())
    }

    pub fn source(&self) -> FeedSource {
        FeedSource::new(self.reader())
    }

    pub fn set(&self, mood: Mood) {
        self.store().mood = mood;
    }

    /// What was asked for since this was last asked.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.store().asked)
    }

    /// Which traces asked since this was last asked, as W3C writes them.
    pub fn traces(&self) -> Vec<String> {
        std::mem::take(&mut self.store().traces)
    }

    pub fn content(&self, id: &str, title: &str, revision: i64, hashtags: &[&str]) {
        let text = json!({"title": title, "description": "", "alt": "", "hashtags": hashtags});
        let document = json!({
            "id": id, "revision": revision, "status": "approved", "origin": "api",
            "text": {"en": text}, "missing_languages": ["es"], "themes": [], "campaign_themes": [],
            "channels": [], "audience": [], "rights": {}, "image": {}, "former_images": [],
            "created_at": STAMP, "updated_at": STAMP,
        });
        self.put(
            id,
            json!({"kind": "content", "at": STAMP, "document": document}),
        );
    }

    /// The same with texts as they are given, by language.
    pub fn content_in(&self, id: &str, text: &Value) {
        let document = json!({
            "id": id, "revision": 1, "status": "draft", "text": text, "created_at": STAMP,
        });
        self.put(
            id,
            json!({"kind": "content", "at": STAMP, "document": document}),
        );
    }

    pub fn delete(&self, id: &str, revision: i64) {
        let gone = json!({"kind": "content-deleted", "at": STAMP, "id": id, "revision": revision});
        self.put(id, gone);
    }

    pub fn campaign(&self, slug: &str, revision: i64) {
        self.campaign_from(slug, revision, "2026-04-01", &["US"]);
    }

    /// A campaign that was given up.
    pub fn cancelled(&self, slug: &str) {
        self.campaign(slug, 2);
        let key = format!("campaign {slug}");
        let mut thing = self.store().things[&key].1.clone();
        thing["campaign"]["status"] = json!("cancelled");
        self.put(&key, thing);
    }

    pub fn campaign_from(&self, slug: &str, revision: i64, starts_on: &str, markets: &[&str]) {
        let campaign = json!({
            "id": slug, "revision": revision, "name": format!("Campaign {slug}"), "objective": "",
            "status": "planned", "audience": [], "markets": markets, "channels": ["email"],
            "budget": {"amount": "1.00", "currency": "USD"}, "starts_on": starts_on,
            "ends_on": "2026-04-30", "content_ids": [], "created_at": STAMP, "updated_at": STAMP,
        });
        let key = format!("campaign {slug}");
        self.put(
            &key,
            json!({"kind": "campaign", "at": STAMP, "campaign": campaign}),
        );
    }

    pub fn attach(&self, slug: &str, id: &str) {
        self.attach_at(slug, id, STAMP);
    }

    pub fn attach_at(&self, slug: &str, id: &str, at: &str) {
        let one = json!({"kind": "content-use", "at": at, "campaign_id": slug, "content_id": id});
        self.put(&format!("use {slug} {id}"), one);
    }

    pub fn detach(&self, slug: &str, id: &str) {
        let one = json!({"kind": "content-use-deleted", "at": STAMP, "campaign_id": slug,
            "content_id": id});
        self.put(&format!("use {slug} {id}"), one);
    }

    /// As a store has it that was set back to its beginning.
    pub fn forget_everything(&self) {
        let mut store = self.store();
        store.things.clear();
        store.last = 0;
    }

    /// Behind every reader's back.
    pub fn lose(&self, id: &str) {
        self.store().things.remove(id).unwrap();
    }

    fn put(&self, key: &str, thing: Value) {
        self.store().put(key.to_owned(), thing);
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    after: String,
    limit: usize,
}

async fn changes(
    _caller: Authorized<ContentRead>,
    State(shared): State<Shared>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let mood = {
        let mut store = shared.store.lock().unwrap();
        store.asked.push(asked.after.clone());
        if let Some(trace) = headers.get("traceparent") {
            store.traces.push(trace.to_str().unwrap().to_owned());
        }
        if store.mood == Mood::Restless && asked.after == "p.0" {
            let (_, thing) = store.things["old-town"].clone();
            store.put("old-town".to_owned(), thing);
        }
        store.mood
    };
    match mood {
        Mood::Status(status) => {
            let body = json!({"type": "about:blank", "title": "No", "status": status.as_u16(),
                "detail": "not now"});
            return (status, axum::Json(body)).into_response();
        }
        Mood::Garbage => return "<html>".into_response(),
        Mood::OtherJson => return axum::Json(json!({"changes": 7, "next": "p.1"})).into_response(),
        Mood::Silent => tokio::time::sleep(Duration::from_secs(60)).await,
        _ => {}
    }
    let after: i64 = asked.after.strip_prefix("p.").unwrap().parse().unwrap();
    if mood == Mood::BreaksOff && after > 0 {
        let broken = futures::stream::iter([
            Ok(bytes::Bytes::from_static(b"{\"changes\": [")),
            Err(std::io::Error::other("gone")),
        ]);
        return axum::body::Body::from_stream(broken).into_response();
    }
    page(&shared.store.lock().unwrap(), after, asked.limit.min(PAGE)).into_response()
}

fn page(store: &Store, after: i64, limit: usize) -> axum::Json<Value> {
    let after = if store.mood == Mood::Stuck { 0 } else { after };
    let mut things: Vec<_> = store
        .things
        .values()
        .filter(|(position, _)| *position > after)
        .collect();
    if store.mood != Mood::Unordered {
        things.sort_by_key(|(position, _)| *position);
    }
    things.truncate(limit);
    let shown = things.iter().map(|(position, thing)| {
        let mut thing = thing.clone();
        thing["position"] = json!(position);
        if let Some(document) = thing.get_mut("document") {
            match store.mood {
                Mood::Added => document["added"] = json!("new"),
                Mood::OtherType => document["revision"] = json!("seven"),
                Mood::Without => {
                    document.as_object_mut().unwrap().remove("revision");
                }
                _ => {}
            }
        }
        thing
    });
    let mut changes: Vec<Value> = shown.collect();
    let mut last = things.iter().map(|(position, _)| *position).max();
    if changes.is_empty() && store.mood == Mood::OtherKind && after == store.last {
        last = Some(store.last + 1);
        changes.push(json!({"kind": "weather", "position": last, "at": STAMP}));
    }
    let next = match (store.mood, last) {
        (Mood::Stuck, _) => "p.0".to_owned(),
        (_, last) => format!("p.{}", last.unwrap_or(after)),
    };
    axum::Json(json!({"more": !changes.is_empty(), "changes": changes, "next": next}))
}
