//! Staged rows into core, with watermark and ledger in the same transaction.

use sqlx::{Connection, PgConnection};

use super::{EtlError, ledger, report::SourceReport};
use crate::source::{Snapshot, System, Watermark};

/// Where the last merge of a source left off.
#[derive(Debug)]
pub struct Known {
    pub epoch: String,
    pub watermark: Watermark,
    /// Somebody asked for everything to be read again.
    pub read_all: bool,
}

/// `None` before the first merge.
pub async fn watermark(
    connection: &mut PgConnection,
    system: System,
) -> Result<Option<Known>, EtlError> {
    let row: Option<(String, String, bool)> = sqlx::query_as(include_str!("merge/watermark.sql"))
        .bind(system.name())
        .fetch_optional(connection)
        .await?;
    let Some((epoch, watermark, read_all)) = row else {
        return Ok(None);
    };
    let watermark = watermark
        .parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Some(Known {
        epoch,
        watermark: Watermark(watermark),
        read_all,
    }))
}

/// Makes the months that the staged rows need. A transaction of its own: it holds up readers.
pub async fn ensure_partitions(
    connection: &mut PgConnection,
    system: System,
) -> Result<(), EtlError> {
    sqlx::query(include_str!("merge/ensure_partitions.sql"))
        .bind(system.name())
        .execute(connection)
        .await?;
    Ok(())
}

/// Fresh statistics of a system's landing tables, or of its tables in core.
pub async fn analyze(
    connection: &mut PgConnection,
    system: System,
    of_core: bool,
) -> Result<(), EtlError> {
    sqlx::query(include_str!("merge/analyze.sql"))
        .bind(system.name())
        .bind(of_core)
        .execute(connection)
        .await?;
    Ok(())
}

/// Merges and commits. `finish` completes the report just before it goes into the ledger.
pub async fn staged(
    connection: &mut PgConnection,
    run_id: i64,
    system: System,
    snapshot: &mut dyn Snapshot,
    mut report: SourceReport,
    finish: impl FnOnce(SourceReport) -> SourceReport + Send,
) -> Result<SourceReport, EtlError> {
    let mut transaction = connection.begin().await?;
    let tables: Vec<(String, i64, i64, i64, i64, i64)> =
        sqlx::query_as(include_str!("merge/merge.sql"))
            .bind(run_id)
            .bind(system.name())
            .bind(report.read_all)
            .fetch_all(&mut *transaction)
            .await?;
    let mut touched = Vec::new();
    for (target, read, inserted, updated, deleted, quarantined) in tables {
        report.rows_read += read;
        report.inserted += inserted;
        report.updated += updated;
        report.deleted += deleted;
        report.quarantined += quarantined;
        if read + inserted + updated + deleted > 0 {
            touched.push(target);
        }
    }
    for table in system.tables() {
        if touched.iter().any(|target| target == table.target) {
            let totals = snapshot.totals(table).await?;
            let agrees: bool = sqlx::query_scalar(include_str!("merge/reconcile.sql"))
                .bind(run_id)
                .bind(table.target)
                .bind(totals.rows)
                .bind(totals.sum)
                .fetch_one(&mut *transaction)
                .await?;
            report.reconciled = Some(agrees && report.reconciled != Some(false));
        }
    }
    let facts = snapshot.facts();
    sqlx::query(include_str!("merge/save_watermark.sql"))
        .bind(system.name())
        .bind(&facts.epoch)
        .bind(facts.next.to_string())
        .bind(facts.as_of)
        .bind(run_id)
        .execute(&mut *transaction)
        .await?;
    let report = finish(report);
    ledger::source_done(&mut transaction, run_id, &report).await?;
    transaction.commit().await?;
    Ok(report)
}
