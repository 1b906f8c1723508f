//! Rows from a snapshot into landing tables, as they come.

use futures::StreamExt;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::EtlError;
use crate::source::{RowStream, Rows, Snapshot, System, Table, Watermark};

/// Rows come one a message; they go in messages of about this many bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// Empties a system's landing tables and fills them with what changed since. Returns how many rows came
/// for each target, without tombstones. One transaction, so that what lies there is always of one snapshot, and
/// bears the number of the run that read it.
pub async fn changes(
    connection: &mut PgConnection,
    run_id: i64,
    system: System,
    snapshot: &mut dyn Snapshot,
    since: Watermark,
) -> Result<Vec<(&'static str, u64)>, EtlError> {
    let mut transaction = connection.begin().await?;
    sqlx::query(include_str!("stage/claim.sql"))
        .bind(system.name())
        .bind(run_id)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(AssertSqlSafe(truncate(system)))
        .execute(&mut *transaction)
        .await?;
    // Shared, so that one system lands while another is merged.
    sqlx::query(include_str!("stage/forget_tombstones.sql"))
        .bind(system.name())
        .execute(&mut *transaction)
        .await?;
    let mut staged = Vec::new();
    for table in system.tables() {
        let rows = snapshot.rows(table, since).await?;
        let rows = copy(&mut transaction, &copy_in(table), rows).await?;
        staged.push((table.target, rows));
    }
    if since > Watermark::START {
        let keys = snapshot.tombstones(since).await?;
        copy(
            &mut transaction,
            "COPY staging.tombstones (source, table_name, pk) FROM STDIN (FORMAT binary)",
            keys,
        )
        .await?;
    }
    transaction.commit().await?;
    Ok(staged)
}

/// Pipes rows into a `COPY`. Waiting for the warehouse to take a chunk is what holds the source back.
async fn copy(
    connection: &mut PgConnection,
    statement: &str,
    mut rows: RowStream<'_>,
) -> Result<u64, EtlError> {
    let mut sink = connection.copy_in_raw(statement).await?;
    let mut chunk = Vec::with_capacity(2 * CHUNK_BYTES);
    while let Some(row) = rows.next().await {
        match row {
            Ok(bytes) => chunk.extend_from_slice(&bytes),
            Err(error) => {
                sink.abort("the source failed").await?;
                return Err(error.into());
            }
        }
        if chunk.len() >= CHUNK_BYTES {
            sink.send(chunk.as_slice()).await?;
            chunk.clear();
        }
    }
    sink.send(chunk.as_slice()).await?;
    Ok(sink.finish().await?)
}

fn truncate(system: System) -> String {
    let landing: Vec<String> = system
        .tables()
        .iter()
        .map(|table| format!("staging.{}", table.landing))
        .collect();
    format!("TRUNCATE {}", landing.join(", "))
}

fn copy_in(table: &Table) -> String {
    match table.rows {
        // Its statement lists the columns in the landing table's order.
        Rows::Joined { .. } => {
            format!("COPY staging.{} FROM STDIN (FORMAT binary)", table.landing)
        }
        Rows::Plain => {
            let columns: Vec<&str> = table
                .relation
                .columns
                .iter()
                .map(|(name, _)| *name)
                .collect();
            format!(
                "COPY staging.{} ({}) FROM STDIN (FORMAT binary)",
                table.landing,
                columns.join(", ")
            )
        }
    }
}
