//! Requests that cannot be answered, each with the problem that says so.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn descriptions_that_describe_nothing_are_refused() {
    let Some(world) = World::start().await else {
        return;
    };
    let cases = [
        ("".to_owned(), "empty"),
        (" \n\t\u{3000} ".to_owned(), "empty"),
        ("\u{0}\u{7} ".to_owned(), "empty"),
        ("red\u{0}shoes".to_owned(), "U+0000"),
        ("red\u{1b}[31m shoes".to_owned(), "U+001B"),
        ("red\u{85}shoes".to_owned(), "U+0085"),
        ("🏖️🌊🌞".to_owned(), "no letter"),
        ("?!… —".to_owned(), "no letter"),
        ("\u{200b}\u{202e}".to_owned(), "no letter"),
        ("a".repeat(2_001), "2001 characters"),
        // NFC makes three of it.
        ("\u{fb2c}".repeat(700), "2100 characters"),
    ];
    for (description, says) in cases {
        let reply = world.find(json!({"description": description})).await;
        let problem = reply.problem(400, "invalid-description");
        assert!(
            problem.detail.contains(says),
            "{description:?}: {}",
            problem.detail
        );
    }
    for fine in [
        "a".repeat(2_000),
        "dos\tlíneas\r\n".to_owned(),
        "🏖️ playa".to_owned(),
    ] {
        assert_eq!(world.find(json!({"description": fine})).await.status, 200);
    }
}

#[tokio::test]
async fn numbers_out_of_range_are_refused() {
    let Some(world) = World::start().await else {
        return;
    };
    for limit in [0_i64, -1, 101, 1_000_000_000, i64::MIN] {
        let reply = world
            .find(json!({"description": "shoes", "limit": limit}))
            .await;
        let problem = reply.problem(400, "invalid-limit");
        assert!(problem.detail.contains("1 to 100"), "{}", problem.detail);
    }
    for score in [-0.01, 1.01, 1e30] {
        let reply = world
            .find(json!({"description": "shoes", "min_score": score}))
            .await;
        reply.problem(400, "invalid-min-score");
    }
    for (field, value) in [
        ("limit", 100.0),
        ("limit", 1.0),
        ("min_score", 0.0),
        ("min_score", 1.0),
    ] {
        let value = if field == "limit" {
            json!(value as i64)
        } else {
            json!(value)
        };
        let reply = world
            .find(json!({"description": "shoes", field: value}))
            .await;
        assert_eq!(reply.status, 200, "{field} {value}");
    }
}

#[tokio::test]
async fn filters_must_name_what_there_is() {
    let Some(world) = World::start().await else {
        return;
    };
    let cases = [
        (json!({"themes": ["gardening"]}), "sport"),
        (json!({"campaign_themes": ["x"]}), "new-collection"),
        (json!({"channels": ["fax"]}), "email"),
        (json!({"audience": ["martians"]}), "families"),
        (json!({"themes": [""]}), "1 to 40"),
        (json!({"themes": ["x".repeat(41)]}), "1 to 40"),
        (json!({"themes": vec!["sport"; 51]}), "at most 50"),
        (json!({"orientation": vec!["square"; 51]}), "at most 50"),
        (json!({"territory": "cr"}), "two capital letters"),
        (json!({"territory": "CRI"}), "two capital letters"),
        (json!({"territory": "É"}), "two capital letters"),
        (json!({"usable_on": "tomorrow"}), "such as 2026-11-22"),
        (json!({"usable_on": "2026-02-30"}), "such as 2026-11-22"),
        (
            json!({"usable_on": "2026-11-22T10:00"}),
            "such as 2026-11-22",
        ),
    ];
    for (filters, says) in cases {
        let reply = world
            .find(json!({"description": "shoes", "filters": filters}))
            .await;
        let problem = reply.problem(400, "invalid-filter");
        assert!(
            problem.detail.contains(says),
            "{filters}: {}",
            problem.detail
        );
    }
    let all = json!({
        "themes": vec!["sport"; 50], "campaign_themes": ["new-collection"], "channels": ["email"],
        "audience": ["families"], "orientation": ["square"], "territory": "CR",
        "usable_on": "2028-02-29",
    });
    assert_eq!(
        world
            .find(json!({"description": "shoes", "filters": all}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn bodies_of_another_shape_are_refused() {
    let Some(world) = World::start().await else {
        return;
    };
    let cases: [(Value, &str); 8] = [
        (json!({"description": "shoes", "colour": "red"}), "colour"),
        (
            json!({"description": "shoes", "filters": {"colour": "red"}}),
            "colour",
        ),
        (
            json!({"description": "shoes", "language": "fr"}),
            "expected `es` or `en`",
        ),
        (
            json!({"description": "shoes", "filters": {"orientation": ["round"]}}),
            "round",
        ),
        (json!({"description": 7}), "string"),
        (json!({"description": "shoes", "limit": 1.5}), "i64"),
        (json!({"limit": 1}), "description"),
        (json!([]), "struct"),
    ];
    for (body, says) in cases {
        let problem = world.find(body).await.problem(422, "invalid-body");
        assert!(problem.detail.contains(says), "{}", problem.detail);
    }
    for raw in [
        &b"{\"description\": \"ca\xf1a\"}"[..],
        b"{\"description\": ",
        b"",
        b"\xff\xfe",
    ] {
        world
            .find_raw(raw.to_vec())
            .await
            .problem(400, "malformed-json");
    }
    let large = json!({"description": "a".repeat(100_000)});
    let problem = world.find(large).await.problem(413, "body-too-large");
    assert!(problem.detail.contains("65536 bytes"), "{}", problem.detail);
}

#[tokio::test]
async fn the_body_must_say_that_it_is_json() {
    use contracts::Scope;
    use secrecy::ExposeSecret;
    let Some(world) = World::start().await else {
        return;
    };
    let token = world.token(&[Scope::ContentRead]);
    let request = world
        .http
        .post(format!("{}/v1/getContent", world.base))
        .bearer_auth(token.expose_secret())
        .body("{}");
    world
        .send(request)
        .await
        .problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn other_paths_and_methods_are_problems_too() {
    let Some(world) = World::start().await else {
        return;
    };
    world
        .get("/v1/nothing", &[])
        .await
        .problem(404, "no-such-route");
    world
        .get("/v1/getContent", &[])
        .await
        .problem(405, "method-not-allowed");
}
