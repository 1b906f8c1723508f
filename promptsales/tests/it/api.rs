//! The HTTP API of a running system, with a token as `promptsales token` prints it.

mod access;
mod bad_input;

use contracts::ContentDocument;
use serde_json::{Value, json};

use crate::support::{Api, Reply, ids, shared_up};

#[tokio::test]
async fn twins_find_the_same_image_in_both_languages() {
    let Some(up) = shared_up() else { return };
    let api = Api::of(up);
    for (spanish, english, expected) in [
        (
            "paneles solares en un tejado",
            "solar panels on a roof",
            "solar-panels-roof",
        ),
        (
            "un faro sobre las rocas",
            "a lighthouse on the rocks",
            "rocky-beach-lighthouse",
        ),
        (
            "pastel de cumpleaños",
            "a birthday cake",
            "birthday-cake-candles",
        ),
        (
            "voluntarios plantan árboles",
            "volunteers plant trees",
            "tree-planting-volunteers",
        ),
    ] {
        for (language, description) in [("es", spanish), ("en", english)] {
            let body = json!({"description": description, "limit": 1});
            let answer = api.get_content(body).await.json();
            assert_eq!(ids(&answer), [expected], "{description}");
            assert_eq!(answer["language"], language);
            assert_eq!(answer["no_match"], false);
        }
    }
}

#[tokio::test]
async fn the_second_time_comes_from_the_cache_and_is_the_same() {
    let Some(up) = shared_up() else { return };
    let api = Api::of(up);
    // Said nowhere else in these tests.
    let body = json!({"description": "a beekeeper's breakfast of fresh bread", "limit": 2});
    let mut first = api.get_content(body.clone()).await.json();
    let mut second = api.get_content(body).await.json();
    assert_eq!(
        (&first["cached"], &second["cached"]),
        (&json!(false), &json!(true))
    );
    for answer in [&mut first, &mut second] {
        let answer = answer.as_object_mut().unwrap();
        assert!(answer.remove("took_ms").unwrap().as_f64().unwrap() >= 0.0);
        answer.remove("cached");
    }
    assert_eq!(first, second);
    assert_eq!(ids(&first)[0], "bakery-bread-basket");
}

#[tokio::test]
async fn the_image_and_its_renditions_can_be_fetched_and_kept() {
    let Some(up) = shared_up() else { return };
    let api = Api::of(up);
    let body = json!({"description": "sushi", "limit": 1});
    let answer = api.get_content(body).await.json();
    let hit = &answer["results"][0];
    let original = fetch(&api, &hit["image_url"]).await;
    let facts = images::image_facts(&original.body).unwrap();
    assert_eq!(facts.sha256, hit["image"]["sha256"].as_str().unwrap());
    assert_eq!(facts.width, hit["image"]["width"].as_u64().unwrap() as u32);

    let renditions = hit["renditions"].as_array().unwrap();
    assert!(renditions.len() >= 3, "{renditions:?}");
    for rendition in renditions {
        let reply = fetch(&api, &rendition["url"]).await;
        let facts = images::image_facts(&reply.body).unwrap();
        assert_eq!(rendition["width"], facts.width, "{rendition}");
        assert_eq!(rendition["height"], facts.height, "{rendition}");
        assert_eq!(rendition["media_type"], facts.media_type, "{rendition}");
    }
    for (format, media_type) in [
        ("webp", "image/webp"),
        ("jpeg", "image/jpeg"),
        ("png", "image/png"),
    ] {
        let path = format!("/v1/content/sushi-platter/image?width=300&format={format}");
        let reply = api.get(&path).await;
        let facts = images::image_facts(&reply.body).unwrap();
        assert_eq!((facts.width, facts.media_type.as_str()), (300, media_type));
        // This URL does not name the file's hash, so the picture behind it may change.
        assert_eq!(reply.header("cache-control"), "private, no-cache");
    }
}

