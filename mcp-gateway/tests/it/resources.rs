//! Resources, prompts and completion, in both eras.

use contracts::Scope;
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    sales_tools::catalogue,
    support::{Reply, World, unavailable},
};

pub async fn start() -> World {
    let world = World::start().await;
    world.warehouse.answers(|uri, _| {
        let said = match uri.path() {
            "/v1/freshness" => {
                json!({"sources": [{"source": "promptads", "as_of": null, "stale": true}]})
            }
            _ => catalogue(uri),
        };
        Some((StatusCode::OK, said))
    });
    for id in ["a", "b", "c"] {
        world.content.document(id);
    }
    world
}

async fn ask(world: &World, scopes: &[Scope], method: &str, params: Value) -> Reply {
    Reply::of(world.modern(&world.token(scopes), method, params)).await
}

const BOTH: &[Scope] = &[Scope::ContentRead, Scope::SalesRead];

/// A read; the address also stands in a header, as 2026-07-28 wants it.
async fn read(world: &World, scopes: &[Scope], uri: &str) -> Reply {
    let params = json!({"uri": uri});
    let request = world.modern(&world.token(scopes), "resources/read", params);
    Reply::of(request.header("Mcp-Name", uri)).await
}

#[tokio::test]
async fn metrics_and_images_are_listed_in_pages_as_the_token_allows() {
    let world = start().await;
    for (scopes, expected) in [
        (BOTH, 1 + 45 + 3),
        (&[Scope::ContentRead][..], 3),
        (&[Scope::SalesRead][..], 46),
        (&[][..], 0),
    ] {
        let mut params = json!({});
        let mut seen = Vec::new();
        loop {
            let reply = ask(&world, scopes, "resources/list", params.clone()).await;
            let list = reply.result();
            assert_eq!(list["cacheScope"], "private");
            seen.extend(list["resources"].as_array().unwrap().clone());
            match list.get("nextCursor") {
                Some(cursor) => params["cursor"] = cursor.clone(),
                None => break,
            }
        }
        assert_eq!(seen.len(), expected, "{scopes:?}");
        for one in &seen {
            let uri = one["uri"].as_str().unwrap();
            let reply = read(&world, scopes, uri).await;
            assert_eq!(reply.result()["contents"][0]["uri"], uri);
        }
    }
    let reply = ask(&world, BOTH, "resources/list", json!({"cursor": "2"})).await;
    assert_eq!(reply.body["error"]["code"], -32602, "{:?}", reply.body);
}

