//! What an answer holds.

use content_api::store::{ContentDraft, ContentStore};
use contracts::{
    GetContentAnswer, Language,
    content::{Orientation, Status},
    search::SearchMode,
};
use serde_json::json;

use crate::{
    sample::{NOW, draft, stamp},
    world::World,
};

#[tokio::test]
async fn hits_come_in_the_order_found_with_everything_about_them() {
    let Some(world) = World::start().await else {
        return;
    };
    world.publish(&["alpha", "beta"]).await;
    let reply = world
        .find(json!({"description": "shoes", "language": "en"}))
        .await;
    let answer: GetContentAnswer = reply.json();
    assert_eq!(answer.message, "2 images fit the description, best first.");
    assert_eq!((answer.no_match, answer.cached), (false, false));
    assert_eq!(
        (answer.engine.as_str(), answer.model.as_str()),
        ("double", "double-v1")
    );
    assert!(answer.took_ms > 0.0);
    let slugs: Vec<&str> = answer.results.iter().map(|hit| hit.id.as_str()).collect();
    assert_eq!(slugs, ["beta", "alpha"]);

    let hit = &answer.results[0];
    assert_eq!(
        (hit.score, hit.reason.dense, hit.reason.lexical),
        (0.75, 0.5, 0.25)
    );
    assert_eq!(hit.reason.matched_terms, ["word"]);
    assert_eq!(
        (hit.title.as_str(), hit.alt.as_str()),
        ("beta title en", "beta alt en")
    );
    assert_eq!(hit.description, "beta description en");
    assert_eq!(hit.hashtags, ["#en"]);
    assert_eq!(hit.channels, ["email"]);
    assert_eq!(hit.rights, draft("beta").rights);
    assert_eq!(hit.image, draft("beta").image);
    let url = format!("{}/v1/content/beta/image", world.base);
    assert_eq!(hit.image_url, format!("{url}?v=0000000000000000"));
    let renditions: Vec<_> = hit
        .renditions
        .iter()
        .map(|rendition| {
            (
                rendition.width,
                rendition.height,
                rendition.media_type.as_str(),
            )
        })
        .collect();
    assert_eq!(
        renditions,
        [
            (320, 240, "image/webp"),
            (640, 480, "image/webp"),
            (1_200, 900, "image/webp"),
            (640, 480, "image/jpeg"),
        ]
    );
    assert_eq!(
        hit.renditions[3].url,
        format!("{url}?width=640&format=jpeg&v=0000000000000000")
    );
}

#[tokio::test]
async fn no_rendition_is_wider_than_the_original() {
    let Some(world) = World::start().await else {
        return;
    };
    let mut small = draft("small");
    (small.image.width, small.image.height) = (640, 640);
    world.store.put(&small, NOW).await.unwrap();
    world.publish(&[]).await;
    let answer: GetContentAnswer = world.find(json!({"description": "shoes"})).await.json();
    let widths: Vec<u32> = answer.results[0]
        .renditions
        .iter()
        .map(|rendition| rendition.width)
        .collect();
    assert_eq!(widths, [320, 640, 640]);
}

#[tokio::test]
async fn texts_are_in_the_language_asked_for_or_guessed_or_there() {
    let Some(world) = World::start().await else {
        return;
    };
    world.publish(&["both"]).await;
    // The double guesses Spanish.
    let guessed: GetContentAnswer = world.find(json!({"description": "zapatos"})).await.json();
    assert_eq!(guessed.language, Language::Es);
    assert_eq!(guessed.results[0].title, "both title es");
    assert_eq!(guessed.message, "Una imagen encaja con la descripción.");
}

