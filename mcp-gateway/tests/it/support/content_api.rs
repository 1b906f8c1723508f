//! A double of content-api: it checks tokens as the true one does, records what it was asked, and
//! answers as a test wants it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use auth::{Authorized, Verifier, scope::ContentRead};
use axum::{
    Json, Router,
    extract::{FromRef, Path, Query, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use contracts::{
    ContentHit, GetContentAnswer, ImageFacts, Language, ModelId, Problem, Reason, Rights,
    content::Orientation,
};
use http::{HeaderMap, StatusCode, header};
use local_idp::LocalIdp;
use serde_json::Value;
use service_kit::{CancellationToken, Clock, ProblemResponse, listen};
use tokio::sync::Notify;
use url::Url;

use super::{Trust, campaigns::Campaigns};

/// What it sends as a thumbnail: the beginning of a JPEG file, which nobody decodes here.
pub const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF";

/// How it answers.
#[derive(Clone)]
pub enum Behaviour {
    /// With this.
    Answer(Box<GetContentAnswer>),
    /// With this problem and status.
    Problem(Problem),
    /// 503 and when to come back.
    Unavailable(u32),
    /// 200 with something else than agreed.
    Nonsense,
    /// 401, whatever the token.
    RefuseTokens,
    /// Never.
    Hang,
}

/// The double.
#[derive(Clone)]
pub struct ContentApi {
    pub base: Url,
    pub campaigns: Campaigns,
    pub trust: Trust,
    inner: Arc<Inner>,
}

struct Inner {
    verifier: Arc<Verifier>,
    state: Mutex<Recorded>,
    /// A search began, and a search ended or was given up.
    began: Notify,
    ended: Notify,
}

struct Recorded {
    behaviour: Behaviour,
    thumbnails: Option<(&'static str, Vec<u8>)>,
    pictures: HashMap<String, Vec<u8>>,
    searches: Vec<(HeaderMap, Value)>,
    images: Vec<String>,
    documents: Vec<String>,
    broken: Vec<String>,
}

impl FromRef<ContentApi> for Arc<Verifier> {
    fn from_ref(api: &ContentApi) -> Self {
        Arc::clone(&api.inner.verifier)
    }
}

impl ContentApi {
    pub async fn start(
        idp: &LocalIdp,
        (trust, http, stop): (Trust, reqwest::Client, CancellationToken),
    ) -> Self {
        let listener = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let config = trust.checks(idp);
        let recorded = Recorded {
            behaviour: Behaviour::Answer(Box::new(answer(vec![hit("two-beaches")]))),
            thumbnails: Some(("image/jpeg", JPEG.to_vec())),
            pictures: HashMap::new(),
            searches: Vec::new(),
            images: Vec::new(),
            documents: Vec::new(),
            broken: Vec::new(),
        };
        let inner = Inner {
            verifier: Arc::new(Verifier::new(config, http, Clock::system())),
            state: Mutex::new(recorded),
            began: Notify::new(),
            ended: Notify::new(),
        };
        let api = Self {
            base,
            campaigns: Campaigns::default(),
            trust,
            inner: Arc::new(inner),
        };
        let router = Router::new()
            .route("/v1/getContent", post(search))
            .route("/v1/content", get(list))
            .route("/v1/content/{id}", get(document))
            .route("/v1/content/{id}/image", get(image))
            .merge(Campaigns::router())
            .with_state(api.clone());
        // Once more behind a proxy that strips what stands before its paths.
        let router = Router::new()
            .nest("/behind/proxy", router.clone())
            .merge(router);
        tokio::spawn(listen::serve(listener, router, stop));
        api
    }

    pub fn behave(&self, behaviour: Behaviour) {
        self.inner.state.lock().unwrap().behaviour = behaviour;
    }

    pub fn answer(&self, hits: Vec<ContentHit>) {
        self.behave(Behaviour::Answer(Box::new(answer(hits))));
    }

    /// There is a document of this id from now on.
    pub fn document(&self, id: &str) {
        self.inner
            .state
            .lock()
            .unwrap()
            .documents
            .push(id.to_owned());
    }

    /// Reading this document fails from now on.
    pub fn broken(&self, id: &str) {
        self.inner.state.lock().unwrap().broken.push(id.to_owned());
    }

    /// What images are served as from now on; `None` makes them fail.
    pub fn thumbnails(&self, served: Option<(&'static str, Vec<u8>)>) {
        self.inner.state.lock().unwrap().thumbnails = served;
    }

    /// This PNG is the image of that id from now on, whatever the others are served as.
    pub fn picture(&self, id: &str, png: Vec<u8>) {
        let mut state = self.inner.state.lock().unwrap();
        state.pictures.insert(id.to_owned(), png);
    }

    /// Every search so far.
    pub fn searches(&self) -> Vec<(HeaderMap, Value)> {
        self.inner.state.lock().unwrap().searches.clone()
    }

    /// Every image asked for so far, as `id width format`, sorted.
    pub fn images(&self) -> Vec<String> {
        let mut images = self.inner.state.lock().unwrap().images.clone();
        images.sort();
        images
    }

    pub async fn search_began(&self) {
        self.inner.began.notified().await;
    }

    pub async fn search_ended(&self) {
        self.inner.ended.notified().await;
    }
}

/// Tells of its end even when the connection is given up.
struct Ended(Arc<Inner>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.ended.notify_one();
    }
}

async fn search(
    State(api): State<ContentApi>,
    caller: Authorized<ContentRead>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    api.trust.hear("content", &caller);
    let behaviour = {
        let mut state = api.inner.state.lock().unwrap();
        state.searches.push((headers, request));
        state.behaviour.clone()
    };
    let _ended = Ended(Arc::clone(&api.inner));
    api.inner.began.notify_one();
    match behaviour {
        Behaviour::Answer(answer) => Json(*answer).into_response(),
        Behaviour::Problem(problem) => ProblemResponse::from(problem).into_response(),
        Behaviour::Unavailable(seconds) => {
            ProblemResponse::unavailable("The embedder", &"a secret cause")
                .with_retry_after(seconds)
                .into_response()
        }
        Behaviour::Nonsense => Json("what?").into_response(),
        Behaviour::RefuseTokens => StatusCode::UNAUTHORIZED.into_response(),
        Behaviour::Hang => std::future::pending().await,
    }
}

async fn document(
    State(api): State<ContentApi>,
    _caller: Authorized<ContentRead>,
    Path(id): Path<String>,
) -> Response {
    let (known, broken) = {
        let state = api.inner.state.lock().unwrap();
        (state.documents.contains(&id), state.broken.contains(&id))
    };
    if broken {
        return ProblemResponse::unavailable("The store", &"a secret cause").into_response();
    }
    if !known {
        let problem = Problem::new(404, "no-such-content", "No such content", "There is none.");
        return ProblemResponse::from(problem).into_response();
    }
    Json(written(&id)).into_response()
}

fn written(id: &str) -> Value {
    let like = hit(id);
    let text = serde_json::json!({
        "title": like.title, "description": like.description, "alt": like.alt, "hashtags": like.hashtags,
    });
    serde_json::json!({
        "id": id, "revision": 1, "status": "approved", "text": {"en": text}, "themes": [],
        "campaign_themes": [], "channels": [], "audience": [], "rights": like.rights, "image": like.image,
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
    })
}

/// Pages of two, after the id in the cursor.
async fn list(
    State(api): State<ContentApi>,
    _caller: Authorized<ContentRead>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    assert_eq!(query["status"], "approved");
    let documents = api.inner.state.lock().unwrap().documents.clone();
    let begin = query.get("cursor").map_or(0, |at| at.parse().unwrap());
    let page: Vec<_> = documents
        .iter()
        .skip(begin)
        .take(2)
        .map(|id| written(id))
        .collect();
    let next = (begin + 2 < documents.len()).then(|| (begin + 2).to_string());
    Json(serde_json::json!({"documents": page, "next": next})).into_response()
}

async fn image(
    State(api): State<ContentApi>,
    _caller: Authorized<ContentRead>,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let mut state = api.inner.state.lock().unwrap();
    let values: Vec<_> = query.into_iter().map(|(_, value)| value).collect();
    state.images.push(format!("{id} {}", values.join(" ")));
    if let Some(picture) = state.pictures.get(&id) {
        return ([(header::CONTENT_TYPE, "image/png")], picture.clone()).into_response();
    }
    match &state.thumbnails {
        Some((media_type, bytes)) => {
            ([(header::CONTENT_TYPE, *media_type)], bytes.clone()).into_response()
        }
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// An answer that content-api could give.
pub fn answer(results: Vec<ContentHit>) -> GetContentAnswer {
    GetContentAnswer {
        no_match: results.is_empty(),
        message: if results.is_empty() {
            "No image fits; try other words.".to_owned()
        } else {
            format!("{} images fit.", results.len())
        },
        results,
        language: Language::En,
        engine: "qdrant-edge".to_owned(),
        model: ModelId::new("test-model"),
        cached: false,
        took_ms: 1.5,
    }
}

/// A hit of 1600 x 1200 pixels.
pub fn hit(id: &str) -> ContentHit {
    ContentHit {
        id: id.parse().unwrap(),
        score: 0.812_345,
        reason: Reason {
            dense: 0.71,
            lexical: 0.4,
            matched_terms: vec!["beach".to_owned()],
        },
        title: "Two beaches".to_owned(),
        description: "Two beaches at dusk, calm and warm.".to_owned(),
        alt: "Two beaches side by side".to_owned(),
        hashtags: vec!["#beach".to_owned(), "#dusk".to_owned()],
        channels: vec!["email".to_owned()],
        image_url: format!("http://127.0.0.1:7410/v1/content/{id}/image"),
        image: ImageFacts {
            media_type: "image/webp".to_owned(),
            width: 1600,
            height: 1200,
            bytes: 123_456,
            sha256: "0".repeat(64),
            orientation: Orientation::Landscape,
            palette: vec!["#ffaa00".to_owned()],
            perceptual_hash: "0".repeat(16),
            blurhash: "L6PZfSi_.AyE_3t7t7R**0o#DgR4".to_owned(),
        },
        renditions: Vec::new(),
        rights: Rights {
            licence: "CC-BY-4.0".to_owned(),
            holder: "PromptSales".to_owned(),
            from: "2026-01-01".to_owned(),
            until: Some("2027-12-31".to_owned()),
            territories: vec!["CR".to_owned(), "ES".to_owned()],
        },
    }
}
