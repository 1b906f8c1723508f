//! A load on a stand-in content API over real sockets.

use std::{
    collections::HashSet,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use promptsales_bench::get_content::{Client, Expected, Load, Served, load};
use serde_json::{Value, json};
use service_kit::{CancellationToken, Json, http_client, listen};
use url::Url;

type Asked = Arc<Mutex<HashSet<String>>>;

/// Answers with nothing, from the "cache" when the same was asked before; without a token refuses.
async fn get_content(
    State(asked): State<Asked>,
    headers: axum::http::HeaderMap,
    Json(request): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    if headers
        .get("authorization")
        .is_none_or(|value| value != "Bearer good")
    {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let text = request["description"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let new = asked.lock().unwrap().insert(text);
    Ok(Json(json!({
        "results": [], "no_match": true, "message": "", "language": "en", "engine": "none",
        "model": "none", "cached": !new, "took_ms": 0.1,
    })))
}

async fn client(token: &str) -> (Client, CancellationToken) {
    let listener = listen::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let router = Router::new()
        .route("/v1/getContent", post(get_content))
        .with_state(Asked::default());
    let stop = CancellationToken::new();
    tokio::spawn(listen::serve(listener, router, stop.clone()));
    let http = http_client::build(Duration::from_secs(10)).unwrap();
    (
        Client::new(http, token.to_owned(), &url, &url).unwrap(),
        stop,
    )
}

const LOAD: Load = Load {
    clients: 4,
    time: Duration::from_secs(60),
    requests: 100,
};

async fn run(
    client: &Client,
    expected: Expected,
    text: fn(usize) -> String,
) -> anyhow::Result<Served> {
    load::run(client, LOAD, expected, text).await
}

#[tokio::test]
async fn the_number_of_requests_is_bounded() {
    let (client, _stop) = client("good").await;
    let served = run(&client, Expected::Uncached, |number| number.to_string()).await;
    assert_eq!(served.unwrap().latency.count, LOAD.requests);
    let served = run(&client, Expected::Cached, |_| "the same".to_owned()).await;
    assert_eq!(served.unwrap().latency.count, LOAD.requests);
}

#[tokio::test]
async fn time_is_bounded_too() {
    let (client, _stop) = client("good").await;
    let none = Load {
        time: Duration::ZERO,
        ..LOAD
    };
    let served = load::run(&client, none, Expected::Uncached, |number| {
        number.to_string()
    })
    .await;
    assert!(served.unwrap_err().to_string().contains("no request"));
}

#[tokio::test]
async fn an_answer_from_the_wrong_place_is_no_figure() {
    let (client, _stop) = client("good").await;
    let cached = run(&client, Expected::Uncached, |_| "the same".to_owned()).await;
    assert!(
        cached
            .unwrap_err()
            .to_string()
            .contains("was cached already")
    );
    let made = run(&client, Expected::Cached, |number| format!("{number}!")).await;
    assert!(
        made.unwrap_err()
            .to_string()
            .contains("should have been cached")
    );
}

#[tokio::test]
async fn a_refusal_is_no_figure() {
    let (client, _stop) = client("bad").await;
    let refused = run(&client, Expected::Uncached, |number| number.to_string()).await;
    assert!(refused.unwrap_err().to_string().contains("401"));
}
