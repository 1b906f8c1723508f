//! What the service measures, for `/metrics`: its requests, how far each index lags, and which are left alone.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use service_kit::metrics::{
    HttpMetrics, Metrics,
    prometheus_client::{
        metrics::{counter::Counter, family::Family, gauge::Gauge},
        registry::Unit,
    },
};

use crate::{indexing::Indexer, search::Searcher};

/// `engine`, one of those that are configured.
type Engine = [(&'static str, &'static str); 1];
/// `engine`, and `kind`: missing, stale or extra.
type Kind = [(&'static str, &'static str); 2];

/// Every metric, as handles on what the registry holds.
#[derive(Clone, Debug, Default)]
struct Indexes {
    behind: Family<Engine, Gauge>,
    age: Family<Engine, Gauge<f64, AtomicU64>>,
    repaired: Family<Kind, Counter>,
    circuit_open: Family<Engine, Gauge>,
}

/// All of it. Nothing is asked of the indexes: a scrape costs them nothing.
pub fn all(indexer: Arc<Indexer>, searcher: Arc<Searcher>, requests: &HttpMetrics) -> Metrics {
    let mut metrics = Metrics::new("embedder", env!("CARGO_PKG_VERSION"), requests);
    let indexes = Indexes::default();
    indexes.register(&mut metrics);
    metrics.refreshed_by(move || {
        indexes.refresh(&indexer, &searcher);
        async {}
    })
}

impl Indexes {
    fn register(&self, metrics: &mut Metrics) {
        let registry = metrics.registry().sub_registry_with_prefix("embedder");
        registry.register(
            "index_entries_behind",
            "Documents and deletions that another index holds newer, or that this one missed",
            self.behind.clone(),
        );
        registry.register_with_unit(
            "index_last_success_age",
            "How long ago the index last took a change or told what it holds",
            Unit::Seconds,
            self.age.clone(),
        );
        registry.register(
            "index_entries_repaired",
            "What was copied to the index, by what it was: missing, stale or extra",
            self.repaired.clone(),
        );
        registry.register(
            "index_circuit_open",
            "1 if searches leave the index alone because it failed",
            self.circuit_open.clone(),
        );
    }

    fn refresh(&self, indexer: &Indexer, searcher: &Searcher) {
        for lag in indexer.lags() {
            let engine = [("engine", lag.engine)];
            let behind = i64::try_from(lag.behind).unwrap_or(i64::MAX);
            self.behind.get_or_create(&engine).set(behind);
            let age = lag.since_success.as_secs_f64();
            self.age.get_or_create(&engine).set(age);
            for (kind, count) in [
                ("missing", lag.repaired.missing),
                ("stale", lag.repaired.stale),
                ("extra", lag.repaired.extra),
            ] {
                let repaired = self.repaired.get_or_create(&[engine[0], ("kind", kind)]);
                repaired.inner().store(u64::from(count), Ordering::Relaxed);
            }
        }
        for (engine, open) in searcher.indexes().circuits() {
            let gauge = self.circuit_open.get_or_create(&[("engine", engine)]);
            gauge.set(i64::from(open));
        }
    }
}
