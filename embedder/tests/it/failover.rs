//! Reads when indexes fail, hang, and come back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use contracts::{Filters, content::Status};
use embedder::{
    index::{IndexError, IndexQuery, PerLanguage, VectorIndex},
    search::{SearchError, breaker::Breaker, failover::Failover},
};

use crate::{
    harness::{Flaky, Mood, plain, request},
    indexing::Bench,
};

fn failover(indexes: &[Arc<Flaky>]) -> Failover {
    let held = indexes
        .iter()
        .map(|index| Arc::clone(index) as Arc<dyn VectorIndex>);
    Failover::new(held.collect())
}

fn two() -> [Arc<Flaky>; 2] {
    ["one", "two"].map(Flaky::new)
}

fn query() -> IndexQuery {
    IndexQuery {
        dense: Some(vec![1.0]),
        sparse: PerLanguage::default(),
        filters: Filters::default(),
        status: Status::Approved,
        depth: 1,
    }
}

/// The engine that answered.
async fn served(reads: &Failover) -> Result<&'static str, SearchError> {
    reads.candidates(query()).await.map(|(engine, _)| engine)
}

#[tokio::test]
async fn the_primary_serves_while_it_is_well() {
    let indexes = two();
    let reads = failover(&indexes);
    assert_eq!(served(&reads).await.unwrap(), "one");
    assert_eq!(indexes[1].asked(), 0);
}

#[tokio::test]
async fn a_failing_primary_is_left_alone_after_three_failures() {
    let indexes = two();
    let reads = failover(&indexes);
    indexes[0].set(Mood::Failing);
    for _ in 0..6 {
        assert_eq!(served(&reads).await.unwrap(), "two");
    }
    assert_eq!(indexes[0].asked(), 3, "the circuit opens");
    indexes[0].set(Mood::Well);
    assert_eq!(
        served(&reads).await.unwrap(),
        "two",
        "it stays open for a while"
    );
}

#[tokio::test]
async fn an_answer_between_failures_keeps_the_circuit_closed() {
    let indexes = two();
    let reads = failover(&indexes);
    for _ in 0..4 {
        indexes[0].set(Mood::Failing);
        assert_eq!(served(&reads).await.unwrap(), "two");
        assert_eq!(served(&reads).await.unwrap(), "two");
        indexes[0].set(Mood::Well);
        assert_eq!(served(&reads).await.unwrap(), "one");
    }
}

#[tokio::test]
async fn a_hanging_primary_costs_the_deadline_and_then_nothing() {
    let indexes = two();
    let reads = failover(&indexes);
    indexes[0].set(Mood::Hanging);
    let started = Instant::now();
    assert_eq!(served(&reads).await.unwrap(), "two");
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(800), "{waited:?}");
    assert!(waited < Duration::from_millis(2_500), "{waited:?}");
    let both = tokio::join!(served(&reads), served(&reads));
    assert_eq!((both.0.unwrap(), both.1.unwrap()), ("two", "two"));
    let asked = indexes[0].asked();
    assert_eq!(served(&reads).await.unwrap(), "two");
    assert_eq!(
        indexes[0].asked(),
        asked,
        "three missed deadlines open the circuit"
    );
}

#[tokio::test]
async fn every_index_failing_is_an_error_until_one_is_back() {
    let indexes = two();
    let reads = failover(&indexes);
    indexes.iter().for_each(|index| index.set(Mood::Failing));
    for _ in 0..5 {
        let error = served(&reads).await.unwrap_err();
        assert!(
            matches!(error, SearchError::Index(IndexError::Engine { .. })),
            "{error}"
        );
    }
    indexes[1].set(Mood::Well);
    assert_eq!(
        served(&reads).await.unwrap(),
        "two",
        "tried though its circuit is open"
    );
}

#[tokio::test]
async fn an_index_that_is_left_out_is_asked_when_the_others_fail() {
    let indexes = two();
    let reads = failover(&indexes);
    indexes.iter().for_each(|index| index.set(Mood::Failing));
    for _ in 0..3 {
        served(&reads).await.unwrap_err();
    }
    // Both circuits are open. The primary comes back, then fails while the secondary is well.
    indexes[0].set(Mood::Well);
    assert_eq!(served(&reads).await.unwrap(), "one");
    indexes[0].set(Mood::Failing);
    indexes[1].set(Mood::Well);
    assert_eq!(served(&reads).await.unwrap(), "two");
}

#[tokio::test]
async fn a_single_index_that_never_answers_is_an_error_with_its_deadline() {
    let index = Flaky::new("one");
    index.set(Mood::Hanging);
    let reads = failover(&[index]);
    let error = served(&reads).await.unwrap_err();
    assert_eq!(error.to_string(), "one did not answer within 800 ms");
}

#[tokio::test]
async fn a_named_engine_is_asked_and_no_other() {
    let indexes = two();
    let reads = failover(&indexes);
    let (engine, _) = reads.candidates_from("two", query()).await.unwrap();
    assert_eq!((engine, indexes[0].asked()), ("two", 0));
    indexes[1].set(Mood::Failing);
    let error = reads.candidates_from("two", query()).await.unwrap_err();
    assert!(matches!(error, SearchError::Index(_)), "{error}");
    assert_eq!(indexes[0].asked(), 0);
    let error = reads.candidates_from("three", query()).await.unwrap_err();
    assert_eq!(error.to_string(), "engine 'three' is not one of: one, two");
}

#[tokio::test]
async fn an_answer_names_the_engine_that_served_it() {
    let bench = Bench::of(2).await;
    let indexer = bench.service.indexer();
    indexer.put(vec![plain("a", 1, "playa")]).await.unwrap();
    let searcher = bench.service.searcher();
    let from_primary = searcher.search(&request("playa")).await.unwrap();
    bench.indexes[0].set(Mood::Failing);
    let from_secondary = searcher.search(&request("playa")).await.unwrap();
    assert_eq!(
        (from_primary.engine.as_str(), from_secondary.engine.as_str()),
        ("one", "two")
    );
    assert_eq!(from_primary.hits[0].id, from_secondary.hits[0].id);
    assert_eq!(from_primary.hits[0].score, from_secondary.hits[0].score);
}

#[test]
fn a_breaker_probes_once_per_pause_and_a_failed_probe_opens_it_again() {
    let breaker = Breaker::default();
    let start = Instant::now();
    let after = |seconds: u64| start + Duration::from_secs(seconds);
    (0..3).for_each(|_| breaker.failed(start));
    assert!(!breaker.admits(after(4)));
    assert!(breaker.admits(after(5)), "a probe");
    assert!(!breaker.admits(after(9)), "one at a time");
    breaker.failed(after(6));
    assert!(!breaker.admits(after(10)), "open again");
    assert!(breaker.admits(after(11)), "the next probe");
    breaker.succeeded();
    assert!(
        breaker.admits(after(11)) && breaker.admits(after(11)),
        "closed"
    );
}
