//! Each endpoint as a client sees it: real sockets, real tokens, the real model.

use std::{sync::Arc, time::Duration};

use auth::{KeySet, TrustedGateways, Verifier, VerifierConfig};
use base64::{Engine, prelude::BASE64_STANDARD};
use contracts::{Problem, Scope, problem::PROBLEM_JSON};
use embedder::{Service, index::VectorIndex, model::Embedder};
use local_idp::{LocalIdp, LocalIdpConfig, RegisteredClient};
use reqwest::{Method, Response, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use service_kit::{CancellationToken, Clock};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::harness::{FUSION, Flaky, Mood, dot, plain, pool};

const API: &str = "https://promptsales.local/api";

/// The embedder behind a socket, with two indexes and an authorization server.
pub struct Api {
    pub indexes: [Arc<Flaky>; 2],
    origin: String,
    idp: LocalIdp,
    http: reqwest::Client,
    stop: CancellationToken,
    _keys: TempDir,
}

impl Drop for Api {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Api {
    /// `None` where there is no model.
    pub async fn start() -> Option<Self> {
        let model: Arc<dyn Embedder> = pool()?;
        let (clock, stop) = (Clock::system(), CancellationToken::new());
        let keys = tempfile::tempdir().unwrap();
        let listener = LocalIdp::bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let every = Scope::ALL.into_iter().collect();
        let config = LocalIdpConfig {
            issuer: issuer.parse().unwrap(),
            clients: vec![RegisteredClient::generate("content-api", every).unwrap()],
            audiences: vec![API.to_owned()],
            token_lifetime: Duration::from_secs(600),
            key_dir: keys.path().join("keys"),
        };
        let idp = LocalIdp::new(config, clock.clone()).unwrap();
        tokio::spawn(service_kit::listen::serve(
            listener,
            idp.router(),
            stop.clone(),
        ));

        let http = service_kit::http_client::build(Duration::from_secs(30)).unwrap();
        let mut config = VerifierConfig::new(idp.issuer().parse().unwrap(), API);
        // Nobody calls for anybody else here, and the keys of who might are away.
        config.gateways = Some(TrustedGateways {
            clients: vec!["mcp-gateway".to_owned()],
            keys: KeySet::File(keys.path().join("callers.json")),
        });
        let verifier = Arc::new(Verifier::new(config, http.clone(), clock.clone()));
        let indexes = ["one", "two"].map(Flaky::new);
        let held = indexes
            .iter()
            .map(|index| Arc::clone(index) as Arc<dyn VectorIndex>);
        let service = Service::with(model, held.collect(), FUSION, &clock);
        let router = service.await.unwrap().router(verifier);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(service_kit::listen::serve(listener, router, stop.clone()));
        Some(Self {
            indexes,
            origin,
            idp,
            http,
            stop,
            _keys: keys,
        })
    }

    pub fn token(&self, scope: Scope) -> String {
        let scopes = [scope].into_iter().collect();
        let minute = Duration::from_secs(60);
        let token = self.idp.issue("content-api", &scopes, API, minute).unwrap();
        token.expose_secret().to_owned()
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.origin))
    }

    /// Sends JSON with the scope that the route asks for.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Response {
        let reads = ["/v1/embeddings", "/v1/search", "/v1/index/"];
        let reads = path != "/v1/index/reconcile" && reads.iter().any(|at| path.starts_with(at));
        let scope = if reads {
            Scope::ContentRead
        } else {
            Scope::IndexWrite
        };
        let request = self.request(method, path).bearer_auth(self.token(scope));
        request.json(body).send().await.unwrap()
    }

    /// The answer of a request that must succeed.
    pub async fn ok(&self, method: Method, path: &str, body: Value) -> Value {
        let response = self.send(method, path, &body).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    /// The problem of a request that must fail, as `status slug`, and its detail.
    pub async fn refused(&self, method: Method, path: &str, body: Value) -> (String, String) {
        problem(self.send(method, path, &body).await).await
    }

    pub async fn put_one(&self, slug: &str, revision: i64, word: &str) -> Value {
        let body = json!({ "documents": [plain(slug, revision, word)] });
        self.ok(Method::PUT, "/v1/documents", body).await
    }
}

/// Checks the shape of a problem and that it tells nothing of the inside.
pub async fn problem(response: Response) -> (String, String) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], PROBLEM_JSON, "{status}");
    let text = response.text().await.unwrap();
    for internal in [
        "s3cret",
        "switched off",
        "panicked",
        ".rs:",
        "src/",
        "sqlx",
        "backtrace",
    ] {
        assert!(!text.contains(internal), "{text}");
    }
    let problem: Problem = serde_json::from_str(&text).unwrap();
    assert_eq!(problem.status, status);
    assert!(
        !problem.title.is_empty() && !problem.detail.is_empty(),
        "{text}"
    );
    (format!("{status} {}", problem.slug()), problem.detail)
}

