//! What the service measures, for `/metrics`: its requests, where its answers come from, and what waits to be
//! published.

use std::sync::{Arc, atomic::Ordering};

use service_kit::{
    metrics::{
        HttpMetrics, Metrics,
        prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge},
    },
    with_causes,
};

use crate::{cache::AnswerCache, publisher::Publisher};

/// Counts answers of getContent.
#[derive(Clone, Debug, Default)]
pub struct Answers(Family<[(&'static str, &'static str); 1], Counter>);

impl Answers {
    /// One more, made for this request or for another one.
    pub fn count(&self, cached: bool) {
        let cached = if cached { "true" } else { "false" };
        self.0.get_or_create(&[("cached", cached)]).inc();
    }
}

/// What is looked up when it is asked for.
#[derive(Clone, Debug, Default)]
struct State {
    store_up: Gauge,
    unpublished: Gauge,
    circuit_open: Gauge,
    redis: Family<[(&'static str, &'static str); 1], Counter>,
}

/// All of it.
pub fn all(
    publisher: Publisher,
    cache: Arc<dyn AnswerCache>,
    answers: &Answers,
    requests: &HttpMetrics,
) -> Metrics {
    let mut metrics = Metrics::new("content-api", env!("CARGO_PKG_VERSION"), requests);
    let state = State::default();
    state.register(&mut metrics, answers, cache.redis().is_some());
    metrics.refreshed_by(move || {
        let (state, publisher, cache) = (state.clone(), publisher.clone(), Arc::clone(&cache));
        async move { state.refresh(&publisher, &*cache).await }
    })
}

impl State {
    fn register(&self, metrics: &mut Metrics, answers: &Answers, has_redis: bool) {
        let registry = metrics.registry().sub_registry_with_prefix("content_api");
        registry.register(
            "answers",
            "Answers of getContent, by whether one that was made before served",
            answers.0.clone(),
        );
        registry.register(
            "store_up",
            "1 if the database of the documents answered this scrape",
            self.store_up.clone(),
        );
        registry.register(
            "changes_unpublished",
            "Changes of documents that the indexes are not known to hold",
            self.unpublished.clone(),
        );
        if has_redis {
            registry.register(
                "redis_circuit_open",
                "1 if answers are made without Redis because it failed",
                self.circuit_open.clone(),
            );
            registry.register(
                "redis_events",
                "What became of look-ups in Redis and of calls of it",
                self.redis.clone(),
            );
        }
    }

    async fn refresh(&self, publisher: &Publisher, cache: &dyn AnswerCache) {
        let unpublished = publisher.unpublished().await;
        self.store_up.set(i64::from(unpublished.is_ok()));
        match unpublished {
            Ok(count) => {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                self.unpublished.set(count);
            }
            Err(error) => {
                let error = with_causes(&error);
                tracing::warn!(error, dependency = "the database", "metrics cannot be read");
            }
        }
        if let Some((is_up, counts)) = cache.redis() {
            self.circuit_open.set(i64::from(!is_up));
            for (event, count) in counts.named() {
                let counter = self.redis.get_or_create(&[("event", event)]);
                counter.inner().store(count, Ordering::Relaxed);
            }
        }
    }
}
