//! `/metrics`: the lag of each index.

use axum::body::Body;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::{
    harness::{Mood, deletion, plain, request},
    indexing::Bench,
};

async fn scraped(bench: &Bench) -> String {
    let asked = axum::http::Request::get("/metrics")
        .body(Body::empty())
        .unwrap();
    let answer = bench
        .service
        .metrics()
        .router()
        .oneshot(asked)
        .await
        .unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// The value of a series, by its name and labels.
fn value(text: &str, series: &str) -> f64 {
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("{series} ")));
    let line = line.unwrap_or_else(|| panic!("{series} is not in {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_metrics_tell_which_index_lags_and_what_was_mended() {
    let bench = Bench::of(2).await;
    let indexer = bench.service.indexer();
    indexer
        .put(vec![plain("a", 1, "uno"), plain("gone", 1, "x")])
        .await
        .unwrap();
    let text = scraped(&bench).await;
    let active = "http_server_active_requests{service=\"embedder\"}";
    assert_eq!(value(&text, active), 0.0);
    for engine in ["one", "two"] {
        let of = |name: &str| value(&text, &format!("embedder_{name}{{engine=\"{engine}\"}}"));
        assert_eq!(of("index_entries_behind"), 0.0);
        assert_eq!(of("index_circuit_open"), 0.0);
        assert!(of("index_last_success_age_seconds") < 60.0);
    }

    bench.indexes[1].set(Mood::Failing);
    indexer
        .put(vec![plain("a", 2, "dos"), plain("b", 1, "uno")])
        .await
        .unwrap();
    indexer.delete(vec![deletion("gone", 2)]).await.unwrap();
    let behind = "embedder_index_entries_behind{engine=\"two\"}";
    let age = "embedder_index_last_success_age_seconds{engine=\"two\"}";
    let failing = scraped(&bench).await;
    assert_eq!(value(&failing, behind), 3.0);
    assert!(value(&failing, age) > value(&scraped(&bench).await, &age.replace("two", "one")));
    // A comparison without it tells nothing new of it.
    indexer.reconcile().await.unwrap();
    assert_eq!(value(&scraped(&bench).await, behind), 3.0);

    bench.indexes[1].set(Mood::Well);
    indexer.reconcile().await.unwrap();
    let text = scraped(&bench).await;
    assert_eq!(value(&text, behind), 0.0);
    for kind in ["missing", "stale", "extra"] {
        let series =
            format!("embedder_index_entries_repaired_total{{engine=\"two\",kind=\"{kind}\"}}");
        assert_eq!(value(&text, &series), 1.0);
        assert_eq!(value(&text, &series.replace("two", "one")), 0.0);
    }
}

#[tokio::test]
async fn what_no_index_takes_is_behind_in_none() {
    let bench = Bench::of(2).await;
    bench
        .indexes
        .iter()
        .for_each(|index| index.set(Mood::Failing));
    bench
        .service
        .indexer()
        .put(vec![plain("a", 1, "uno")])
        .await
        .unwrap_err();
    let text = scraped(&bench).await;
    assert_eq!(
        value(&text, "embedder_index_entries_behind{engine=\"one\"}"),
        0.0
    );
}

#[tokio::test]
async fn an_open_circuit_shows_until_an_answer_closes_it() {
    let bench = Bench::of(2).await;
    let indexer = bench.service.indexer();
    indexer.put(vec![plain("a", 1, "uno")]).await.unwrap();
    let open = "embedder_index_circuit_open{engine=\"one\"}";
    bench.indexes[0].set(Mood::Failing);
    for _ in 0..3 {
        assert_eq!(value(&scraped(&bench).await, open), 0.0);
        bench
            .service
            .searcher()
            .search(&request("uno"))
            .await
            .unwrap();
    }
    assert_eq!(value(&scraped(&bench).await, open), 1.0);
    bench.indexes[0].set(Mood::Well);
    let mut asked = request("uno");
    asked.engine = Some("one".to_owned());
    bench.service.searcher().search(&asked).await.unwrap();
    assert_eq!(value(&scraped(&bench).await, open), 0.0);
}
