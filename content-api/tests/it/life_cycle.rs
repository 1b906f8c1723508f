//! Documents written over HTTP: created, changed, approved, retired, deleted.

mod patches;

use contracts::{
    ContentDocument, Language, Scope,
    content::Status,
    lifecycle::{ContentPage, StoredContent},
};
use serde_json::{Value, json};

use crate::{
    sample::png,
    world::{Reply, Setup, World, until},
};

pub const WRITE: &[Scope] = &[Scope::ContentWrite];
const APPROVE: &[Scope] = &[Scope::ContentApprove];

/// Good metadata in one language.
pub fn metadata(title: &str) -> Value {
    json!({
        "text": {"es": {"title": title, "description": format!("{title} al sol"),
            "alt": "Una imagen", "hashtags": ["#Sol"]}},
        "themes": ["sport"], "channels": ["email"],
        "rights": {"licence": "CC-BY-4.0", "holder": "Nobody", "from": "2026-01-01",
            "territories": ["*"]},
    })
}

/// A multipart body, written by hand: parts as a browser sends them.
pub fn image_form(
    request: reqwest::RequestBuilder,
    file: Vec<u8>,
    metadata: Option<&Value>,
) -> reqwest::RequestBuilder {
    let mut body = Vec::new();
    if let Some(metadata) = metadata {
        let part = "--B\r\ncontent-disposition: form-data; name=\"metadata\"\r\n\
            content-type: application/json\r\n\r\n";
        body.extend(part.bytes());
        body.extend(metadata.to_string().bytes());
        body.extend(b"\r\n");
    }
    let part = "--B\r\ncontent-disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\
        content-type: application/octet-stream\r\n\r\n";
    body.extend(part.bytes());
    body.extend(file);
    body.extend(b"\r\n--B--\r\n");
    request
        .header("content-type", "multipart/form-data; boundary=B")
        .body(body)
}

pub async fn upload(world: &World, key: &str, file: Vec<u8>, metadata: Value) -> Reply {
    let request = world.request("POST", "/v1/content", WRITE);
    let request = request.header("idempotency-key", key);
    world.send(image_form(request, file, Some(&metadata))).await
}

async fn post(world: &World, path: &str, scopes: &[Scope]) -> Reply {
    world.send(world.request("POST", path, scopes)).await
}

pub async fn patch(
    world: &World,
    id: &str,
    if_match: &str,
    scopes: &[Scope],
    body: Value,
) -> Reply {
    let request = world.request("PATCH", &format!("/v1/content/{id}"), scopes);
    let request = request
        .header("if-match", if_match)
        .header("content-type", "application/merge-patch+json")
        .body(body.to_string());
    world.send(request).await
}

/// Stores an approved document and waits until the indexes hold it.
pub async fn approved(world: &World, shade: u8) -> String {
    let title = format!("Imagen {shade}");
    let reply = upload(
        world,
        &title.replace(' ', "-"),
        png(shade),
        metadata(&title),
    )
    .await;
    let id = reply.json::<StoredContent>().document.id.to_string();
    let reply = post(world, &format!("/v1/content/{id}/approve"), APPROVE).await;
    assert_eq!(reply.status, 200);
    world.drained().await;
    id
}

