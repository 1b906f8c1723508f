//! The gallery: who is pointed to it, and what Chromium shows of it, where `TEST_CHROMIUM` names one and
//! `TEST_MCP_NODE` a directory with a host of MCP Apps. `tests/clients/run` sees to that.

use std::path::{Path, PathBuf};

use contracts::{ContentHit, Language, Scope};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    Behaviour, Reply, World, answer,
    foreign::{Node, lines, named},
    hit, with_meta,
};

const URI: &str = "ui://promptsales/gallery";
const SHOWN: [&str; 4] = [
    "rocky-beach-lighthouse",
    "running-shoes-sunrise-track",
    "coffee-to-go-rain",
    "solar-panels-roof",
];

fn images() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../images")
}

/// The catalogue's words about an image, as a hit.
fn hit_of(id: &str, language: Language) -> ContentHit {
    let about = std::fs::read_to_string(images().join(format!("catalogue/{id}.toml"))).unwrap();
    let about: toml::Table = about.parse().unwrap();
    let texts = &about[language.code()];
    let text = |name: &str| texts[name].as_str().unwrap().to_owned();
    let tags = texts["hashtags"].as_array().unwrap();
    ContentHit {
        title: text("title"),
        description: text("description"),
        alt: text("alt"),
        hashtags: tags
            .iter()
            .map(|tag| tag.as_str().unwrap().to_owned())
            .collect(),
        ..hit(id)
    }
}

/// A world whose content-api has the pictures of `SHOWN` and gives these hits.
async fn world(hits: Vec<ContentHit>, language: Language) -> World {
    let world = World::start().await;
    for id in SHOWN {
        let picture = std::fs::read(images().join(format!("rendered/{id}.png"))).unwrap();
        world.content.document(id);
        world.content.picture(id, picture);
    }
    world.content.thumbnails(None);
    let mut given = answer(hits);
    given.language = language;
    world.content.behave(Behaviour::Answer(Box::new(given)));
    world
}

/// What the script reports, or nothing where something is not installed.
async fn shown(world: &World, language: Language, theme: &str, directory: &Path) -> Option<Value> {
    let node = Node::installed()?;
    let chromium = named("TEST_CHROMIUM")?;
    let screenshot = format!("gallery-{}-{theme}.png", language.code());
    let mut command = node.script("gallery.mjs");
    command
        .arg(world.resource())
        .arg(chromium)
        .args([language.code(), theme])
        .arg(directory.join(screenshot))
        .env("TOKEN", world.reader());
    let report = lines(command).await.remove(0);
    assert_eq!(report["dialogs"], 0, "{report}");
    assert_eq!(report["requests"], json!([]));
    assert_eq!(report["errors"], json!([]));
    assert_eq!(report["arrived"], 0);
    Some(report)
}

#[tokio::test]
async fn only_who_shows_apps_and_may_read_content_is_pointed_to_it() {
    let world = World::start().await;
    let list = async |capabilities: Value, scopes: &[Scope]| {
        let mut params = with_meta(json!({}));
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params});
        let request = world.post(&body).bearer_auth(world.token(scopes));
        let request = request.header("MCP-Protocol-Version", "2026-07-28");
        let request = request.header("Mcp-Method", "tools/list");
        let tools = Reply::of(request).await.result()["tools"].clone();
        let tools = tools.as_array().unwrap().clone().into_iter();
        let pointed = tools.filter(|tool| !tool["_meta"].is_null());
        pointed.collect::<Vec<_>>()
    };
    let kind = json!({"mimeTypes": ["text/html;profile=mcp-app"]});
    let apps = json!({"extensions": {"io.modelcontextprotocol/ui": kind}});
    let pointed = list(apps.clone(), &Scope::ALL).await;
    assert_eq!(pointed.len(), 1, "{pointed:?}");
    assert_eq!(pointed[0]["name"], "getContent");
    assert_eq!(pointed[0]["_meta"], json!({"ui": {"resourceUri": URI}}));
    assert!(list(json!({}), &Scope::ALL).await.is_empty());
    assert!(list(apps, &[Scope::SalesRead]).await.is_empty());
    // What a client of 2025-11-25 declared when it connected is not known any more.
    let token = world.token(&Scope::ALL);
    let early = Reply::of(world.legacy(&token, "tools/list", json!({}))).await;
    let tools = early.result()["tools"].clone();
    let mut tools = tools.as_array().unwrap().iter();
    assert!(tools.any(|tool| tool["_meta"]["ui"]["resourceUri"] == URI));
}

#[tokio::test]
async fn the_page_is_read_as_a_resource_by_who_may_read_content() {
    let world = World::start().await;
    let read = async |scopes: &[Scope]| {
        let request = world.modern(&world.token(scopes), "resources/read", json!({"uri": URI}));
        Reply::of(request.header("Mcp-Name", URI)).await
    };
    let reply = read(&[Scope::ContentRead]).await;
    let page = &reply.result()["contents"][0];
    assert_eq!(page["mimeType"], "text/html;profile=mcp-app");
    assert_eq!(page["_meta"]["ui"]["csp"], json!({}));
    assert!(
        page["text"]
            .as_str()
            .unwrap()
            .contains("default-src 'none'")
    );
    assert_eq!(read(&[Scope::SalesRead]).await.status, 403);
}

