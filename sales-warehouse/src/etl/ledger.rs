//! The lock, and what the ledger says of runs.

use sqlx::{Connection, PgConnection};

use super::{
    EtlError,
    report::{Outcome, RunStatus, SourceReport},
};

/// SQLSTATE lock_not_available.
const LOCK_TIMED_OUT: &str = "55P03";

/// Whether this connection now holds the lock that lets one run at a time work. It lasts until the
/// connection ends.
pub async fn try_lock(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar(include_str!("ledger/try_lock.sql"))
        .fetch_one(connection)
        .await
}

/// Gives the lock back and ends the session. The session's end alone does it too, but only when the
/// server notices, and a run that begins at once would still find it taken.
pub async fn release(mut connection: PgConnection) -> sqlx::Result<()> {
    sqlx::query(include_str!("ledger/unlock.sql"))
        .execute(&mut connection)
        .await?;
    connection.close().await
}

/// The same, and waits a minute for it. `false` if that was not enough.
pub async fn lock(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query(include_str!("ledger/wait_a_minute.sql"))
        .execute(&mut *connection)
        .await?;
    let locked = sqlx::query(include_str!("ledger/lock.sql"))
        .execute(&mut *connection)
        .await;
    sqlx::query(include_str!("ledger/wait_as_usual.sql"))
        .execute(connection)
        .await?;
    match locked {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(LOCK_TIMED_OUT) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Table, rows and checksum of everything in core that comes from a source.
pub async fn checksums(connection: &mut PgConnection) -> sqlx::Result<Vec<(String, i64, String)>> {
    sqlx::query_as(include_str!("ledger/checksums.sql"))
        .fetch_all(connection)
        .await
}

/// A run that found another at work.
pub async fn skipped(connection: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(include_str!("ledger/skipped.sql"))
        .fetch_one(connection)
        .await
}

/// Begins a run, and says of earlier ones that never ended that they were interrupted.
pub async fn begin(connection: &mut PgConnection) -> sqlx::Result<i64> {
    interrupted(connection).await?;
    sqlx::query_scalar(include_str!("ledger/begin.sql"))
        .fetch_one(connection)
        .await
}

/// Says of runs that never ended that they were interrupted. The connection holds the lock.
pub async fn interrupted(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(include_str!("ledger/interrupted.sql"))
        .execute(connection)
        .await?;
    Ok(())
}

/// A source's part of a run.
pub async fn source_done(
    connection: &mut PgConnection,
    run_id: i64,
    report: &SourceReport,
) -> sqlx::Result<()> {
    let status = match report.error {
        None => "succeeded",
        Some(_) => "failed",
    };
    sqlx::query(include_str!("ledger/source_done.sql"))
        .bind(run_id)
        .bind(report.source)
        .bind(status)
        .bind(report.read_all)
        .bind(report.as_of)
        .bind(i64::try_from(report.duration_ms).unwrap_or(i64::MAX))
        .bind(report.rows_read)
        .bind(report.inserted)
        .bind(report.updated)
        .bind(report.deleted)
        .bind(report.quarantined)
        .bind(report.reconciled)
        .bind(&report.notices)
        .bind(&report.error)
        .execute(connection)
        .await?;
    Ok(())
}

/// Closes the books of campaigns that are over. Returns how many.
pub async fn close_campaigns(connection: &mut PgConnection) -> sqlx::Result<i32> {
    sqlx::query_scalar(include_str!("ledger/close_campaigns.sql"))
        .fetch_one(connection)
        .await
}

/// Ends a run that was given up, unless it got as far as to end itself.
pub async fn timed_out(
    connection: &mut PgConnection,
    run_id: i64,
    error: &EtlError,
) -> sqlx::Result<()> {
    sqlx::query(include_str!("ledger/timed_out.sql"))
        .bind(run_id)
        .bind(error.to_string())
        .execute(connection)
        .await
        .map(drop)
}

/// Ends a run, and forgets those that ended long ago.
pub async fn finish(
    connection: &mut PgConnection,
    run_id: i64,
    outcome: &Outcome,
) -> sqlx::Result<()> {
    let status = match outcome.status() {
        RunStatus::Succeeded => "succeeded",
        RunStatus::Failed => "failed",
        RunStatus::Skipped => "skipped",
    };
    sqlx::query(include_str!("ledger/finish.sql"))
        .bind(run_id)
        .bind(status)
        .bind(outcome.marts_refreshed)
        .bind(outcome.campaigns_closed)
        .bind(&outcome.message)
        .execute(&mut *connection)
        .await?;
    sqlx::query(include_str!("ledger/prune.sql"))
        .execute(connection)
        .await?;
    Ok(())
}