async fn found(world: &World) -> Vec<String> {
    let answer: Value = world.find(json!({"description": "sol"})).await.json();
    let ids = answer["results"].as_array().unwrap().iter();
    ids.map(|hit| hit["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn an_upload_is_a_draft_that_is_found_once_approved() {
    // Without a wake-up, nothing would be published for an hour.
    let hour = std::time::Duration::from_secs(3_600);
    let setup = Setup {
        tick: hour,
        audit: hour,
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    until("the first pass ends", async || {
        world.publisher.progress().passes > 0
    })
    .await;
    let reply = upload(&world, "k1", png(3), metadata("Playa Ñandú, 2026")).await;
    assert_eq!(reply.status, 201);
    let stored: StoredContent = reply.json();
    let document = stored.document;
    let id = document.id.as_str();
    assert!(id.starts_with("playa-nandu-2026-"), "{id}");
    assert_eq!(reply.header("location"), format!("/v1/content/{id}"));
    assert_eq!(reply.header("etag"), "\"1\"");
    assert_eq!(document.status, Status::Draft);
    assert_eq!(document.missing_languages, [Language::En]);
    assert_eq!(stored.duplicates, []);
    until("the draft is published", async || {
        world.double.held().len() == 1
    })
    .await;
    assert_eq!(found(&world).await, [""; 0], "a draft is not found");

    let reply = post(&world, &format!("/v1/content/{id}/approve"), APPROVE).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("etag")),
        (200, "\"2\"")
    );
    let held = async || {
        let held = world.double.held();
        held.values()
            .all(|held| held.facets.status == Status::Approved)
    };
    until("the approval is published", held).await;
    assert_eq!(found(&world).await, [id]);
    let again = post(&world, &format!("/v1/content/{id}/approve"), APPROVE).await;
    assert_eq!(again.header("etag"), "\"2\"", "once is enough");

    let reply = post(&world, &format!("/v1/content/{id}/retire"), APPROVE).await;
    assert_eq!(reply.json::<ContentDocument>().status, Status::Retired);
    assert_eq!(
        found(&world).await,
        [""; 0],
        "at once, whatever the index still holds"
    );
    assert_eq!(
        world.get(&format!("/v1/content/{id}"), &[]).await.status,
        200
    );
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_one_document() {
    let Some(world) = World::start().await else {
        return;
    };
    let first = upload(&world, "k", png(3), metadata("Uno")).await;
    let id = first.json::<StoredContent>().document.id;
    let patched = patch(&world, id.as_str(), "*", WRITE, json!({"themes": []})).await;
    assert_eq!(patched.status, 200);
    let again = upload(&world, "k", png(3), metadata("Uno")).await;
    assert_eq!((again.status.as_u16(), &again.body), (201, &first.body));
    for (file, words) in [(png(4), "Uno"), (png(3), "Dos")] {
        let reply = upload(&world, "k", file, metadata(words)).await;
        reply.problem(422, "idempotency-key-reused");
    }
    let at_once = (0..6).map(|_| upload(&world, "other", png(9), metadata("Tres")));
    for reply in futures::future::join_all(at_once).await {
        assert_eq!(reply.status, 201);
    }
    let page: ContentPage = world.get("/v1/content", &[]).await.json();
    assert_eq!(page.documents.len(), 2);

    let request = world.request("POST", "/v1/content", WRITE);
    let without = image_form(request, png(3), Some(&metadata("Uno")));
    world
        .send(without)
        .await
        .problem(400, "missing-idempotency-key");
    for bad in ["", "a b", &"k".repeat(129)] {
        let reply = upload(&world, bad, png(3), metadata("Uno")).await;
        reply.problem(400, "invalid-idempotency-key");
    }
    assert_eq!(
        upload(&world, &"k".repeat(128), png(3), metadata("Uno"))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn an_answer_lost_before_it_was_kept_is_made_again() {
    let Some(world) = World::start().await else {
        return;
    };
    upload(&world, "k", png(3), metadata("Uno")).await;
    sqlx::query("update content.request_keys set answer = null")
        .execute(&world.database.pool)
        .await
        .unwrap();
    let again = upload(&world, "k", png(3), metadata("Uno")).await;
    assert_eq!(again.json::<StoredContent>().document.revision, 1);
    let page: ContentPage = world.get("/v1/content", &[]).await.json();
    assert_eq!(page.documents.len(), 1);
}

#[tokio::test]
async fn an_id_of_ones_own_is_taken_once() {
    let Some(world) = World::start().await else {
        return;
    };
    let named = |id: &str| {
        let mut metadata = metadata("Uno");
        metadata["id"] = json!(id);
        metadata
    };
    let reply = upload(&world, "a", png(3), named("my-image")).await;
    assert_eq!(
        reply.json::<StoredContent>().document.id.as_str(),
        "my-image"
    );
    let taken = upload(&world, "b", png(3), named("my-image")).await;
    taken.problem(409, "id-taken");
    let reply = upload(&world, "c", png(3), named("My Image")).await;
    reply.problem(422, "invalid-metadata");
    let deleted = world.request("DELETE", "/v1/content/my-image", WRITE);
    assert_eq!(world.send(deleted).await.status, 204);
    let anew = upload(&world, "d", png(3), named("my-image")).await;
    assert_eq!(anew.json::<StoredContent>().document.revision, 3);
}

#[tokio::test]
async fn pictures_that_look_alike_are_reported() {
    let Some(world) = World::start().await else {
        return;
    };
    let first: StoredContent = upload(&world, "a", png(3), metadata("Uno")).await.json();
    let same: StoredContent = upload(&world, "b", png(3), metadata("Dos")).await.json();
    let [duplicate] = same.duplicates.as_slice() else {
        panic!("{:?}", same.duplicates)
    };
    assert_eq!(duplicate.id, first.document.id);
    assert_eq!((duplicate.exact, duplicate.distance), (true, 0));
    // The same picture at half the size.
    let picture = image::load_from_memory(&png(3)).unwrap();
    let mut small = std::io::Cursor::new(Vec::new());
    picture
        .resize_exact(128, 96, image::imageops::FilterType::Triangle)
        .write_to(&mut small, image::ImageFormat::Png)
        .unwrap();
    let reply = upload(&world, "c", small.into_inner(), metadata("Tres")).await;
    let alike: StoredContent = reply.json();
    assert_eq!(alike.duplicates.len(), 2, "{:?}", alike.duplicates);
    assert!(
        alike
            .duplicates
            .iter()
            .all(|other| !other.exact && other.distance <= 6)
    );
}

#[tokio::test]
async fn what_is_deleted_is_never_found_again() {
    let Some(world) = World::start_with(Setup {
        publish: false,
        ..Setup::default()
    })
    .await
    else {
        return;
    };
    let stop = service_kit::CancellationToken::new();
    let publishing = world.run_publisher(&stop);
    let id = approved(&world, 3).await;
    // In the cache, and from here on in an index that hears of nothing.
    assert_eq!(found(&world).await, [id.as_str()]);
    assert_eq!(found(&world).await, [id.as_str()]);
    stop.cancel();
    publishing.await.unwrap();
    let path = format!("/v1/content/{id}");
    let stale = world
        .request("DELETE", &path, WRITE)
        .header("if-match", "\"1\"");
    world.send(stale).await.problem(412, "revision-changed");
    let request = world
        .request("DELETE", &path, WRITE)
        .header("if-match", "\"2\"");
    assert_eq!(world.send(request).await.status, 204);
    assert_eq!(found(&world).await, [""; 0]);
    for gone in [path.clone(), format!("{path}/image")] {
        world.get(&gone, &[]).await.problem(404, "no-such-content");
    }
    let again = world.request("DELETE", &path, WRITE);
    world.send(again).await.problem(404, "no-such-content");
    world.run_publisher(&world.stop);
    until("the index hears of it", async || {
        world.double.held().is_empty()
    })
    .await;
}

#[tokio::test]
async fn lists_come_in_pages_and_as_asked_for() {
    let Some(world) = World::start().await else {
        return;
    };
    let mut expected = Vec::new();
    for shade in [10, 20, 30] {
        expected.push(approved(&world, shade).await);
    }
    upload(&world, "draft", png(40), metadata("Borrador")).await;
    expected.sort_unstable();
    let mut found = Vec::new();
    let mut path = "/v1/content?status=approved&hashtag=%23SOL&channel=email&limit=2".to_owned();
    loop {
        let page: ContentPage = world.get(&path, &[]).await.json();
        found.extend(page.documents.into_iter().map(|one| one.id.to_string()));
        let Some(next) = page.next else { break };
        path = format!("/v1/content?status=approved&limit=2&cursor={next}");
    }
    assert_eq!(found, expected);
    let since = world
        .get("/v1/content?changed_since=2026-11-23T12:00:01Z", &[])
        .await;
    assert_eq!(since.json::<ContentPage>().documents, []);
    for (query, slug) in [
        ("limit=0", "invalid-limit"),
        ("limit=201", "invalid-limit"),
        ("cursor=p.1", "invalid-cursor"),
        ("cursor=i.A%20B", "invalid-cursor"),
        ("status=gone", "invalid-filter"),
        ("channel=tv", "invalid-filter"),
        ("changed_since=yesterday", "invalid-filter"),
        ("hashtag=%00", "invalid-filter"),
        ("other=1", "invalid-query"),
    ] {
        let reply = world.get(&format!("/v1/content?{query}"), &[]).await;
        reply.problem(400, slug);
    }
    assert_eq!(world.get("/v1/content?limit=200", &[]).await.status, 200);
}

#[tokio::test]
async fn similar_ones_leave_the_document_itself_out() {
    let Some(world) = World::start().await else {
        return;
    };
    let (one, other) = (approved(&world, 10).await, approved(&world, 20).await);
    let path = format!("/v1/content/{one}/similar");
    let ask = |body: Value| {
        world
            .request("POST", &path, &[Scope::ContentRead])
            .json(&body)
    };
    let answer: Value = world.send(ask(json!({"limit": 1}))).await.json();
    let ids: Vec<&str> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|hit| hit["id"].as_str())
        .collect();
    assert_eq!(ids, [other.as_str()]);
    assert!(world.double.last_search().text.contains("Imagen 10"));
    assert!(world.double.last_search().filters.usable_on.is_some());
    world
        .send(ask(json!({"limit": 0})))
        .await
        .problem(400, "invalid-limit");
    world
        .send(ask(json!({"text": "x"})))
        .await
        .problem(422, "invalid-body");
}
