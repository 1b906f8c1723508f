//! Staged rows into core, with watermark and ledger in the same transaction.

use std::collections::BTreeMap;

use sqlx::{Connection, PgConnection};

use super::{EtlError, ledger, report::SourceReport};
use crate::source::{Snapshot, System, Table, Totals, Watermark};

/// By target.
type SourceTotals = BTreeMap<&'static str, Option<Totals>>;

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
        staged: &[(&'static str, u64)],
        mut report: SourceReport,
        finish: impl FnOnce(SourceReport) -> SourceReport + Send,
    ) -> Result<SourceReport, EtlError> {
        let mut transaction = connection.begin().await?;
        self.hold(&mut transaction).await?;
        let expected = self.expected(&mut transaction, staged).await?;
        // The source counts meanwhile. Both are waited for, whatever becomes of one: a snapshot is of no use
        // in the middle of an answer.
        let (touched, there) = tokio::join!(
            self.tables(&mut transaction, &mut report),
            totals(snapshot, &expected),
        );
        let (touched, mut there) = (touched?, there?);
        let others = touched
            .iter()
            .filter(|table| !there.contains_key(table.target));
        let others: Vec<_> = others.copied().collect();
        there.extend(totals(snapshot, &others).await?);
        let disagreeing = self.reconcile(&mut transaction, &there, &touched).await?;
        let uncounted = there.values().any(Option::is_none);
        report.reconciled = (!touched.is_empty()).then_some(disagreeing.is_empty());
        if !disagreeing.is_empty() {
            report.disagrees(&disagreeing);
        } else if uncounted {
            report.reconciled = None;
            let notice =
                "the source moved on before it was counted: reconciled when it next changes";
            report.notices.push(notice.to_owned());
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

    /// Makes sure that it was this run whose rows landed, and that they stay.
    async fn hold(&self, connection: &mut PgConnection) -> Result<(), EtlError> {
        let ours: Option<bool> = sqlx::query_scalar(include_str!("merge/hold.sql"))
            .bind(self.system.name())
            .bind(self.run_id)
            .fetch_optional(connection)
            .await?;
        match ours {
            Some(true) => Ok(()),
            _ => Err(EtlError::TakenOver {
                system: self.system,
            }),
        }
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

    /// The tables that will change, as far as rows and tombstones tell.
    async fn expected(
        &self,
        connection: &mut PgConnection,
        staged: &[(&'static str, u64)],
    ) -> sqlx::Result<Vec<&'static Table>> {
        let deleted: Vec<String> = sqlx::query_scalar(include_str!("merge/deleted_from.sql"))
            .bind(self.system.name())
            .fetch_all(connection)
            .await?;
        let changes = |table: &&Table| {
            let target = table.target;
            staged
                .iter()
                .any(|(name, rows)| *name == target && *rows > 0)
                || deleted.iter().any(|name| name == target)
        };
        Ok(self.system.tables().iter().filter(changes).collect())
    }

    /// Compares counts and sums with the source's. Returns the targets that disagree.
    async fn reconcile(
        &self,
        connection: &mut PgConnection,
        there: &SourceTotals,
        tables: &[&'static Table],
    ) -> Result<Vec<&'static str>, EtlError> {
        let mut disagreeing = Vec::new();
        for table in tables {
            let Some(Some(there)) = there.get(table.target) else {
                continue;
            };
            let here = core_totals(connection, table).await?;
            let agrees: bool = sqlx::query_scalar(include_str!("merge/reconcile.sql"))
                .bind(self.run_id)
                .bind(table.target)
                .bind(there.rows)
                .bind(&there.sum)
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

/// Counts and sums of whole tables of a source.
async fn totals(
    snapshot: &mut dyn Snapshot,
    tables: &[&'static Table],
) -> Result<SourceTotals, EtlError> {
    let mut totals = SourceTotals::new();
    for table in tables {
        totals.insert(table.target, snapshot.totals(table).await?);
    }
    Ok(totals)
}

async fn core_totals(connection: &mut PgConnection, table: &Table) -> sqlx::Result<Totals> {
    let (rows, sum) = sqlx::query_as(include_str!("merge/core_totals.sql"))
        .bind(table.target)
        .fetch_one(connection)
        .await?;
    Ok(Totals { rows, sum })
}
