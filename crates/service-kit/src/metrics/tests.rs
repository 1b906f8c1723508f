#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::sync::Arc;

use axum::{body::Body, http::Request, routing::post};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Notify;
use tower::ServiceExt;

use super::*;
use crate::outbound::Peer;

async fn get(router: &Router, path: &str) -> (StatusCode, String, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap();
    let kind = kind.to_owned();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, kind, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_scrape_is_refreshed_and_says_who_answers() {
    let mut metrics = Metrics::new("tester", "1.2.3", &HttpMetrics::default());
    let scrapes = Gauge::<i64>::default();
    metrics
        .registry()
        .register("tester_scrapes", "So far", scrapes.clone());
    let metrics = metrics.refreshed_by(move || {
        scrapes.inc();
        async {}
    });
    let router = metrics.router();
    let (status, kind, first) = get(&router, "/metrics").await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, OPENMETRICS));
    let build = "promptsales_build_info{service=\"tester\",version=\"1.2.3\"} 1\n";
    assert!(first.contains(build), "{first}");
    assert!(first.contains("tester_scrapes 1\n"), "{first}");
    assert!(first.ends_with("# EOF\n"), "{first}");
    assert!(
        get(&router, "/metrics")
            .await
            .2
            .contains("tester_scrapes 2\n")
    );
    assert_eq!(get(&router, "/").await.0, StatusCode::NOT_FOUND);
}

/// A service with `/things/{id}`, which waits to be let go on, and its metrics.
struct Scene {
    router: Router,
    scrape: Router,
    requests: HttpMetrics,
    go_on: Arc<Notify>,
}

impl Scene {
    fn new() -> Self {
        let go_on = Arc::new(Notify::new());
        let wait = Arc::clone(&go_on);
        let handler = move || async move { wait.notified().await };
        let requests = HttpMetrics::default();
        let bounds = Bounds {
            max_body_bytes: 1_024,
            deadline: Duration::from_secs(5),
        };
        let router = Router::new().route("/things/{id}", post(handler));
        let metrics = Metrics::new("tester", "1.2.3", &requests);
        Self {
            router: standard_layers(router, bounds, &requests),
            scrape: metrics.router(),
            requests,
            go_on,
        }
    }

    async fn ask(&self, method: &str, path: &str) -> StatusCode {
        let method: Method = method.parse().unwrap();
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).unwrap();
        self.router.clone().oneshot(request).await.unwrap().status()
    }

    /// The value of a series.
    async fn value(&self, series: &str) -> Option<String> {
        let text = get(&self.scrape, "/metrics").await.2;
        let line = text.lines().find(|line| line.starts_with(series))?;
        line.rsplit(' ').next().map(str::to_owned)
    }

    async fn count(&self, method: &str, route: &str, status: &str) -> Option<String> {
        let series = format!(
            "http_server_request_duration_seconds_count{{service=\"tester\",method=\"{method}\",\
             route=\"{route}\",status=\"{status}\"}}"
        );
        self.value(&series).await
    }
}

#[tokio::test]
async fn requests_are_counted_by_template_method_and_class() {
    let scene = Scene::new();
    for id in ["one", "two"] {
        scene.go_on.notify_one();
        let status = scene.ask("POST", &format!("/things/{id}")).await;
        assert_eq!(status, StatusCode::OK);
    }
    let route = "/things/{id}";
    assert_eq!(scene.count("POST", route, "2xx").await.unwrap(), "2");
    scene.ask("GET", "/things/one").await;
    assert_eq!(scene.count("GET", route, "4xx").await.unwrap(), "1");
    // What a caller makes up becomes no series.
    for path in ["/a", "/b"] {
        scene.ask("PROPFIND", path).await;
    }
    assert_eq!(scene.count("other", "none", "4xx").await.unwrap(), "2");
    let text = get(&scene.scrape, "/metrics").await.2;
    assert!(
        !text.contains("PROPFIND") && !text.contains("things/one"),
        "{text}"
    );
}

#[tokio::test]
async fn a_request_is_in_flight_until_its_answer_or_until_its_caller_leaves() {
    let scene = Scene::new();
    let active = "http_server_active_requests{service=\"tester\"}";
    assert_eq!(scene.value(active).await.unwrap(), "0");
    let mut asking = Box::pin(scene.ask("POST", "/things/one"));
    assert!(futures_pending(&mut asking).await);
    assert_eq!(scene.value(active).await.unwrap(), "1");
    drop(asking);
    assert_eq!(scene.value(active).await.unwrap(), "0");
    let left = scene.count("POST", "/things/{id}", "abandoned").await;
    assert_eq!(left.unwrap(), "1");
    assert_eq!(scene.requests.active(), 0);
}

async fn futures_pending<F: Future + Unpin>(future: &mut F) -> bool {
    tokio::select! {
        biased;
        _ = future => false,
        () = std::future::ready(()) => true,
    }
}

#[tokio::test]
async fn calls_of_others_are_counted_by_who_and_how() {
    let scene = Scene::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/nothing", listener.local_addr().unwrap());
    let stop = crate::CancellationToken::new();
    tokio::spawn(crate::listen::serve(
        listener,
        scene.router.clone(),
        stop.clone(),
    ));
    let client = crate::http_client::build(Duration::from_secs(5)).unwrap();
    let peer = Peer::new("other", scene.requests.clone());
    peer.send(client.get(&url)).await.unwrap();
    let slow = url.replace("nothing", "things/1");
    let impatient = client.post(slow).timeout(Duration::from_millis(20));
    peer.send(impatient).await.unwrap_err();
    let nobody = crate::listen::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let nowhere = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    peer.send(client.get(nowhere)).await.unwrap_err();
    for status in ["4xx", "timeout", "unreachable"] {
        let series = format!(
            "http_client_request_duration_seconds_count{{service=\"tester\",peer=\"other\",status=\"{status}\"}}"
        );
        assert_eq!(scene.value(&series).await.as_deref(), Some("1"), "{status}");
    }
    stop.cancel();
}
