//! What is said of images in PromptContent, through the change feed into the answers.

use contracts::campaigns::CampaignStatus;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, Reply, TestHome, Up, indexed_home, run, token};

fn ask(home: &TestHome, question: &str) -> Value {
    let answer = run(home, &["ask", question, "--json"]).expect(0).json();
    assert_eq!(answer["kind"], "answer", "{answer}");
    answer
}

/// Hashtags of an image, as the warehouse has them.
fn hashtags(home: &TestHome, image: &str) -> Vec<String> {
    let answer = ask(home, &format!("hashtags of the image {image}"));
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.map(|row| row[0].as_str().unwrap().to_owned())
        .collect()
}

/// One number.
fn number(home: &TestHome, question: &str) -> u64 {
    let answer = ask(home, question);
    answer["rows"][0][0]
        .as_u64()
        .unwrap_or_else(|| panic!("{answer}"))
}

/// What a run read of PromptContent.
fn etl(home: &TestHome) -> Value {
    let report = run(home, &["etl", "--json"]).expect(0).json();
    let source = report["sources"][2].clone();
    assert_eq!(source["source"], "promptcontent", "{report}");
    assert_eq!(source["status"], "succeeded", "{report}");
    source
}

fn most_used(home: &TestHome) {
    let answer = ask(home, "¿qué hashtags se usan más?");
    let query = &answer["query"];
    assert_eq!(query["metrics"], json!(["content_uses"]), "{query}");
    assert_eq!(query["dimensions"], json!(["hashtag"]), "{query}");
    let rows = answer["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 10, "{answer}");
    for pair in rows.windows(2) {
        assert!(pair[0][0].as_str().unwrap().starts_with('#'), "{answer}");
        assert!(pair[0][1].as_u64() >= pair[1][1].as_u64(), "{answer}");
        assert!(pair[1][1].as_u64().unwrap() > 0, "{answer}");
    }
    assert!(
        answer["notes"][0]
            .as_str()
            .unwrap()
            .contains("más de un hashtag")
    );
    let fresh = answer["freshness"].as_array().unwrap();
    assert_eq!(fresh.len(), 3, "{answer}");
    assert!(
        fresh.iter().all(|source| source["stale"] == false),
        "{answer}"
    );
}

#[test]
fn what_is_said_of_an_image_reaches_the_answers_and_leaves_them_with_it() {
    let Some(home) = indexed_home() else { return };
    let up = Up::start(home);
    let home = up.home();
    most_used(home);
    let api = Api {
        token: token(
            home,
            &[
                "--scope",
                "content:write",
                "--scope",
                "content:approve",
                "--scope",
                "campaigns:write",
            ],
        ),
        ..Api::of(&up)
    };
    let reader = Api::of(&up);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let send = |method, path: &str, body: Value| {
        let read = runtime.block_on(reader.get(path));
        let request = api
            .request(method, path)
            .header("Idempotency-Key", path)
            .header("If-Match", read.header("etag"))
            .json(&body);
        runtime.block_on(Reply::of(request))
    };
    let image = "sushi-platter";
    let before = number(home, &format!("content uses of {image}"));
    let text =
        json!({"text": {"en": {"hashtags": ["#OnlyHere"]}, "es": {"hashtags": ["#SoloAquí"]}}});
    send(Method::PATCH, &format!("/v1/content/{image}"), text).json();
    let read = etl(home);
    assert_eq!(
        (&read["rows_read"], &read["updated"]),
        (&json!(1), &json!(1)),
        "{read}"
    );
    assert_eq!(read["reconciled"], true, "{read}");
    assert_eq!(hashtags(home, image), ["#onlyhere", "#soloaquí"]);
    assert_eq!(number(home, "usos de contenido con #soloaquí"), before);

    // A campaign that PromptAds knows nothing of uses it as well.
    let campaign = json!({
        "id": "street-food-week", "name": "Street food week", "objective": "Taste it",
        "status": CampaignStatus::Planned, "markets": ["ES"], "channels": ["email"],
        "budget": {"amount": "100.00", "currency": "EUR"}, "starts_on": "2026-06-01",
        "ends_on": "2026-06-07", "content_ids": [image],
    });
    send(Method::POST, "/v1/campaigns", campaign).json();
    let read = etl(home);
    assert_eq!(read["inserted"], 2, "{read}");
    assert_eq!(number(home, "content uses with #onlyhere"), before + 1);

    let erased = send(
        Method::DELETE,
        &format!("/v1/content/{image}?erase=true"),
        json!(null),
    );
    assert_eq!(erased.json()["complete"], true);
    let read = etl(home);
    assert_eq!(read["deleted"], 2, "{read}");
    assert_eq!(number(home, &format!("content uses of {image}")), before);
    let gone = run(home, &["ask", "content uses with #onlyhere", "--json"]).expect(0);
    assert_ne!(gone.json()["rows"][0][0], json!(before), "{}", gone.stdout);
    let verified = run(home, &["verify", "--json"]).expect(0).json();
    assert_eq!(verified["equal"], true, "{verified}");
}

#[test]
fn a_home_that_only_answers_questions_about_sales_knows_hashtags_too() {
    // Provisions PostgreSQL along with it, into the cache that the binary uses too.
    if test_support::onnxruntime().is_none() {
        return;
    }
    most_used(&TestHome::new());
}
