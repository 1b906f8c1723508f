//! One of each kind of nonsense, through the whole stack. The services' own tests have them all.

use serde_json::json;

use crate::support::{Api, shared_up};

#[tokio::test]
async fn nonsense_is_answered_with_a_problem_that_says_what_was_expected() {
    let Some(up) = shared_up() else { return };
    let api = Api::of(up);
    let description = |text: &str| json!({"description": text});
    let with = |field: &str, value| json!({"description": "sushi", field: value});
    let cases = [
        (description(""), 400, "invalid-description", "1 to 2000"),
        (
            description(" \t\n"),
            400,
            "invalid-description",
            "1 to 2000",
        ),
        (
            description("red\u{0}shoes"),
            400,
            "invalid-description",
            "U+0000",
        ),
        (description("🌊🌞"), 400, "invalid-description", "no letter"),
        (
            description(&"a".repeat(2_001)),
            400,
            "invalid-description",
            "2001 characters",
        ),
        (
            description(&"a".repeat(100_000)),
            413,
            "body-too-large",
            "65536 bytes",
        ),
        (with("limit", json!(0)), 400, "invalid-limit", "1 to 100"),
        (with("limit", json!(-1)), 400, "invalid-limit", "1 to 100"),
        (
            with("limit", json!(1_000_000_000)),
            400,
            "invalid-limit",
            "1 to 100",
        ),
        (
            with("min_score", json!(2)),
            400,
            "invalid-min-score",
            "0 to 1",
        ),
        (with("colour", json!("red")), 422, "invalid-body", "colour"),
        (
            with("language", json!("fr")),
            422,
            "invalid-body",
            "`es` or `en`",
        ),
        (
            with("filters", json!({"colour": ["red"]})),
            422,
            "invalid-body",
            "colour",
        ),
        (
            with("filters", json!({"themes": ["gardening"]})),
            400,
            "invalid-filter",
            "sport",
        ),
    ];
    for (body, status, slug, says) in cases {
        let shown: String = body.to_string().chars().take(80).collect();
        let problem = api.get_content(body).await.problem(status, slug);
        assert!(problem.detail.contains(says), "{shown}: {}", problem.detail);
    }
    for body in [
        &b"{\"description\": \"caf\xe9\"}"[..],
        b"\xff\xfe",
        b"{",
        b"",
    ] {
        let reply = api.get_content_raw(body.to_vec()).await;
        reply.problem(400, "malformed-json");
    }
}

#[tokio::test]
async fn pictures_of_impossible_widths_are_refused() {
    let Some(up) = shared_up() else { return };
    let api = Api::of(up);
    for width in ["0", "1000000", "-1", "wide"] {
        let path = format!("/v1/content/sushi-platter/image?width={width}");
        let problem = api.get(&path).await.problem(400, "invalid-width");
        assert!(problem.detail.contains("16 to 2400"), "{}", problem.detail);
    }
}

#[tokio::test]
async fn ids_of_no_document_are_not_found() {
    let Some(up) = shared_up() else { return };
    let api = Api::of(up);
    for id in [
        "nothing",
        "UPPER",
        "..%2F..%2Fetc%2Fpasswd",
        "%00",
        "%C3%A9",
    ] {
        let reply = api.get(&format!("/v1/content/{id}")).await;
        reply.problem(404, "no-such-content");
    }
}
