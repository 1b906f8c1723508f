//! The OpenAPI document and the service agree.

use std::collections::BTreeSet;

use contracts::Scope;
use serde_json::{Value, json};

use content_api::store::CampaignStore;

use crate::{
    sample::{stamp, store_with_picture},
    world::World,
};

/// Every route that is served, with the scope that it asks for. A new one is added here and, by its
/// handler, to the document.
const ROUTES: [(&str, &str, &str); 21] = [
    ("get", "/livez", ""),
    ("get", "/openapi.json", ""),
    ("get", "/readyz", ""),
    ("get", "/v1/campaigns", "content:read"),
    ("post", "/v1/campaigns", "campaigns:write"),
    ("get", "/v1/campaigns/{id}", "content:read"),
    ("patch", "/v1/campaigns/{id}", "campaigns:write"),
    ("get", "/v1/campaigns/{id}/log", "content:read"),
    ("get", "/v1/changes", "content:read"),
    ("get", "/v1/content", "content:read"),
    ("post", "/v1/content", "content:write"),
    (
        "delete",
        "/v1/content/{id}",
        "content:write content:approve",
    ),
    ("get", "/v1/content/{id}", "content:read"),
    ("patch", "/v1/content/{id}", "content:write"),
    ("post", "/v1/content/{id}/approve", "content:approve"),
    ("get", "/v1/content/{id}/image", "content:read"),
    ("post", "/v1/content/{id}/retire", "content:approve"),
    ("post", "/v1/content/{id}/similar", "content:read"),
    ("post", "/v1/content/{id}/versions", "content:write"),
    ("get", "/v1/erasures", "content:approve"),
    ("post", "/v1/getContent", "content:read"),
];

async fn document(world: &World) -> Value {
    let reply = world
        .send(world.http.get(format!("{}/openapi.json", world.base)))
        .await;
    assert_eq!(reply.header("content-type"), "application/json");
    reply.json()
}

/// Refuses what the schema of that name does not allow.
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
async fn every_route_served_is_documented_and_every_documented_route_is_served() {
    let Some(world) = World::start().await else {
        return;
    };
    let document = document(&world).await;
    assert_eq!(document["openapi"], "3.1.0");
    let documented: BTreeSet<(&str, &str)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .keys()
                .map(move |method| (method.as_str(), path.as_str()))
        })
        .collect();
    let served: BTreeSet<(&str, &str)> = ROUTES.map(|(method, path, _)| (method, path)).into();
    assert_eq!(documented, served);
    store_with_picture(&world.store, "alpha").await;
    let campaign = crate::sample::campaign("alpha", &[]);
    let registered = world.store.register(&campaign, "k", &[], &stamp()).await;
    registered.unwrap();
    world.drained().await;
    for (method, path) in documented {
        let path = path.replace("{id}", "alpha");
        if method == "get" {
            let reply = world.send(world.request("GET", &path, &Scope::ALL)).await;
            assert_eq!(reply.status, 200, "{method} {path}");
            continue;
        }
        // Whatever it says to a request without a body, it is there and takes the method.
        let request = world.request(&method.to_uppercase(), &path, &Scope::ALL);
        let reply = world.send(request).await;
        assert!(
            ![404, 405].contains(&reply.status.as_u16()),
            "{method} {path}: {}",
            reply.status
        );
        store_with_picture(&world.store, "alpha").await;
    }
}

#[tokio::test]
async fn live_answers_are_as_the_schemas_say() {
    let Some(world) = World::start().await else {
        return;
    };
    let document = document(&world).await;
    store_with_picture(&world.store, "small").await;
    world.publish(&["alpha"]).await;
    let request = json!({
        "description": "shoes", "limit": 5, "language": "es", "min_score": 0.0,
        "filters": {"themes": ["sport"], "orientation": ["landscape"], "territory": "CR",
            "usable_on": "2026-11-23"},
    });
    assert_valid(&document, "GetContentRequest", &request);
    let answer: Value = world.find(request).await.json();
    assert_eq!(answer["results"].as_array().unwrap().len(), 2);
    assert_valid(&document, "GetContentAnswer", &answer);
    let nothing: Value = world.find(json!({"description": "nothing"})).await.json();
    assert_valid(&document, "GetContentAnswer", &nothing);
    let content: Value = world.get("/v1/content/alpha", &[]).await.json();
    assert_valid(&document, "ContentDocument", &content);
    let problem: Value = world.get("/v1/content/unknown", &[]).await.json();
    assert_valid(&document, "Problem", &problem);
    let readiness: Value = world.get("/readyz", &[]).await.json();
    assert_valid(&document, "Readiness", &readiness);
}

#[tokio::test]
async fn it_says_how_to_get_a_token_and_where_one_is_needed() {
    let Some(world) = World::start().await else {
        return;
    };
    let document = document(&world).await;
    let flow = &document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"];
    assert_eq!(flow["tokenUrl"], format!("{}/token", world.idp.issuer()));
    for (_, _, scope) in ROUTES {
        for scope in scope.split(' ').filter(|scope| !scope.is_empty()) {
            assert!(flow["scopes"][scope].is_string(), "{scope}");
        }
    }
    assert_eq!(document["servers"][0]["url"], world.base);
    for (method, path, scope) in ROUTES {
        let security = &document["paths"][path][method]["security"];
        if path.starts_with("/v1/") {
            let either = scope.split(' ').map(|scope| json!({"oauth2": [scope]}));
            assert_eq!(*security, either.collect::<Value>(), "{path}");
        } else {
            assert!(security.is_null(), "{path}");
        }
    }
}
