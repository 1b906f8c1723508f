//! Which requests get a line, and what it says.

use std::time::Duration;

use audit::{Outcome, Recording, Trail, record_requests};
use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use service_kit::ProblemResponse;
use tower::ServiceExt as _;

use crate::support::World;

fn routes() -> Router {
    async fn ask(trail: Trail) -> &'static str {
        trail.asked_by("ana", "desktop", Some("mcp-gateway"));
        trail.note(|event| {
            event.question = Some("¿cuánto?".to_owned());
            event.plan = Some(json!({"metrics": ["spend"]}));
            event.results = Some(3);
        });
        "yes"
    }
    async fn refused(trail: Trail) -> ProblemResponse {
        trail.asked_by("eva", "desktop", None);
        ProblemResponse::new(StatusCode::FORBIDDEN, "insufficient-scope", "No", "No.")
    }
    async fn declined(trail: Trail) -> &'static str {
        trail.note(|event| {
            event.outcome = Some(Outcome::Refused);
            event.reason = Some("out_of_scope".to_owned());
        });
        "no"
    }
    Router::new()
        .route("/ask", get(ask))
        .route("/write", post(async || "done"))
        .route("/read", get(async || "something"))
        .route("/refused", get(refused))
        .route("/declined", get(declined))
        .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/slow", get(async || std::future::pending::<()>().await))
}

async fn lines(recording: Recording, requests: &[(&str, &str)]) -> Vec<Value> {
    let world = World::new();
    let audit = world.open();
    let router = record_requests(routes(), &audit, recording);
    for (method, path) in requests {
        let request = Request::builder()
            .method(*method)
            .uri(*path)
            .header("x-request-id", "r-1")
            .body(Body::empty())
            .unwrap();
        let answer = router.clone().oneshot(request);
        // One that is given up is dropped.
        drop(tokio::time::timeout(Duration::from_millis(200), answer).await);
    }
    audit.flush().await;
    let mut lines = if audit.written() == 0 {
        Vec::new()
    } else {
        world.lines()
    };
    for line in &mut lines {
        assert!(line["took_ms"].is_u64(), "{line}");
        assert_eq!(line["request_id"], "r-1");
        for name in [
            "seq",
            "at",
            "prev",
            "hash",
            "took_ms",
            "request_id",
            "service",
        ] {
            line.as_object_mut().unwrap().remove(name);
        }
    }
    lines
}

#[tokio::test]
async fn a_line_says_who_asked_what_ran_and_how_many_rows_count() {
    let lines = lines(Recording::NotedOnly, &[("GET", "/ask?token=secret")]).await;
    assert_eq!(
        lines,
        [json!({
            "action": "GET /ask", "outcome": "allowed", "status": 200,
            "subject": "ana", "client_id": "desktop", "via": "mcp-gateway",
            "question": "¿cuánto?", "plan": {"metrics": ["spend"]}, "results": 3,
        })]
    );
}

#[tokio::test]
async fn refusals_failures_and_what_is_given_up_are_told() {
    let paths = [
        "/refused",
        "/declined",
        "/broken",
        "/slow",
        "/read",
        "/nowhere",
    ];
    let lines = lines(Recording::NotedOnly, &paths.map(|path| ("GET", path))).await;
    assert_eq!(
        lines,
        [
            json!({
                "action": "GET /refused", "outcome": "refused", "status": 403,
                "reason": "insufficient-scope", "subject": "eva", "client_id": "desktop",
            }),
            json!({
                "action": "GET /declined", "outcome": "refused", "status": 200,
                "reason": "out_of_scope",
            }),
            json!({"action": "GET /broken", "outcome": "failed", "status": 500}),
            json!({"action": "GET /slow", "outcome": "failed", "reason": "given up"}),
        ]
    );
}

#[tokio::test]
async fn of_failures_for_strangers_a_bounded_number_is_told() {
    let lines = lines(Recording::NotedOnly, &[("GET", "/broken"); 605]).await;
    assert_eq!(lines.len(), 600);
}

#[tokio::test]
async fn writes_are_told_where_that_is_wanted() {
    let requests = [("POST", "/write"), ("GET", "/read")];
    let told = lines(Recording::Writes, &requests).await;
    assert_eq!(
        told,
        [json!({"action": "POST /write", "outcome": "allowed", "status": 200})]
    );
    assert!(lines(Recording::NotedOnly, &requests).await.is_empty());
}

#[tokio::test]
async fn whoever_is_not_known_cannot_fill_the_disk() {
    async fn stranger() -> StatusCode {
        StatusCode::UNAUTHORIZED
    }
    let world = World::new();
    let audit = world.open();
    let router = Router::new().route("/", get(stranger));
    let router = record_requests(router, &audit, Recording::Writes);
    for _ in 0..700 {
        let request = Request::get("/").body(Body::empty()).unwrap();
        let _refused = router.clone().oneshot(request).await.unwrap();
    }
    audit.flush().await;
    assert_eq!(audit.written(), 600);
}