#[tokio::test]
async fn in_spanish_and_light() {
    in_a_host(
        Language::Es,
        "light",
        "Imágenes de campaña",
        "rgb(255, 255, 255)",
    )
    .await;
}

#[tokio::test]
async fn in_english_and_dark() {
    in_a_host(Language::En, "dark", "Campaign images", "rgb(22, 24, 29)").await;
}

async fn in_a_host(language: Language, theme: &str, heading: &str, background: &str) {
    let mut hits: Vec<_> = SHOWN.iter().map(|id| hit_of(id, language)).collect();
    hits[0].score = 0.934;
    // There is no picture of this one.
    hits.push(hit("gone-1"));
    let world = world(hits.clone(), language).await;
    let temporary = TempDir::new().unwrap();
    let kept = std::env::var_os("TEST_SCREENSHOTS").map(PathBuf::from);
    let directory = kept.unwrap_or_else(|| temporary.path().to_owned());
    let Some(report) = shown(&world, language, theme, &directory).await else {
        return;
    };
    assert!(
        report["plain"]
            .as_array()
            .unwrap()
            .iter()
            .all(Value::is_null)
    );
    let view = &report["view"];
    assert_eq!(view["lang"], language.code());
    assert_eq!(view["heading"], heading);
    assert_eq!(view["status"], "5 images fit.");
    assert_eq!(view["busy"], "false");
    assert_eq!(view["background"], background);
    let word = if language == Language::Es {
        "Afinidad"
    } else {
        "Score"
    };
    let expected: Vec<_> = hits
        .iter()
        .map(|hit| {
            let there = hit.id.as_str() != "gone-1";
            json!({
                "title": hit.title, "score": format!("{word} {:.2}", hit.score),
                "description": hit.description, "hashtags": hit.hashtags,
                "alt": there.then_some(&hit.alt), "shown": there,
            })
        })
        .collect();
    assert_eq!(view["cards"], json!(expected));
    // The fourth came by way of the host: a result carries three at most.
    assert!(
        world
            .content
            .images()
            .contains(&"solar-panels-roof 512 jpeg".to_owned())
    );
    let roles = report["roles"].to_string();
    for role in [
        format!("image {}", hits[0].alt),
        format!("heading {heading}"),
    ] {
        assert!(roles.contains(&role), "{role}: {roles}");
    }
    assert_eq!(report["sized"], true);
    assert_eq!(report["teardown"], json!({}));
}

#[tokio::test]
async fn nothing_found_and_nothing_answered_are_said() {
    let world = world(Vec::new(), Language::En).await;
    let temporary = TempDir::new().unwrap();
    for (behaviour, said) in [
        (None, "No image fits; try other words."),
        (
            Some(Behaviour::Unavailable(1)),
            "Content search does not answer just now",
        ),
    ] {
        if let Some(behaviour) = behaviour {
            world.content.behave(behaviour);
        }
        let shown = shown(&world, Language::En, "light", temporary.path());
        let Some(report) = shown.await else {
            return;
        };
        let (status, cards) = (&report["view"]["status"], &report["view"]["cards"]);
        assert!(status.as_str().unwrap().starts_with(said), "{status}");
        assert_eq!(cards, &json!([]));
    }
}

#[tokio::test]
async fn hostile_texts_stay_texts_and_a_script_that_got_in_reaches_nothing() {
    let mut hostile = hit("rocky-beach-lighthouse");
    hostile.title = "</h2></article><iframe src='http://127.0.0.1:9/'></iframe>".to_owned();
    hostile.description =
        "<img src=x onerror=\"globalThis.taken='text'\"><script>globalThis.taken=\
        'script'</script><a href=\"javascript:alert(1)\">here</a>"
            .to_owned();
    hostile.alt = "\" onload=\"globalThis.taken='alt'".to_owned();
    hostile.hashtags = vec!["#<svg/onload=alert(1)>".to_owned()];
    let world = world(vec![hostile.clone()], Language::En).await;
    let temporary = TempDir::new().unwrap();
    let Some(report) = shown(&world, Language::En, "light", temporary.path()).await else {
        return;
    };
    let view = &report["view"];
    let card = &view["cards"][0];
    assert_eq!(card["title"], hostile.title);
    assert_eq!(card["description"], hostile.description);
    assert_eq!(card["alt"], hostile.alt);
    assert_eq!(card["hashtags"], json!(hostile.hashtags));
    // One picture, one script: the page's own. No frame, no link, no drawing.
    assert_eq!(view["elements"], json!([1, 1, 0, 0, 0]));
    assert_eq!(view["taken"], Value::Null);
    let broke_in = json!({
        "fetched": "refused", "taken": null,
        "policies": ["connect-src", "img-src", "script-src-attr", "script-src-elem"],
    });
    assert_eq!(report["brokeIn"], broke_in);
}
