//! The routes: who may ask, and what they hear.

use std::{sync::Arc, time::Duration};

use auth::{Verifier, VerifierConfig};
use contracts::{Scope, scope::Scopes};
use local_idp::{LocalIdp, LocalIdpConfig};
use reqwest::StatusCode;
use sales_warehouse::api::{self, Deps};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use service_kit::{CancellationToken, Clock, http_client, listen, metrics::HttpMetrics};
use tokio::net::TcpListener;

use super::fixture::Fixture;

const AUDIENCE: &str = "https://promptsales.test";

pub struct Service {
    base: String,
    http: reqwest::Client,
    pub idp: LocalIdp,
    stop: CancellationToken,
    _keys: tempfile::TempDir,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Service {
    pub async fn start(fixture: &Fixture) -> Self {
        let stop = CancellationToken::new();
        let clock = Clock::system();
        let http = http_client::build(Duration::from_secs(30)).unwrap();
        let keys = tempfile::tempdir().unwrap();
        let listener = LocalIdp::bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let config = LocalIdpConfig {
            issuer: issuer.parse().unwrap(),
            clients: Vec::new(),
            audiences: vec![AUDIENCE.to_owned()],
            token_lifetime: Duration::from_secs(600),
            key_dir: keys.path().to_owned(),
        };
        let idp = LocalIdp::new(config, clock.clone()).unwrap();
        tokio::spawn(listen::serve(listener, idp.router(), stop.clone()));
        let expected = VerifierConfig::new(issuer.parse().unwrap(), AUDIENCE);
        let verifier = Arc::new(Verifier::new(expected, http.clone(), clock.clone()));
        let router = api::service(Deps {
            warehouse: fixture.warehouse.clone(),
            verifier,
            clock,
            public_url: "https://warehouse.test".parse().unwrap(),
            token_url: issuer.parse::<url::Url>().unwrap().join("/token").unwrap(),
            requests: HttpMetrics::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(listen::serve(listener, router, stop.clone()));
        Self {
            base,
            http,
            idp,
            stop,
            _keys: keys,
        }
    }

    pub async fn get(&self, path: &str, scopes: Option<&[Scope]>) -> (StatusCode, Value) {
        let mut request = self.http.get(format!("{}{path}", self.base));
        if let Some(scopes) = scopes {
            let scopes: Scopes = scopes.iter().copied().collect();
            let token = self
                .idp
                .issue("tester", &scopes, AUDIENCE, Duration::from_secs(600))
                .unwrap();
            request = request.bearer_auth(token.expose_secret());
        }
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }
}

#[tokio::test]
async fn both_routes_want_a_token_with_sales_read() {
    let Some(fixture) = Fixture::empty().await else {
        return;
    };
    let service = Service::start(&fixture).await;
    for path in ["/v1/freshness", "/v1/etl/runs"] {
        assert_eq!(service.get(path, None).await.0, StatusCode::UNAUTHORIZED);
        let other = [Scope::ContentRead, Scope::IndexWrite];
        let (status, problem) = service.get(path, Some(&other)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
    }
}

#[tokio::test]
async fn they_tell_of_runs_and_of_freshness() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let service = Service::start(&fixture).await;
    let sales = Some(&[Scope::SalesRead][..]);
    let (status, ready) = service.get("/readyz", None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready["missing"][0], "promptads has not been read yet");
    let (_, fresh) = service.get("/v1/freshness", sales).await;
    assert_eq!(
        fresh["sources"][0],
        json!({"source": "promptads", "as_of": null, "age_seconds": null, "stale": true})
    );

    fixture.run().await;
    fixture.run().await;
    assert_eq!(service.get("/readyz", None).await.0, StatusCode::OK);
    let (_, fresh) = service.get("/v1/freshness", sales).await;
    assert_eq!(fresh["sources"][1]["source"], "promptcrm");
    assert_eq!(fresh["sources"][1]["stale"], false);
    let (_, runs) = service.get("/v1/etl/runs", sales).await;
    assert_eq!(runs["runs"].as_array().unwrap().len(), 2);
    let (_, runs) = service.get("/v1/etl/runs?limit=1", sales).await;
    let run = &runs["runs"][0];
    assert_eq!(
        (&run["run_id"], &run["status"]),
        (&json!(2), &json!("succeeded"))
    );
    assert_eq!(run["sources"][0]["source"], "promptads");
    for limit in ["0", "101", "-1", "x", "5&more=1"] {
        let (status, problem) = service
            .get(&format!("/v1/etl/runs?limit={limit}"), sales)
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{limit}: {problem}");
    }
}