#[tokio::test]
async fn the_search_gets_the_query_normalised_and_the_filters_in_order() {
    let Some(world) = World::start().await else {
        return;
    };
    let body = json!({
        "description": "  Nin\u{303}os \n en la  PLAYA ", "limit": 7, "min_score": 0.5,
        "filters": {
            "themes": ["travel", "sport", "travel"], "orientation": ["square", "landscape"],
            "territory": "CR",
        },
    });
    assert_eq!(world.find(body).await.status, 200);
    let search = world.double.last_search();
    assert_eq!(search.text, "Ni\u{f1}os en la PLAYA");
    assert_eq!(
        (search.limit, search.min_score, search.mode),
        (7, Some(0.5), SearchMode::Fused)
    );
    assert_eq!(
        (search.language, search.engine, search.status),
        (None, None, None)
    );
    assert_eq!(search.filters.themes, ["sport", "travel"]);
    assert_eq!(
        search.filters.orientation,
        [Orientation::Landscape, Orientation::Square]
    );
    assert_eq!(search.filters.territory.as_deref(), Some("CR"));
    // Rights must hold today when no day is named.
    assert_eq!(search.filters.usable_on.as_deref(), Some("2026-11-23"));

    world
        .find(json!({"description": "x", "filters": {"usable_on": "2030-01-01"}}))
        .await;
    let search = world.double.last_search();
    assert_eq!(
        (search.filters.usable_on.as_deref(), search.limit),
        (Some("2030-01-01"), 10)
    );
}

#[tokio::test]
async fn what_an_index_has_not_heard_of_yet_is_not_shown() {
    let Some(world) = World::start().await else {
        return;
    };
    let rights = |from: &str, until: Option<&str>, territories: &[&str]| {
        let mut rights = draft("x").rights;
        rights.from = from.to_owned();
        rights.until = until.map(str::to_owned);
        rights.territories = territories.iter().map(|code| (*code).to_owned()).collect();
        rights
    };
    // The double finds them all, whatever the filters: as an index does that lags.
    let drafts = [
        ContentDraft {
            status: Status::Draft,
            ..draft("draft")
        },
        ContentDraft {
            status: Status::Retired,
            ..draft("retired")
        },
        ContentDraft {
            rights: rights("2026-01-01", Some("2026-11-22"), &["*"]),
            ..draft("over")
        },
        ContentDraft {
            rights: rights("2026-11-24", None, &["*"]),
            ..draft("future")
        },
        ContentDraft {
            rights: rights("2026-11-23", Some("2026-11-23"), &["*"]),
            ..draft("today")
        },
        ContentDraft {
            rights: rights("2026-01-01", None, &["MX", "CO"]),
            ..draft("mexico")
        },
        draft("deleted"),
    ];
    for draft in &drafts {
        world.store.put(draft, NOW).await.unwrap();
    }
    world.publish(&[]).await;
    let found = async |filters: serde_json::Value| -> Vec<String> {
        let reply = world
            .find(json!({"description": "shoes", "filters": filters}))
            .await;
        let answer: GetContentAnswer = reply.json();
        answer
            .results
            .iter()
            .map(|hit| hit.id.to_string())
            .collect()
    };
    assert_eq!(found(json!({})).await, ["today", "mexico", "deleted"]);
    assert_eq!(
        found(json!({"territory": "MX"})).await,
        ["today", "mexico", "deleted"]
    );
    assert_eq!(
        found(json!({"territory": "CR"})).await,
        ["today", "deleted"]
    );
    let on = |day: &str| json!({"usable_on": day});
    assert_eq!(found(on("2026-11-22")).await, ["over", "mexico", "deleted"]);
    assert_eq!(
        found(on("2026-11-24")).await,
        ["mexico", "future", "deleted"]
    );

    // Whether or not the deletion has reached the index.
    world
        .store
        .delete(&drafts[6].id, None, &stamp())
        .await
        .unwrap();
    assert_eq!(found(json!({})).await, ["today", "mexico"]);
}

#[tokio::test]
async fn nothing_that_fits_is_an_answer_that_says_so() {
    let Some(world) = World::start().await else {
        return;
    };
    world.publish(&["alpha"]).await;
    for (language, says) in [("es", "Ninguna imagen"), ("en", "No image fits")] {
        let reply = world
            .find(json!({"description": "nothing", "language": language}))
            .await;
        assert_eq!(reply.status, 200);
        let answer: GetContentAnswer = reply.json();
        assert!(answer.no_match && answer.results.is_empty());
        assert!(answer.message.starts_with(says), "{}", answer.message);
        assert!(answer.message.contains("min_score"), "{}", answer.message);
    }
}
