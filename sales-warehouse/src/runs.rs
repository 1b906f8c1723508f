//! What the ledger says of each source's latest part in a run.

use serde::Serialize;

use crate::{Warehouse, source::System};

/// One source in the last run that came to it. Counts are rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct LatestRun {
    /// `promptads`, `promptcrm` or `promptcontent`.
    pub source: String,
    /// Its number in `etl.runs`.
    pub run_id: i64,
    /// `succeeded` or `failed`.
    pub status: String,
    /// How long it took, milliseconds.
    pub duration_ms: i64,
    /// Rows that the source sent.
    pub rows_read: i64,
    /// New in core.
    pub inserted: i64,
    /// Changed in core.
    pub updated: i64,
    /// Gone from core.
    pub deleted: i64,
    /// Rows that break a rule.
    pub quarantined: i64,
    /// Why it failed.
    pub error: Option<String>,
}

/// Of every system that a run has come to, in the order of [`System::ALL`].
pub async fn latest(warehouse: &Warehouse) -> Result<Vec<LatestRun>, sqlx::Error> {
    let sources: Vec<&str> = System::ALL.iter().map(|system| system.name()).collect();
    sqlx::query_as(include_str!("runs/latest.sql"))
        .bind(sources)
        .fetch_all(warehouse.reader())
        .await
}
