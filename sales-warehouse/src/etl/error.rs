//! What can go wrong.

use std::time::Duration;

use crate::source::{SourceError, System};

/// SQLSTATE lock_not_available: `lock_timeout` passed.
const LOCK_TIMED_OUT: &str = "55P03";

/// Why a run, or a source's part of it, did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EtlError {
    /// The warehouse's database failed.
    #[error("the warehouse's database failed")]
    Warehouse(#[source] sqlx::Error),
    /// Somebody holds a table of the warehouse.
    #[error(
        "a session holds a table of the warehouse in an open transaction: end it (pg_stat_activity shows which), \
         and the next run goes on"
    )]
    Locked(#[source] sqlx::Error),
    /// The merge would fail for want of locks.
    #[error(
        "merging may take {needed} locks and the warehouse's server keeps {room}: set max_locks_per_transaction \
         to {enough} or more, and restart it"
    )]
    TooFewLocks {
        /// At most so many.
        needed: i64,
        /// `max_locks_per_transaction * (max_connections + max_prepared_transactions)`.
        room: i64,
        /// The setting that gives it room.
        enough: i64,
    },
    /// It took longer than [`crate::Warehouse::with_run_limit`] allows.
    #[error(
        "the run was given up after {} s: what was merged stays, the next run goes on from there. If the \
         sources hold that much, allow it more",
        .limit.as_secs()
    )]
    TimedOut {
        /// What it was allowed.
        limit: Duration,
    },
    /// This run lost its lock midway, and another one read the source since.
    #[error("another run has read {system} since this one did, and merges what it found")]
    TakenOver {
        /// Which.
        system: System,
    },
    /// A source failed.
    #[error(transparent)]
    Source(SourceError),
}

impl From<sqlx::Error> for EtlError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        if code.as_deref() == Some(LOCK_TIMED_OUT) {
            Self::Locked(error)
        } else {
            Self::Warehouse(error)
        }
    }
}

impl EtlError {
    /// A foreign key that did not hold: SQLSTATE 23503.
    pub(super) fn broke_foreign_key(&self) -> bool {
        let Self::Warehouse(error) = self else {
            return false;
        };
        error
            .as_database_error()
            .is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation)
    }
}
