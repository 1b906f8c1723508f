//! The OpenAPI document and the service agree.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{sample::store_with_picture, world::World};

/// Every route that is served. A new one is added here and, by its handler, to the document.
const ROUTES: [(&str, &str); 6] = [
    ("get", "/livez"),
    ("get", "/openapi.json"),
    ("get", "/readyz"),
    ("get", "/v1/content/{id}"),
    ("get", "/v1/content/{id}/image"),
    ("post", "/v1/getContent"),
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
    assert_eq!(documented, BTreeSet::from(ROUTES));
    store_with_picture(&world.store, "alpha").await;
    world.drained().await;
    for (method, path) in documented {
        let path = path.replace("{id}", "alpha");
        let reply = match method {
            "get" => world.get(&path, &[]).await,
            _ => world.find(json!({"description": "shoes"})).await,
        };
        assert_eq!(reply.status, 200, "{method} {path}");
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
    assert!(flow["scopes"]["content:read"].is_string());
    assert_eq!(document["servers"][0]["url"], world.base);
    for (method, path) in ROUTES {
        let security = &document["paths"][path][method]["security"];
        if path.starts_with("/v1/") {
            assert_eq!(*security, json!([{"oauth2": ["content:read"]}]), "{path}");
        } else {
            assert!(security.is_null(), "{path}");
        }
    }
}
