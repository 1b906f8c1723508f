//! What the service measures, for `/metrics`.
//!
//! What is said of the ETL comes from the ledger when it is asked for, and not from this process's memory: it is
//! the same whoever runs the ETL, the service or a CronJob, and a restart takes nothing from a counter.

use std::sync::atomic::{AtomicU64, Ordering};

use service_kit::{
    Clock,
    metrics::{
        HttpMetrics, Metrics,
        prometheus_client::{
            metrics::{counter::Counter, family::Family, gauge::Gauge},
            registry::Unit,
        },
    },
    with_causes,
};

use crate::{
    Warehouse,
    freshness::freshness,
    runs::{self, LatestRun},
};

/// `source`, one of [`crate::source::System::ALL`]; or `status`, one of `etl.runs`.
type OneLabel = [(&'static str, String); 1];
/// `source`, and `change`: read, inserted, updated, deleted or quarantined.
type TwoLabels = [(&'static str, String); 2];
type Seconds = Gauge<f64, AtomicU64>;

/// Every metric, as handles on what the registry holds.
#[derive(Clone, Debug, Default)]
struct Ledger {
    database_up: Gauge,
    age: Family<OneLabel, Seconds>,
    duration: Family<OneLabel, Seconds>,
    succeeded: Family<OneLabel, Gauge>,
    last_rows: Family<TwoLabels, Gauge>,
    rows: Family<TwoLabels, Counter>,
    runs: Family<OneLabel, Counter>,
}

/// All of it.
pub fn all(warehouse: Warehouse, clock: Clock, requests: &HttpMetrics) -> Metrics {
    let mut metrics = Metrics::new("sales-warehouse", env!("CARGO_PKG_VERSION"), requests);
    let ledger = Ledger::default();
    ledger.register(&mut metrics);
    metrics.refreshed_by(move || {
        let (ledger, warehouse, clock) = (ledger.clone(), warehouse.clone(), clock.clone());
        async move { ledger.refresh(&warehouse, &clock).await }
    })
}

impl Ledger {
    fn register(&self, metrics: &mut Metrics) {
        let registry = metrics
            .registry()
            .sub_registry_with_prefix("sales_warehouse");
        registry.register(
            "database_up",
            "1 if the warehouse's database answered this scrape; if not, nothing else is told",
            self.database_up.clone(),
        );
        registry.register_with_unit(
            "source_age",
            "How long ago the snapshot was taken that the source's data are of",
            Unit::Seconds,
            self.age.clone(),
        );
        registry.register_with_unit(
            "etl_last_run_duration",
            "How long the source's part of its last run took",
            Unit::Seconds,
            self.duration.clone(),
        );
        registry.register(
            "etl_last_run_succeeded",
            "1 if the source's part of its last run succeeded",
            self.succeeded.clone(),
        );
        registry.register(
            "etl_last_run_rows",
            "Rows of the source's last run, by what became of them",
            self.last_rows.clone(),
        );
        registry.register(
            "etl_rows",
            "Rows of all runs, by what became of them",
            self.rows.clone(),
        );
        registry.register(
            "etl_runs",
            "Runs that have ended, by how",
            self.runs.clone(),
        );
    }

    async fn refresh(&self, warehouse: &Warehouse, clock: &Clock) {
        // What is not told any more must not be told as it was.
        self.age.clear();
        self.duration.clear();
        self.succeeded.clear();
        self.last_rows.clear();
        let told = self.tell(warehouse, clock).await;
        self.database_up.set(i64::from(told.is_ok()));
        if let Err(error) = told {
            tracing::warn!(
                error = with_causes(&error),
                dependency = "the warehouse",
                "metrics cannot be read"
            );
            self.rows.clear();
            self.runs.clear();
        }
    }

    async fn tell(&self, warehouse: &Warehouse, clock: &Clock) -> Result<(), sqlx::Error> {
        for source in freshness(warehouse, clock.now()).await? {
            if let Some(age) = source.age_seconds {
                let labels = [("source", source.source.to_owned())];
                self.age.get_or_create(&labels).set(age as f64);
            }
        }
        for run in runs::latest(warehouse).await? {
            self.last(run);
        }
        let rows: Vec<(String, i64, i64, i64, i64, i64)> =
            sqlx::query_as(include_str!("metrics/rows.sql"))
                .fetch_all(warehouse.reader())
                .await?;
        for (source, read, inserted, updated, deleted, quarantined) in rows {
            for (change, count) in
                CHANGES
                    .into_iter()
                    .zip([read, inserted, updated, deleted, quarantined])
            {
                count_to(&self.rows.get_or_create(&of(&source, change)), count);
            }
        }
        let runs: Vec<(String, i64)> = sqlx::query_as(include_str!("metrics/runs.sql"))
            .fetch_all(warehouse.reader())
            .await?;
        for (status, count) in runs {
            count_to(&self.runs.get_or_create(&[("status", status)]), count);
        }
        Ok(())
    }

    fn last(&self, run: LatestRun) {
        let labels = [("source", run.source.clone())];
        let seconds = run.duration_ms as f64 / 1_000.0;
        self.duration.get_or_create(&labels).set(seconds);
        let succeeded = i64::from(run.error.is_none());
        self.succeeded.get_or_create(&labels).set(succeeded);
        let counts = [
            run.rows_read,
            run.inserted,
            run.updated,
            run.deleted,
            run.quarantined,
        ];
        for (change, count) in CHANGES.into_iter().zip(counts) {
            let gauge = self.last_rows.get_or_create(&of(&run.source, change));
            gauge.set(count);
        }
    }
}

const CHANGES: [&str; 5] = ["read", "inserted", "updated", "deleted", "quarantined"];

fn of(source: &str, change: &str) -> TwoLabels {
    [("source", source.to_owned()), ("change", change.to_owned())]
}

/// The ledger counts; the counter only shows it.
fn count_to(counter: &Counter, count: i64) {
    let count = u64::try_from(count).unwrap_or(0);
    counter.inner().store(count, Ordering::Relaxed);
}
