//! A double of the embedder: keeps what it is given, finds everything, and fails when told to.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicUsize, Ordering},
    },
};

use auth::{
    Authorized, Verifier,
    scope::{ContentRead, IndexWrite},
};
use axum::{
    Router,
    extract::{FromRef, Query, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use contracts::{
    ContentHash, ImageId, Language, ModelId, Reason,
    index::{
        DeleteDocuments, DeleteDocumentsAnswer, EngineStatus, HeldDocument, HeldDocumentsAnswer,
        HeldRevision, IndexDocument, IndexGenerationAnswer, IndexStatusAnswer, PutDocuments,
        PutDocumentsAnswer, ReconcileAnswer,
    },
    search::{SearchAnswer, SearchHit, SearchRequest},
};
use http::StatusCode;
use service_kit::{Json, ProblemResponse};
use tokio::sync::Semaphore;

/// The double's switches and counters.
pub struct Double {
    verifier: Arc<Verifier>,
    held: Mutex<BTreeMap<ImageId, IndexDocument>>,
    searched: Mutex<Vec<SearchRequest>>,
    tombstones: Mutex<BTreeMap<ImageId, i64>>,
    refused: Mutex<BTreeSet<ImageId>>,
    /// Takes every push and keeps nothing of it.
    pub forgetful: AtomicBool,
    generation: AtomicI64,
    /// Other than 0: every answer is this status.
    fault: AtomicU32,
    /// So many requests to come are answered 401.
    pub unauthorized: AtomicU32,
    pub requests: AtomicUsize,
    pub puts: AtomicUsize,
    pub documents_put: AtomicUsize,
    pub documents_unchanged: AtomicUsize,
    pub reconciles: AtomicUsize,
    pub refusals: AtomicUsize,
    pub statuses: AtomicUsize,
    /// A search takes a permit and gives it back; a closed gate has none.
    pub search_gate: Semaphore,
    /// The same for the answer to a PUT, after it took effect.
    pub put_gate: Semaphore,
}

#[derive(Clone)]
struct Shared(Arc<Double>);

impl FromRef<Shared> for Arc<Verifier> {
    fn from_ref(shared: &Shared) -> Self {
        Arc::clone(&shared.0.verifier)
    }
}

/// Permits of an open gate: more than any test sends requests.
const OPEN: usize = 1_000;

impl Double {
    pub fn new(verifier: Arc<Verifier>) -> Arc<Self> {
        Arc::new(Self {
            verifier,
            held: Mutex::default(),
            searched: Mutex::default(),
            tombstones: Mutex::default(),
            refused: Mutex::default(),
            forgetful: AtomicBool::new(false),
            generation: AtomicI64::new(1_000),
            fault: AtomicU32::new(0),
            unauthorized: AtomicU32::new(0),
            requests: AtomicUsize::new(0),
            puts: AtomicUsize::new(0),
            documents_put: AtomicUsize::new(0),
            documents_unchanged: AtomicUsize::new(0),
            reconciles: AtomicUsize::new(0),
            refusals: AtomicUsize::new(0),
            statuses: AtomicUsize::new(0),
            search_gate: Semaphore::new(OPEN),
            put_gate: Semaphore::new(OPEN),
        })
    }

    pub fn router(self: &Arc<Self>) -> Router {
        let shared = Shared(Arc::clone(self));
        Router::new()
            .route("/v1/documents", put(put_documents).delete(delete_documents))
            .route("/v1/search", post(search))
            .route("/v1/index/status", get(status))
            .route("/v1/index/generation", get(generation))
            .route("/v1/index/documents", get(held_documents))
            .route("/v1/index/reconcile", post(reconcile))
            .layer(middleware::from_fn_with_state(shared.clone(), misbehave))
            .with_state(shared)
    }

    pub fn fail_with(&self, status: u16) {
        self.fault.store(u32::from(status), Ordering::SeqCst);
    }

    pub fn recover(&self) {
        self.fail_with(0);
    }

    pub fn refuse(&self, id: &ImageId) {
        self.refused.lock().unwrap().insert(id.clone());
    }

    pub fn admit(&self, id: &ImageId) {
        self.refused.lock().unwrap().remove(id);
    }

    /// The revision that an index holds newer, or at the same revision with another content.
    fn ahead(&self, document: &IndexDocument) -> Option<i64> {
        let tombstone = self.buried(&document.id);
        let held = self.held().get(&document.id).cloned();
        let live = held
            .filter(|held| held.content_hash() != document.content_hash())
            .map(|held| held.revision);
        let held = tombstone.or(live);
        held.filter(|held| *held >= document.revision)
    }

    pub fn lose_everything(&self) {
        self.held().clear();
        self.tombstones.lock().unwrap().clear();
    }

    /// Holds a deletion that the store never made.
    pub fn bury(&self, id: &ImageId, revision: i64) {
        let buried = (id.clone(), revision);
        self.tombstones.lock().unwrap().extend([buried]);
    }

    pub fn buried(&self, id: &ImageId) -> Option<i64> {
        self.tombstones.lock().unwrap().get(id).copied()
    }

    pub fn close(gate: &Semaphore) {
        gate.forget_permits(OPEN);
    }

    pub fn open(gate: &Semaphore) {
        gate.add_permits(OPEN);
    }

    pub fn held(&self) -> MutexGuard<'_, BTreeMap<ImageId, IndexDocument>> {
        self.held.lock().unwrap()
    }

    pub fn searches(&self) -> usize {
        self.searched.lock().unwrap().len()
    }

    pub fn last_search(&self) -> SearchRequest {
        self.searched
            .lock()
            .unwrap()
            .last()
            .cloned()
            .expect("a search came")
    }

    pub fn bump(&self) -> i64 {
        self.generation.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn manifest_sha256(&self) -> String {
        let lines: String = self
            .held()
            .iter()
            .map(|(id, document)| format!("{id} {}\n", document.content_hash()))
            .collect();
        ContentHash::of(lines).as_str().to_owned()
    }
}

async fn misbehave(State(Shared(double)): State<Shared>, request: Request, next: Next) -> Response {
    double.requests.fetch_add(1, Ordering::SeqCst);
    let fault = double.fault.load(Ordering::SeqCst);
    if fault != 0 {
        let status = StatusCode::from_u16(fault as u16).unwrap();
        return ProblemResponse::new(status, "internal", "Broken", "secret cause").into_response();
    }
    let turn_away = |left: u32| left.checked_sub(1);
    let (order, unauthorized) = (Ordering::SeqCst, &double.unauthorized);
    if unauthorized.fetch_update(order, order, turn_away).is_ok() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    next.run(request).await
}

async fn put_documents(
    _caller: Authorized<IndexWrite>,
    State(Shared(double)): State<Shared>,
    Json(request): Json<PutDocuments>,
) -> Result<Json<PutDocumentsAnswer>, ProblemResponse> {
    let refused = double.refused.lock().unwrap().clone();
    if request
        .documents
        .iter()
        .any(|document| refused.contains(&document.id))
    {
        double.refusals.fetch_add(1, Ordering::SeqCst);
        let status = StatusCode::BAD_REQUEST;
        return Err(ProblemResponse::new(
            status,
            "invalid-document",
            "Invalid",
            "no good",
        ));
    }
    double.puts.fetch_add(1, Ordering::SeqCst);
    double
        .documents_put
        .fetch_add(request.documents.len(), Ordering::SeqCst);
    let (mut written, mut unchanged, mut ahead) = (0, 0, Vec::new());
    for document in request.documents {
        if let Some(revision) = double.ahead(&document) {
            let id = document.id;
            ahead.push(HeldRevision { id, revision });
            continue;
        }
        double.tombstones.lock().unwrap().remove(&document.id);
        let known = double
            .held()
            .get(&document.id)
            .map(IndexDocument::content_hash);
        if known == Some(document.content_hash()) {
            unchanged += 1;
        } else {
            written += 1;
        }
        if !double.forgetful.load(Ordering::SeqCst) {
            double.held().insert(document.id.clone(), document);
        }
    }
    double
        .documents_unchanged
        .fetch_add(unchanged as usize, Ordering::SeqCst);
    let generation = if written > 0 {
        double.bump()
    } else {
        double.generation.load(Ordering::SeqCst)
    };
    drop(double.put_gate.acquire().await);
    Ok(Json(PutDocumentsAnswer {
        written,
        unchanged,
        generation,
        ahead,
    }))
}

async fn delete_documents(
    _caller: Authorized<IndexWrite>,
    State(Shared(double)): State<Shared>,
    Json(request): Json<DeleteDocuments>,
) -> Json<DeleteDocumentsAnswer> {
    let (mut deleted, mut ahead) = (0, Vec::new());
    for deletion in request.documents {
        let held = double.held().get(&deletion.id).map(|held| held.revision);
        if let Some(revision) = held.filter(|held| *held > deletion.revision) {
            let id = deletion.id;
            ahead.push(HeldRevision { id, revision });
            continue;
        }
        deleted += u32::from(double.held().remove(&deletion.id).is_some());
        double.bury(&deletion.id, deletion.revision);
    }
    Json(DeleteDocumentsAnswer {
        deleted,
        generation: double.bump(),
        ahead,
    })
}

/// Finds everything in reverse order of the ids, whatever the filters; nothing for "nothing".
async fn search(
    _caller: Authorized<ContentRead>,
    State(Shared(double)): State<Shared>,
    Json(request): Json<SearchRequest>,
) -> Json<SearchAnswer> {
    double.searched.lock().unwrap().push(request.clone());
    drop(double.search_gate.acquire().await);
    let reason = Reason {
        dense: 0.5,
        lexical: 0.25,
        matched_terms: vec!["word".to_owned()],
    };
    let hits: Vec<SearchHit> = double
        .held()
        .keys()
        .rev()
        .filter(|_| request.text != "nothing")
        .take(request.limit as usize)
        .map(|id| SearchHit {
            id: id.clone(),
            score: 0.75,
            reason: reason.clone(),
        })
        .collect();
    Json(SearchAnswer {
        no_match: hits.is_empty(),
        hits,
        floor: 0.5,
        language: request.language.unwrap_or(Language::Es),
        engine: "double".to_owned(),
        model: ModelId::new("double-v1"),
        generation: double.generation.load(Ordering::SeqCst),
        embed_ms: 0.1,
    })
}

async fn status(
    _caller: Authorized<ContentRead>,
    State(Shared(double)): State<Shared>,
) -> Json<IndexStatusAnswer> {
    double.statuses.fetch_add(1, Ordering::SeqCst);
    let engine = |name: &str, manifest_sha256: String, ready: bool| EngineStatus {
        engine: name.to_owned(),
        version: "1".to_owned(),
        model: ModelId::new("double-v1"),
        documents: double.held().len() as u64,
        manifest_sha256,
        ready,
        fault: (!ready).then(|| "broken".to_owned()),
    };
    let indexes = vec![
        engine("double", double.manifest_sha256(), true),
        // One that is down says nothing about what is indexed.
        engine("broken", "0".repeat(64), false),
    ];
    Json(IndexStatusAnswer {
        model: ModelId::new("double-v1"),
        dimensions: 2,
        generation: double.generation.load(Ordering::SeqCst),
        indexes,
    })
}

async fn generation(
    _caller: Authorized<ContentRead>,
    State(Shared(double)): State<Shared>,
) -> Json<IndexGenerationAnswer> {
    Json(IndexGenerationAnswer {
        model: ModelId::new("double-v1"),
        generation: double.generation.load(Ordering::SeqCst),
    })
}

#[derive(serde::Deserialize)]
struct Page {
    after: Option<ImageId>,
    limit: usize,
}

async fn held_documents(
    _caller: Authorized<ContentRead>,
    State(Shared(double)): State<Shared>,
    Query(page): Query<Page>,
) -> Json<HeldDocumentsAnswer> {
    let from = page.after.map_or(Bound::Unbounded, Bound::Excluded);
    let held = double.held();
    let line = |(id, document): (&ImageId, &IndexDocument)| HeldDocument {
        id: id.clone(),
        revision: document.revision,
        content_hash: document.content_hash(),
    };
    let page = held.range((from, Bound::Unbounded)).take(page.limit);
    let documents = page.map(line).collect();
    Json(HeldDocumentsAnswer { documents })
}

async fn reconcile(
    _caller: Authorized<IndexWrite>,
    State(Shared(double)): State<Shared>,
) -> Json<ReconcileAnswer> {
    double.reconciles.fetch_add(1, Ordering::SeqCst);
    Json(ReconcileAnswer {
        engines: Vec::new(),
    })
}
