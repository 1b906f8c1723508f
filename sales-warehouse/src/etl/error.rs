//! What can go wrong.

use crate::source::SourceError;

/// Why a run, or a source's part of it, did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EtlError {
    /// The warehouse's database failed.
    #[error("the warehouse's database failed")]
    Warehouse(#[from] sqlx::Error),
    /// A source failed.
    #[error(transparent)]
    Source(SourceError),
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
