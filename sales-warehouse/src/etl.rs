//! Brings the warehouse level with its sources.
//!
//! A run goes source by source, in the order of [`System`]:
//!
//! ```text
//! snapshot ─COPY─► staging.<system>_<table>        one transaction; a kill leaves rows that the next run drops
//!                  partitions for the months seen   one transaction
//! staging.dim_*, fact_* (checked) ─merge─► core    one transaction, with watermark and ledger
//! ```
//!
//! with the next source landing, in a session of its own, while one is merged; and at its end closes finished
//! campaigns. Marts change with core, in the transaction that merges. Killed at any point, it is repeated
//! with the same result: what is merged carries its watermark, and merging twice changes nothing.
//!
//! - A first read, a new epoch, or `read_all` in `etl.watermarks` reads everything and deletes what is gone.
//! - Everything is read, too, when the source was rewound, or threw deletions away that were not read yet.
//! - A table whose counts or sums are not the source's makes that source's part a failure and the next run read
//!   everything of it; what was merged stays.
//! - A run ends after [`Warehouse::with_run_limit`], and waits no longer for a lock than the session's
//!   `lock_timeout`: a reader that forgets to end its transaction costs a run and no more.
//! - What lies in landing tables bears its run's number: a run that lost its lock midway cannot put its rows under
//!   another's watermark.
//! - A second run finds the advisory lock taken, notes itself as skipped in the ledger, and leaves.
//! - A source that fails keeps its data and its watermark; the others go on.
//! - A deletion that breaks a foreign key, which only a source without one of its own can bring about, makes
//!   that source be read whole: children without a parent then wait in quarantine.
//! - Rows that break a rule: `etl.quarantine`, and `migrations/0006` and `0007` for the rules.

mod error;
pub(crate) mod ledger;
mod load;
mod merge;
mod partitions;
mod report;
mod run;
mod schedule;
mod stage;

use std::time::Duration;

use secrecy::SecretString;
use service_kit::metrics::HttpMetrics;
use sqlx::PgConnection;
use tracing::Instrument as _;

pub use error::EtlError;
pub use report::{RunReport, RunStatus, SourceReport};
pub(crate) use run::Run;
pub use schedule::{EVERY, WATCH_EVERY, keep_running, watch};

use crate::{
    Warehouse,
    source::{ChangeFeed, FeedSource, PostgresSource, Source, SourceError, System},
};

/// How long the server may take to notice that a session has ended: it looks every second.
const LETTING_GO: Duration = Duration::from_secs(5);

/// Where a system is, and how it is read.
#[derive(Clone, Debug)]
pub enum SourceConfig {
    /// An operational database.
    Postgres {
        /// Which system.
        system: System,
        /// Its PostgreSQL URL, which may hold a password.
        url: SecretString,
    },
    /// PromptContent behind its change feed.
    ChangeFeed(ChangeFeed),
}

impl SourceConfig {
    /// Which system.
    pub fn system(&self) -> System {
        match self {
            Self::Postgres { system, .. } => *system,
            Self::ChangeFeed(_) => System::PromptContent,
        }
    }

    /// The same; calls of another service are counted among these.
    #[must_use]
    pub fn measured_by(self, metrics: &HttpMetrics) -> Self {
        match self {
            Self::ChangeFeed(feed) => Self::ChangeFeed(feed.measured_by(metrics)),
            database @ Self::Postgres { .. } => database,
        }
    }

    /// The adapter for it.
    pub fn source(&self) -> Box<dyn Source> {
        match self {
            Self::Postgres { system, url } => Box::new(PostgresSource::new(*system, url.clone())),
            Self::ChangeFeed(feed) => Box::new(FeedSource::new(feed.clone())),
        }
    }
}

/// One run. See the module.
///
/// # Errors
/// When the warehouse itself fails. A source's failure is part of the report.
pub async fn run_once(
    warehouse: &Warehouse,
    sources: &[SourceConfig],
) -> Result<RunReport, EtlError> {
    let sources: Vec<_> = sources.iter().map(SourceConfig::source).collect();
    run(warehouse, &sources).await
}

/// One run over any sources.
///
/// # Errors
/// As [`run_once`].
pub async fn run(
    warehouse: &Warehouse,
    sources: &[Box<dyn Source>],
) -> Result<RunReport, EtlError> {
    let mut connection = warehouse.etl_connection().await?;
    if !ledger::try_lock(&mut connection).await? {
        let run_id = ledger::skipped(&mut connection).await?;
        tracing::info!(run_id, "etl skipped: another run is at work");
        return Ok(RunReport::skipped(run_id));
    }
    run_locked(warehouse, connection, sources).await
}

/// One run, after the one that may be under way: for whoever needs what was committed
/// just now. Waits for a minute; skipped if that was not enough.
///
/// # Errors
/// As [`run_once`].
pub async fn run_in_turn(
    warehouse: &Warehouse,
    sources: &[SourceConfig],
) -> Result<RunReport, EtlError> {
    let sources: Vec<_> = sources.iter().map(SourceConfig::source).collect();
    let mut connection = warehouse.etl_connection().await?;
    if !ledger::lock(&mut connection).await? {
        let run_id = ledger::skipped(&mut connection).await?;
        return Ok(RunReport::skipped(run_id));
    }
    run_locked(warehouse, connection, &sources).await
}

/// Says of a run that this process has dropped that it was interrupted, once the server has let go of it.
/// Nothing happens while somebody else's run is at work: that one has said it already.
///
/// # Errors
/// When the warehouse does not answer.
pub async fn note_interrupted(warehouse: &Warehouse) -> Result<(), EtlError> {
    let noted = async {
        let mut connection = warehouse.etl_connection().await?;
        if ledger::lock(&mut connection).await? {
            ledger::interrupted(&mut connection).await?;
            ledger::release(connection).await?;
        }
        Ok(())
    };
    tokio::time::timeout(LETTING_GO, noted)
        .await
        .unwrap_or(Ok(()))
}

/// A run on a connection that holds the lock.
async fn run_locked(
    warehouse: &Warehouse,
    connection: PgConnection,
    sources: &[Box<dyn Source>],
) -> Result<RunReport, EtlError> {
    let mut sources: Vec<&dyn Source> = sources.iter().map(AsRef::as_ref).collect();
    sources.sort_by_key(|source| source.system());
    let run = Run::begin(connection).await?;
    let run_id = run.id();
    let limit = warehouse.run_limit();
    // A trace for itself, whose spans are the calls of the change feed.
    let span = tracing::info_span!("etl", otel.kind = "internal");
    let work = run.over(&sources, warehouse).instrument(span);
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => {
            // The run's own session went with it, and perhaps into silence.
            let error = EtlError::TimedOut { limit };
            ledger::timed_out(&mut warehouse.etl_connection().await?, run_id, &error).await?;
            Err(error)
        }
    }
}

impl From<SourceError> for EtlError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}