#[tokio::test]
async fn documents_are_put_found_counted_and_deleted() {
    let Some(api) = Api::start().await else {
        return;
    };
    let put = api
        .put_one("beach", 1, "una playa tranquila con palmeras")
        .await;
    assert_eq!((&put["written"], &put["unchanged"]), (&json!(1), &json!(0)));
    let again = api
        .put_one("beach", 1, "una playa tranquila con palmeras")
        .await;
    assert_eq!(
        (&again["written"], &again["unchanged"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(again["generation"], put["generation"]);

    let search = json!({ "text": "playa de palmeras", "limit": 5 });
    let found = api.ok(Method::POST, "/v1/search", search.clone()).await;
    assert_eq!(found["hits"][0]["id"], "beach");
    assert_eq!(
        found["hits"][0]["reason"]["matched_terms"],
        json!(["playa", "palmeras"])
    );
    assert_eq!(
        (&found["engine"], &found["no_match"]),
        (&json!("one"), &json!(false))
    );
    assert_eq!(
        (&found["language"], &found["model"]),
        (&json!("es"), &json!("minilm-es-en-v1"))
    );

    let deletion = json!({ "documents": [{ "id": "beach", "revision": 2 }] });
    let deleted = api
        .ok(Method::DELETE, "/v1/documents", deletion.clone())
        .await;
    assert_eq!(deleted["deleted"], 1);
    assert!(deleted["generation"].as_i64() > put["generation"].as_i64());
    let deleted = api.ok(Method::DELETE, "/v1/documents", deletion).await;
    assert_eq!(deleted["deleted"], 0, "a repeated deletion is no error");
    let found = api.ok(Method::POST, "/v1/search", search).await;
    assert_eq!(
        (&found["hits"], &found["no_match"]),
        (&json!([]), &json!(true))
    );
}

#[tokio::test]
async fn status_and_reconcile_tell_and_mend_a_difference() {
    let Some(api) = Api::start().await else {
        return;
    };
    api.indexes[1].set(Mood::Failing);
    api.put_one("a", 1, "uno").await;
    let status = api.ok(Method::GET, "/v1/index/status", Value::Null).await;
    assert_eq!(
        (&status["model"], &status["dimensions"]),
        (&json!("minilm-es-en-v1"), &json!(384))
    );
    let [one, two] = [&status["indexes"][0], &status["indexes"][1]];
    assert_eq!(
        (&one["engine"], &one["documents"], &one["ready"]),
        (&json!("one"), &json!(1), &json!(true))
    );
    assert_eq!(
        (&two["engine"], &two["ready"]),
        (&json!("two"), &json!(false))
    );

    api.indexes[1].set(Mood::Well);
    let repaired = api
        .ok(Method::POST, "/v1/index/reconcile", Value::Null)
        .await;
    let expected = json!({ "engine": "two", "missing": 1, "stale": 0, "extra": 0 });
    assert_eq!(repaired["engines"][1], expected);
    let status = api.ok(Method::GET, "/v1/index/status", Value::Null).await;
    let digests = [0, 1].map(|place| status["indexes"][place]["manifest_sha256"].clone());
    assert_eq!(digests[0], digests[1]);
    assert_eq!(digests[0].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn health_needs_no_token_and_follows_the_indexes() {
    let Some(api) = Api::start().await else {
        return;
    };
    let get = async |path: &str| api.request(Method::GET, path).send().await.unwrap();
    assert_eq!(get("/livez").await.status(), StatusCode::OK);
    api.indexes[0].set(Mood::Failing);
    let response = get("/readyz").await;
    assert_eq!(response.status(), StatusCode::OK, "one index is enough");
    let body: Value = response.json().await.unwrap();
    let degraded = json!(["index one", "the callers' keys"]);
    assert_eq!(body["degraded"], degraded);
    assert_eq!(body["missing"], json!([]));
    // One that never answers does not keep the question waiting.
    api.indexes[0].set(Mood::Hanging);
    let body: Value = get("/readyz").await.json().await.unwrap();
    assert_eq!(body["degraded"], degraded);
    api.indexes[1].set(Mood::Failing);
    let response = get("/readyz").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["missing"], json!(["index one", "index two"]));
}

#[tokio::test]
async fn embeddings_have_openais_shape_in_both_formats() {
    let Some(api) = Api::start().await else {
        return;
    };
    let path = "/v1/embeddings";
    let input = json!(["un faro", "a lighthouse"]);
    let floats = api.ok(Method::POST, path, json!({ "input": input })).await;
    assert_eq!(
        (&floats["object"], &floats["model"]),
        (&json!("list"), &json!("minilm-es-en-v1"))
    );
    assert_eq!(
        floats["usage"]["prompt_tokens"],
        floats["usage"]["total_tokens"]
    );
    assert!(floats["usage"]["total_tokens"].as_u64() >= Some(6));
    let asked = json!({
        "input": input, "encoding_format": "base64", "model": "minilm-es-en-v1", "dimensions": 384,
        "user": "someone",
    });
    let encoded = api.ok(Method::POST, path, asked).await;
    for place in 0..2 {
        let item = &floats["data"][place];
        assert_eq!(
            (&item["object"], &item["index"]),
            (&json!("embedding"), &json!(place))
        );
        let float: Vec<f32> = serde_json::from_value(item["embedding"].clone()).unwrap();
        let text = encoded["data"][place]["embedding"].as_str().unwrap();
        let bytes = BASE64_STANDARD.decode(text).unwrap();
        let (chunks, rest) = bytes.as_chunks::<4>();
        let decoded: Vec<f32> = chunks
            .iter()
            .map(|chunk| f32::from_le_bytes(*chunk))
            .collect();
        assert!(rest.is_empty() && decoded.len() == 384 && float.len() == 384);
        assert!(dot(&float, &decoded) > 0.9999);
    }
    let single = api
        .ok(Method::POST, path, json!({ "input": "un faro" }))
        .await;
    assert_eq!(single["data"].as_array().unwrap().len(), 1);
    let most = vec!["mar"; 512];
    let most = api.ok(Method::POST, path, json!({ "input": most })).await;
    assert_eq!(most["data"].as_array().unwrap().len(), 512);
}

#[tokio::test]
async fn a_token_is_needed_and_its_scope_counts() {
    let Some(api) = Api::start().await else {
        return;
    };
    let (reader, writer) = (api.token(Scope::ContentRead), api.token(Scope::IndexWrite));
    let search = json!({ "text": "x", "limit": 1 });
    let documents = json!({ "documents": [{ "id": "a", "revision": 1 }] });
    for (method, path, wrong, body) in [
        (
            Method::POST,
            "/v1/embeddings",
            &writer,
            &json!({ "input": "x" }),
        ),
        (Method::POST, "/v1/search", &writer, &search),
        (Method::GET, "/v1/index/status", &writer, &Value::Null),
        (
            Method::PUT,
            "/v1/documents",
            &reader,
            &json!({ "documents": [plain("a", 1, "x")] }),
        ),
        (Method::DELETE, "/v1/documents", &reader, &documents),
        (Method::POST, "/v1/index/reconcile", &reader, &Value::Null),
    ] {
        let request = || api.request(method.clone(), path).json(body);
        let response = request().send().await.unwrap();
        assert!(
            response.headers()["www-authenticate"]
                .to_str()
                .unwrap()
                .starts_with("Bearer")
        );
        assert_eq!(
            problem(response).await.0,
            "401 missing-token",
            "{method} {path}"
        );
        let garbage = request().bearer_auth("a.b.c").send().await.unwrap();
        assert_eq!(
            problem(garbage).await.0,
            "401 invalid-token",
            "{method} {path}"
        );
        let response = request().bearer_auth(wrong).send().await.unwrap();
        let challenge = response.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(challenge.contains("insufficient_scope"), "{challenge}");
        assert_eq!(
            problem(response).await.0,
            "403 insufficient-scope",
            "{method} {path}"
        );
    }
    assert_eq!(api.indexes[0].manifest().await.unwrap().iter().count(), 0);
}

#[tokio::test]
async fn faults_of_the_indexes_are_problems_without_their_causes() {
    let Some(api) = Api::start().await else {
        return;
    };
    api.put_one("a", 1, "uno").await;
    api.indexes[0].set(Mood::Failing);
    let search = || json!({ "text": "uno", "limit": 1, "min_score": 0 });
    let found = api.ok(Method::POST, "/v1/search", search()).await;
    assert_eq!(
        (&found["engine"], &found["hits"][0]["id"]),
        (&json!("two"), &json!("a"))
    );
    api.indexes[1].set(Mood::Failing);
    let documents = json!({ "documents": [plain("b", 1, "dos")] });
    for (method, path, body) in [
        (Method::POST, "/v1/search", search()),
        (Method::PUT, "/v1/documents", documents),
        (Method::POST, "/v1/index/reconcile", Value::Null),
    ] {
        let response = api.send(method, path, &body).await;
        assert!(response.headers().contains_key("retry-after"), "{path}");
        assert_eq!(problem(response).await.0, "503 unavailable", "{path}");
    }
    let status = api.ok(Method::GET, "/v1/index/status", Value::Null).await;
    assert_eq!(status["indexes"][0]["ready"], false, "status still answers");
}
