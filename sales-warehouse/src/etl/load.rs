//! One source's part of a run.

use std::time::Instant;

use sqlx::PgConnection;

use super::{
    EtlError, merge,
    report::{RunStatus, SourceReport, milliseconds},
    stage,
};
use crate::source::{Snapshot, System, Watermark};

/// From how many changed rows on the planner's statistics of core are made anew.
const ANALYZE_FROM_ROWS: i64 = 50_000;
/// From how many staged rows on they get statistics; for fewer, any plan will do.
const ANALYZE_STAGED_FROM_ROWS: u64 = 500;

/// Reads what changed, merges it, moves the watermark.
pub async fn source(
    connection: &mut PgConnection,
    run_id: i64,
    system: System,
    snapshot: &mut dyn Snapshot,
    begun: Instant,
) -> Result<SourceReport, EtlError> {
    let facts = snapshot.facts().clone();
    let mut report = SourceReport {
        source: system.name(),
        status: RunStatus::Succeeded,
        read_all: false,
        as_of: Some(facts.as_of),
        duration_ms: 0,
        rows_read: 0,
        inserted: 0,
        updated: 0,
        deleted: 0,
        quarantined: 0,
        reconciled: None,
        notices: facts.notices.clone(),
        error: None,
    };
    let since = match merge::watermark(connection, system).await? {
        Some(known) if known.epoch == facts.epoch && !known.read_all => known.watermark,
        _ => Watermark::START,
    };
    report.read_all = since == Watermark::START;
    let first = attempt(
        connection,
        run_id,
        system,
        snapshot,
        since,
        report.clone(),
        begun,
    )
    .await;
    let done = match first {
        Err(error) if error.broke_foreign_key() && !report.read_all => {
            tracing::warn!(
                source = system.name(),
                "a deletion leaves children behind: reading everything"
            );
            report.read_all = true;
            report
                .notices
                .push("a deletion left children behind, so everything was read".to_owned());
            attempt(
                connection,
                run_id,
                system,
                snapshot,
                Watermark::START,
                report,
                begun,
            )
            .await?
        }
        other => other?,
    };
    if done.changed() >= ANALYZE_FROM_ROWS {
        merge::analyze(connection, system, true).await?;
    }
    Ok(done)
}

async fn attempt(
    connection: &mut PgConnection,
    run_id: i64,
    system: System,
    snapshot: &mut dyn Snapshot,
    since: Watermark,
    report: SourceReport,
    begun: Instant,
) -> Result<SourceReport, EtlError> {
    let staged = stage::changes(connection, system, snapshot, since).await?;
    if staged >= ANALYZE_STAGED_FROM_ROWS {
        merge::analyze(connection, system, false).await?;
    }
    merge::ensure_partitions(connection, system).await?;
    let finish = |mut report: SourceReport| {
        report.duration_ms = milliseconds(begun.elapsed());
        report
    };
    merge::staged(connection, run_id, system, snapshot, report, finish).await
}