/// An immutable picture at a URL that an answer gave.
async fn fetch(api: &Api, url: &Value) -> Reply {
    let url = url.as_str().unwrap();
    assert!(url.starts_with(api.base.as_str()), "{url}");
    let reply = Reply::of(api.http.get(url).bearer_auth(&api.token)).await;
    assert_eq!(reply.status, 200, "{url}");
    let kept = reply.header("cache-control");
    assert_eq!(kept, "private, max-age=31536000, immutable", "{url}");
    assert!(!reply.header("etag").is_empty());
    reply
}

#[tokio::test]
async fn a_document_tells_all_that_is_known() {
    let Some(up) = shared_up() else { return };
    let api = Api::of(up);
    let document: ContentDocument =
        serde_json::from_value(api.get("/v1/content/sushi-platter").await.json()).unwrap();
    assert_eq!(document.id.as_str(), "sushi-platter");
    assert_eq!(document.text.len(), 2);
    assert_eq!(document.themes, ["food"]);
    api.get("/v1/content/no-such-image")
        .await
        .problem(404, "no-such-content");
    api.get("/v1/content/no-such-image/image")
        .await
        .problem(404, "no-such-content");
}

#[tokio::test]
async fn filters_filter() {
    let Some(up) = shared_up() else { return };
    let api = Api::of(up);
    let all = documents(&api, json!({})).await;
    assert_eq!(all.len(), 66);
    let rights = |document: &ContentDocument| document.rights.territories.clone();
    let usable_in = |territory: &str, document: &ContentDocument| {
        rights(document)
            .iter()
            .any(|code| code == "*" || code == territory)
    };
    type Fits<'a> = Box<dyn Fn(&ContentDocument) -> bool + 'a>;
    let cases: [(Value, Fits<'_>); 5] = [
        (
            json!({"themes": ["pets"]}),
            Box::new(|document| document.themes.contains(&"pets".to_owned())),
        ),
        (
            json!({"orientation": ["square"]}),
            Box::new(|document| document.image.orientation.as_str() == "square"),
        ),
        (
            json!({"territory": "GB"}),
            Box::new(|document| usable_in("GB", document)),
        ),
        (
            json!({"territory": "CR", "orientation": ["portrait", "square"]}),
            Box::new(|document| {
                usable_in("CR", document) && document.image.orientation.as_str() != "landscape"
            }),
        ),
        (
            json!({"usable_on": "1999-12-31"}),
            Box::new(|document| document.rights.from.as_str() <= "1999-12-31"),
        ),
    ];
    for (filters, fits) in cases {
        let found = documents(&api, filters.clone()).await;
        let found: Vec<_> = found.iter().map(|document| document.id.as_str()).collect();
        let expected = all.iter().filter(|document| fits(document));
        let expected: Vec<_> = expected.map(|document| document.id.as_str()).collect();
        assert_eq!(found, expected, "{filters}");
        assert!(found.len() < all.len(), "{filters} leaves all");
    }
}

/// The documents of everything that a filter leaves, however little it fits; by id.
async fn documents(api: &Api, filters: Value) -> Vec<ContentDocument> {
    let body = json!({
        "description": "a picture", "limit": 100, "min_score": 0, "filters": filters,
    });
    let answer = api.get_content(body).await.json();
    let mut found = Vec::new();
    for id in ids(&answer) {
        let document = api.get(&format!("/v1/content/{id}")).await.json();
        found.push(serde_json::from_value::<ContentDocument>(document).unwrap());
    }
    found.sort_by(|one, other| one.id.cmp(&other.id));
    found
}

#[tokio::test]
async fn the_description_of_the_api_is_served_to_anybody() {
    let Some(up) = shared_up() else { return };
    let api = Api::of(up);
    let url = api.base.join("/openapi.json").unwrap();
    let description = Reply::of(api.http.get(url)).await.json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(description["paths"]["/v1/getContent"]["post"].is_object());
}
