//! A double of the embedder: keeps what it is given, finds everything, and fails when told to.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicI64, AtomicU32, AtomicUsize, Ordering},
    },
};

use auth::{
    Authorized, Verifier,
    scope::{ContentRead, IndexWrite},
};
use axum::{
    Router,
    extract::{FromRef, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use contracts::{
    ContentHash, ImageId, Language, ModelId, Reason,
    index::{
        DeleteDocuments, DeleteDocumentsAnswer, EngineStatus, IndexDocument, IndexStatusAnswer,
        PutDocuments, PutDocumentsAnswer, ReconcileAnswer,
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
    refused: Mutex<Option<ImageId>>,
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
            refused: Mutex::default(),
            generation: AtomicI64::new(1_000),
            fault: AtomicU32::new(0),
            unauthorized: AtomicU32::new(0),
            requests: AtomicUsize::new(0),
            puts: AtomicUsize::new(0),
            documents_put: AtomicUsize::new(0),
            documents_unchanged: AtomicUsize::new(0),
            reconciles: AtomicUsize::new(0),
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
        *self.refused.lock().unwrap() = Some(id.clone());
    }

    pub fn lose_everything(&self) {
        self.held().clear();
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
    if double
        .unauthorized
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, turn_away)
        .is_ok()
    {
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
        .any(|document| Some(&document.id) == refused.as_ref())
    {
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
    let (mut written, mut unchanged) = (0, 0);
    for document in request.documents {
        let known = double
            .held()
            .get(&document.id)
            .map(IndexDocument::content_hash);
        if known == Some(document.content_hash()) {
            unchanged += 1;
        } else {
            written += 1;
        }
        double.held().insert(document.id.clone(), document);
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
    }))
}

async fn delete_documents(
    _caller: Authorized<IndexWrite>,
    State(Shared(double)): State<Shared>,
    Json(request): Json<DeleteDocuments>,
) -> Json<DeleteDocumentsAnswer> {
    let mut deleted = 0;
    for deletion in request.documents {
        deleted += u32::from(double.held().remove(&deletion.id).is_some());
    }
    Json(DeleteDocumentsAnswer {
        deleted,
        generation: double.bump(),
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

async fn reconcile(
    _caller: Authorized<IndexWrite>,
    State(Shared(double)): State<Shared>,
) -> Json<ReconcileAnswer> {
    double.reconciles.fetch_add(1, Ordering::SeqCst);
    Json(ReconcileAnswer {
        engines: Vec::new(),
    })
}
