//! Staged rows into core, with watermark and ledger in the same transaction.

use sqlx::{Connection, PgConnection};

use super::{EtlError, ledger, report::SourceReport};
use crate::source::{Snapshot, System, Table, Totals, Watermark};

/// Where the last merge of a source left off.
#[derive(Debug)]
pub struct Known {
    pub epoch: String,
    pub watermark: Watermark,
    /// Somebody asked for everything to be read again.
    pub read_all: bool,
    /// Of the row that says so.
    pub version: String,
}

/// `None` before the first merge.
pub async fn watermark(
    connection: &mut PgConnection,
    system: System,
) -> Result<Option<Known>, EtlError> {
    let row: Option<(String, String, bool, String)> =
        sqlx::query_as(include_str!("merge/watermark.sql"))
            .bind(system.name())
            .fetch_optional(connection)
            .await?;
    let Some((epoch, watermark, read_all, version)) = row else {
        return Ok(None);
    };
    let watermark = watermark
        .parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Some(Known {
        epoch,
        watermark: Watermark(watermark),
        read_all,
        version,
    }))
}

/// Fresh statistics of a target's landing table, or of its table in core.
pub async fn analyze(
    connection: &mut PgConnection,
    target: &str,
    of_core: bool,
) -> sqlx::Result<()> {
    sqlx::query(include_str!("merge/analyze.sql"))
        .bind(target)
        .bind(of_core)
        .execute(connection)
        .await
        .map(drop)
}

/// What a merge is made for.
#[derive(Debug)]
pub struct Merge {
    pub run_id: i64,
    pub system: System,
    /// [`Known::version`] of the watermark that the read began from.
    pub known_version: Option<String>,
}

impl Merge {
    /// Merges and commits. `finish` completes the report just before it goes into the ledger.
    pub async fn staged(
        &self,
        connection: &mut PgConnection,
        snapshot: &mut dyn Snapshot,
        mut report: SourceReport,
        finish: impl FnOnce(SourceReport) -> SourceReport + Send,
    ) -> Result<SourceReport, EtlError> {
        let mut transaction = connection.begin().await?;
        let touched = self.tables(&mut transaction, &mut report).await?;
        let disagreeing = self.reconcile(&mut transaction, snapshot, &touched).await?;
        report.reconciled = (!touched.is_empty()).then_some(disagreeing.is_empty());
        if !disagreeing.is_empty() {
            report.disagrees(&disagreeing);
        }
        let facts = snapshot.facts();
        sqlx::query(include_str!("merge/save_watermark.sql"))
            .bind(self.system.name())
            .bind(&facts.epoch)
            .bind(facts.next.to_string())
            .bind(facts.as_of)
            .bind(self.run_id)
            .bind(&self.known_version)
            .bind(!disagreeing.is_empty())
            .execute(&mut *transaction)
            .await?;
        let report = finish(report);
        ledger::source_done(&mut transaction, self.run_id, &report).await?;
        transaction.commit().await?;
        Ok(report)
    }

    /// Merges every table of the system, and returns those for which something came or went.
    async fn tables(
        &self,
        connection: &mut PgConnection,
        report: &mut SourceReport,
    ) -> Result<Vec<&'static Table>, EtlError> {
        let tables: Vec<(String, i64, i64, i64, i64, i64)> =
            sqlx::query_as(include_str!("merge/merge.sql"))
                .bind(self.run_id)
                .bind(self.system.name())
                .bind(report.read_all)
                .fetch_all(connection)
                .await?;
        let mut touched = Vec::new();
        for (target, read, inserted, updated, deleted, quarantined) in tables {
            report.rows_read += read;
            report.inserted += inserted;
            report.updated += updated;
            report.deleted += deleted;
            report.quarantined += quarantined;
            let table = self.system.tables().iter().find(|t| t.target == target);
            if read + inserted + updated + deleted > 0 {
                touched.extend(table);
            }
        }
        Ok(touched)
    }

    /// Compares counts and sums with the source's, in whose snapshot they are taken at the same time as the
    /// warehouse's. Returns the targets that disagree.
    async fn reconcile(
        &self,
        connection: &mut PgConnection,
        snapshot: &mut dyn Snapshot,
        tables: &[&'static Table],
    ) -> Result<Vec<&'static str>, EtlError> {
        let there = async {
            let mut totals = Vec::new();
            for table in tables {
                totals.push(snapshot.totals(table).await?);
            }
            Ok::<_, EtlError>(totals)
        };
        let here = async {
            let mut totals = Vec::new();
            for table in tables {
                totals.push(core_totals(connection, table).await?);
            }
            Ok::<_, EtlError>(totals)
        };
        let (there, here) = tokio::try_join!(there, here)?;
        let mut disagreeing = Vec::new();
        for ((table, there), here) in tables.iter().zip(there).zip(here) {
            let agrees: bool = sqlx::query_scalar(include_str!("merge/reconcile.sql"))
                .bind(self.run_id)
                .bind(table.target)
                .bind(there.rows)
                .bind(there.sum)
                .bind(here.rows)
                .bind(here.sum)
                .fetch_one(&mut *connection)
                .await?;
            if !agrees {
                disagreeing.push(table.target);
            }
        }
        Ok(disagreeing)
    }
}

async fn core_totals(connection: &mut PgConnection, table: &Table) -> sqlx::Result<Totals> {
    let (rows, sum) = sqlx::query_as(include_str!("merge/core_totals.sql"))
        .bind(table.target)
        .fetch_one(connection)
        .await?;
    Ok(Totals { rows, sum })
}
