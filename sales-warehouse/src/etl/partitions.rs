//! The months that staged rows need.

use sqlx::{Connection, PgConnection};

use super::EtlError;
use crate::source::System;

/// Partitions made in one transaction. Each takes some thirty locks until it ends, and a server with
/// PostgreSQL's defaults keeps few thousand for everybody.
const AT_ONCE: usize = 24;

/// Makes the months that the staged rows need, in transactions of their own: making one holds up readers, and
/// a reader that holds its transaction open holds it up in turn, until `lock_timeout`. Refuses, and makes none,
/// when the merge would then need more locks than the server can keep.
pub async fn ensure(connection: &mut PgConnection, system: System) -> Result<(), EtlError> {
    let missing: Vec<(String, String)> =
        sqlx::query_as(include_str!("merge/missing_partitions.sql"))
            .bind(system.name())
            .fetch_all(&mut *connection)
            .await?;
    let (needed, room, enough): (i64, i64, i64) =
        sqlx::query_as(include_str!("merge/lock_room.sql"))
            .bind(i64::try_from(missing.len()).unwrap_or(i64::MAX))
            .fetch_one(&mut *connection)
            .await?;
    if needed > room {
        return Err(EtlError::TooFewLocks {
            needed,
            room,
            enough,
        });
    }
    for some in missing.chunks(AT_ONCE) {
        let mut transaction = connection.begin().await?;
        for (target, month) in some {
            sqlx::query(include_str!("merge/make_partition.sql"))
                .bind(target)
                .bind(month)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}
