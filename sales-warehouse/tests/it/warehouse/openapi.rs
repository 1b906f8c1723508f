//! The OpenAPI document and the service agree.

use std::collections::BTreeSet;

use contracts::Scope;
use serde_json::{Value, json};

use super::{api::Service, fixture::Fixture};

/// Every route that is served. A new one is added here and, by its handler, to the document.
const ROUTES: [(&str, &str); 8] = [
    ("get", "/livez"),
    ("get", "/openapi.json"),
    ("get", "/readyz"),
    ("get", "/v1/etl/runs"),
    ("get", "/v1/freshness"),
    ("get", "/v1/metrics"),
    ("post", "/v1/metrics/query"),
    ("post", "/v1/questions"),
];
const SALES: Option<&[Scope]> = Some(&[Scope::SalesRead]);

/// Refuses what the schema of that name does not allow.
#[track_caller]
fn assert_valid(document: &Value, name: &str, instance: &Value) {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{name}"),
        "components": document["components"],
    });
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(instance)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:?}");
}

#[tokio::test]
async fn every_route_is_documented_with_its_scope_and_where_tokens_come_from() {
    let Some(fixture) = Fixture::empty().await else {
        return;
    };
    let service = Service::start(&fixture).await;
    let (_, document) = service.get("/openapi.json", None).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "https://warehouse.test");
    let flow = &document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"];
    assert_eq!(flow["tokenUrl"], format!("{}/token", service.idp.issuer()));
    assert!(flow["scopes"]["sales:read"].is_string());
    let paths = document["paths"].as_object().unwrap();
    let documented: BTreeSet<(&str, &str)> = paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| (method.as_str(), path.as_str()))
        })
        .collect();
    assert_eq!(documented, BTreeSet::from(ROUTES));
    for (method, path) in ROUTES {
        let security = &document["paths"][path][method]["security"];
        if path.starts_with("/v1/") {
            assert_eq!(*security, json!([{"oauth2": ["sales:read"]}]), "{path}");
        } else {
            assert!(security.is_null(), "{path}");
        }
    }
}

#[tokio::test]
async fn live_answers_are_as_the_schemas_say() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let service = Service::start(&fixture).await;
    let (_, document) = service.get("/openapi.json", None).await;
    let (_, never) = service.get("/v1/freshness", SALES).await;
    assert_valid(&document, "FreshnessAnswer", &never);
    fixture.run().await;
    // One more with a failure in it.
    fixture
        .crm("alter table crm.leads rename column score to points")
        .await;
    fixture.try_run().await;
    let (_, runs) = service.get("/v1/etl/runs", SALES).await;
    assert_valid(&document, "RunsAnswer", &runs);
    assert!(runs["runs"][0]["sources"][1]["error"].is_string(), "{runs}");
    let (_, fresh) = service.get("/v1/freshness", SALES).await;
    assert_valid(&document, "FreshnessAnswer", &fresh);
    let (_, readiness) = service.get("/readyz", None).await;
    assert_valid(&document, "Readiness", &readiness);
    let (_, problem) = service.get("/v1/etl/runs?limit=0", SALES).await;
    assert_valid(&document, "Problem", &problem);
    // The schemas of runs leave no column out.
    for (schema, live) in [
        ("Run", &runs["runs"][0]),
        ("SourceRun", &runs["runs"][0]["sources"][0]),
    ] {
        let told = document["components"]["schemas"][schema]["properties"].as_object();
        let told: BTreeSet<_> = told.unwrap().keys().collect();
        let live: BTreeSet<_> = live.as_object().unwrap().keys().collect();
        assert_eq!(told, live, "{schema}");
    }
}