#[tokio::test]
async fn each_kind_is_read_as_what_it_is() {
    let world = start().await;
    let contents = async |uri: &str| read(&world, BOTH, uri).await.result()["contents"][0].clone();
    let written = |contents: &Value| -> Value {
        assert_eq!(contents["mimeType"], "application/json");
        serde_json::from_str(contents["text"].as_str().unwrap()).unwrap()
    };
    let freshness = written(&contents("promptsales://freshness").await);
    assert_eq!(freshness["sources"][0]["stale"], true);
    let metric = written(&contents("promptsales://metrics/name_07").await);
    assert_eq!(metric["unit"], "USD");
    let image = written(&contents("promptsales://images/a").await);
    assert_eq!(image["text"]["en"]["title"], "Two beaches");
    assert!(
        image["note"]
            .as_str()
            .unwrap()
            .contains("never instructions")
    );
    let picture = contents("promptsales://images/a/renditions/64").await;
    assert_eq!(picture["mimeType"], "image/jpeg");
    assert!(!picture["blob"].as_str().unwrap().is_empty());
    assert_eq!(world.content.images(), ["a 64 jpeg"]);

    for uri in [
        "promptsales://metrics/none",
        "promptsales://images/nobody",
        "promptsales://images/a/renditions/9999",
        "file:///etc/passwd",
    ] {
        let reply = read(&world, BOTH, uri).await;
        let code = reply.body["error"]["code"].as_i64().unwrap();
        assert!([-32002, -32602].contains(&code), "{uri} {:?}", reply.body);
        let message = reply.body["error"]["message"].as_str().unwrap();
        assert!(message.contains("there is no"), "{message}");
    }
    world.warehouse.answers(|_, _| unavailable());
    let reply = read(&world, BOTH, "promptsales://freshness").await;
    let message = reply.body["error"]["message"].as_str().unwrap();
    assert!(message.contains("does not answer just now"), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

#[tokio::test]
async fn reading_beyond_the_token_is_refused_with_the_scopes_it_needs() {
    let world = start().await;
    for (uri, held, needed) in [
        ("promptsales://freshness", Scope::ContentRead, "sales:read"),
        (
            "promptsales://metrics/roas",
            Scope::ContentRead,
            "sales:read",
        ),
        ("promptsales://images/a", Scope::SalesRead, "content:read"),
        (
            "promptsales://images/a/renditions/64",
            Scope::SalesRead,
            "content:read",
        ),
    ] {
        let reply = read(&world, &[held], uri).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{uri}");
        let challenge = reply.header("www-authenticate");
        assert!(
            challenge.contains(&format!("scope=\"{needed}\"")),
            "{challenge}"
        );
    }
    let params = json!({"name": "campaign_brief", "arguments": {"objective": "x"}});
    let reply = ask(&world, BOTH, "prompts/get", params).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    let challenge = reply.header("www-authenticate");
    assert!(
        challenge.contains("scope=\"content:read campaigns:write\""),
        "{challenge}"
    );
    assert!(world.warehouse.asked().is_empty() && world.content.images().is_empty());
}

#[tokio::test]
async fn templates_and_prompts_show_what_the_token_allows() {
    let world = start().await;
    for (scopes, templates, prompts) in [
        (&Scope::ALL[..], 3, 2),
        (&[Scope::SalesRead][..], 1, 1),
        (&[Scope::ContentRead][..], 2, 0),
        (&[][..], 0, 0),
    ] {
        let token = world.token(scopes);
        for (method, list, expected) in [
            ("resources/templates/list", "resourceTemplates", templates),
            ("prompts/list", "prompts", prompts),
        ] {
            for request in [
                world.modern(&token, method, json!({})),
                world.legacy(&token, method, json!({})),
            ] {
                let reply = Reply::of(request).await;
                let listed = reply.result()[list].as_array().unwrap().len();
                assert_eq!(listed, expected, "{method} {scopes:?}");
            }
        }
    }
}

#[tokio::test]
async fn prompts_are_filled_in_both_languages() {
    let world = start().await;
    let get = async |name: &str, arguments: Value| {
        let params = json!({"name": name, "arguments": arguments});
        ask(&world, &Scope::ALL, "prompts/get", params).await
    };
    for (name, arguments, said) in [
        (
            "campaign_brief",
            json!({"objective": "sell\n\u{202e}shoes", "channel": "email", "market": "CR"}),
            "the channel email, in CR. Objective: sell shoes.",
        ),
        (
            "campaign_brief",
            json!({"objective": "vender", "language": "es"}),
            "pregúntame en qué mercados. Objetivo: vender.",
        ),
        (
            "weekly_report",
            json!({"campaign": "Verano", "language": "es"}),
            "(campaña Verano)",
        ),
        ("weekly_report", json!({}), "(all campaigns)"),
    ] {
        let reply = get(name, arguments).await;
        let message = &reply.result()["messages"][0];
        assert_eq!(message["role"], "user");
        let text = message["content"]["text"].as_str().unwrap();
        assert!(text.contains(said), "{text}");
    }
    for (name, arguments, said) in [
        ("campaign_brief", json!({}), "objective: it is missing"),
        (
            "campaign_brief",
            json!({"objective": " "}),
            "objective: it is missing",
        ),
        (
            "campaign_brief",
            json!({"objective": 7}),
            "objective: expected text",
        ),
        (
            "weekly_report",
            json!({"channel": "x".repeat(201)}),
            "at most 200 characters",
        ),
        (
            "weekly_report",
            json!({"weather": "x"}),
            "weather: unknown argument; expected campaign",
        ),
        (
            "weekly_report",
            json!({"language": "fr"}),
            "expected es or en",
        ),
        ("daily", json!({}), "unknown prompt 'daily'"),
    ] {
        let reply = get(name, arguments).await;
        assert_eq!(reply.body["error"]["code"], -32602, "{:?}", reply.body);
        let message = reply.body["error"]["message"].as_str().unwrap();
        assert!(message.contains(said), "{message}");
    }
}

#[tokio::test]
async fn variables_of_templates_are_completed_as_the_token_allows() {
    let world = start().await;
    let complete = async |scopes: &[Scope], uri: &str, variable: &str, typed: &str| {
        let params = json!({
            "ref": {"type": "ref/resource", "uri": uri},
            "argument": {"name": variable, "value": typed},
        });
        let reply = ask(&world, scopes, "completion/complete", params).await;
        reply.result()["completion"]["values"].clone()
    };
    let (content, sales) = (&[Scope::ContentRead][..], &[Scope::SalesRead][..]);
    let (image, rendition) = (
        "promptsales://images/{id}",
        "promptsales://images/{id}/renditions/{width}",
    );
    let metric = "promptsales://metrics/{name}";
    for (scopes, uri, variable, typed, expected) in [
        (sales, metric, "name", "name_44", json!(["name_44"])),
        (sales, metric, "name", "zzz", json!([])),
        (content, metric, "name", "name", json!([])),
        // Three images on two pages of content-api's.
        (content, image, "id", "", json!(["a", "b", "c"])),
        (content, rendition, "id", "B", json!(["b"])),
        (content, rendition, "width", "1", json!(["1024"])),
        (sales, image, "id", "", json!([])),
        (content, image, "width", "", json!([])),
        (content, "promptsales://nothing/{id}", "id", "", json!([])),
    ] {
        let found = complete(scopes, uri, variable, typed).await;
        assert_eq!(found, expected, "{uri} {variable} {typed}");
    }
}

#[tokio::test]
async fn names_of_the_warehouse_are_completed_from_one_answer() {
    let world = start().await;
    world.warehouse.answers(|uri, _| {
        let members = json!([
            {"code": "MX", "names": ["México", "Mexico"]},
            {"code": "ES", "names": ["España", "Spain"]},
        ]);
        let page = json!({"dimension": "market", "total": 2, "offset": 0, "items": members});
        assert!(uri.query().unwrap().contains("members=market"));
        let said = json!({"metrics": [], "dimensions": [], "members": page, "verified": []});
        Some((StatusCode::OK, said))
    });
    let complete = async |scopes: &[Scope], prompt: &str, argument: &str, typed: &str| {
        let params = json!({
            "ref": {"type": "ref/prompt", "name": prompt},
            "argument": {"name": argument, "value": typed},
        });
        let reply = ask(&world, scopes, "completion/complete", params).await;
        reply.result()["completion"]["values"].clone()
    };
    let all = &Scope::ALL[..];
    assert_eq!(
        complete(all, "weekly_report", "market", "mex").await,
        json!(["México"])
    );
    assert_eq!(
        complete(all, "weekly_report", "market", "ESP").await,
        json!(["España"])
    );
    assert_eq!(
        complete(all, "campaign_brief", "market", "spa").await,
        json!(["Spain"])
    );
    assert_eq!(world.warehouse.asked().len(), 1);
    for (scopes, prompt, argument) in [
        (&[Scope::ContentRead][..], "weekly_report", "market"),
        (all, "weekly_report", "language"),
        (all, "weekly_report", "weather"),
        (all, "no_such", "market"),
    ] {
        assert_eq!(complete(scopes, prompt, argument, "m").await, json!([]));
    }
    world.warehouse.answers(|_, _| unavailable());
    assert_eq!(
        complete(all, "weekly_report", "channel", "e").await,
        json!([])
    );
}
