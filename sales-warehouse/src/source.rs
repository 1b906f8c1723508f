//! The port through which the warehouse reads an operational database.
//!
//! A [`Source`] opens a [`Snapshot`]: one point in time, from which any number of tables can be read.
//! Rows travel as bytes in the binary format of PostgreSQL's `COPY`, a chunk at a time, in the order and the
//! types of [`Table::landing`]'s columns, so that they go into the warehouse as they are and never gather in
//! memory. (Binary, since writing and reading times and numbers as text would be half of a load's work.)
//!
//! **Watermarks.** A read takes the rows whose marker is not below a [`Watermark`]; the snapshot says which
//! watermark comes next. It is the oldest transaction that was open when the snapshot was taken, so a row
//! that was not visible yet is never below it. Rows above it that were visible are read once more the next
//! time, which merging makes harmless; in return each read is all of one consistent snapshot, parents and
//! children alike, and a transaction that somebody leaves open makes nothing late.
//!
//! A change feed ([`FeedSource`]) has positions in place of transactions, and sends each thing at its last one:
//! [`Source::open`] is told from where on, so that it sends no more than what changed.
//!
//! **To add an adapter** implement both traits in a file beside `source/postgres.rs`: find changed rows by
//! marker, deletions by tombstones of keys that do not exist any more, an epoch that differs once markers
//! cannot be trusted; refuse a table whose columns are gone or of another type; say which are new.

mod feed;
mod patient;
mod postgres;
mod tables;

use std::{error::Error, fmt};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use time::OffsetDateTime;

pub use feed::{ChangeFeed, FeedSource};
pub(crate) use feed::{Held, held_snapshot};
pub(crate) use patient::Patient;
pub use postgres::PostgresSource;
pub use tables::{Column, Relation, Rows, System, Table};

/// Rows in `COPY`'s binary format, header and trailer included. A chunk may end within a row.
pub type RowStream<'a> = BoxStream<'a, Result<Bytes, SourceError>>;

/// The cause of a failure: a driver's or a client's error.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A place in a source's order of writes: the transaction id, or the position in a change feed, from which on the
/// next read reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watermark(pub u64);

impl Watermark {
    /// Below every row: reads everything.
    pub const START: Self = Self(0);
}

impl fmt::Display for Watermark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a snapshot says of itself.
#[derive(Clone, Debug)]
pub struct SnapshotFacts {
    /// While it is the same, markers and tombstones tell of every change.
    pub epoch: String,
    /// Where the next read begins. A known watermark above it is of a source that was rewound.
    pub next: Watermark,
    /// From which watermark on tombstones are complete: older ones may have been thrown away.
    pub complete_from: Watermark,
    /// The source's clock when the snapshot was taken.
    pub as_of: OffsetDateTime,
    /// What a person should know and that stops nothing, such as a new column.
    pub notices: Vec<String>,
}

/// Everything a table holds, for reconciliation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Rows.
    pub rows: i64,
    /// Sum of [`Table::measure`], a decimal number; `0` where there is none.
    pub sum: String,
}

/// Why a source cannot be read. Its data in the warehouse stays as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No connection, or none in time.
    #[error("{system} cannot be reached: check its URL and that its server runs")]
    Unreachable {
        /// Which.
        system: System,
        /// The cause.
        source: Cause,
    },
    /// The tables are not what the warehouse expects.
    #[error(
        "{system} has changed: {}; nothing of it was read. Bring it back, or teach the warehouse the new shape",
        .faults.join("; ")
    )]
    Drifted {
        /// Which.
        system: System,
        /// One a column or table.
        faults: Vec<String>,
    },
    /// It stopped answering in the middle.
    #[error("{system} sent nothing for {seconds} s while {action}")]
    Stalled {
        /// Which.
        system: System,
        /// What was being done.
        action: String,
        /// How long was waited.
        seconds: u64,
    },
    /// It answers, and would keep a run from the other sources.
    #[error(
        "{system} was given up: it had been waited for for {seconds} s in all, which is its share of a run. If it has \
         that much to send, allow a run more time"
    )]
    TooSlow {
        /// Which.
        system: System,
        /// How long was waited.
        seconds: u64,
    },
    /// It does not let us read.
    #[error("{system} refused while {action}: {detail}")]
    Refused {
        /// Which.
        system: System,
        /// What was being done.
        action: String,
        /// What it said.
        detail: String,
    },
    /// It answered something that cannot be read.
    #[error(
        "{system} answered something that is no page of its change feed: {detail}. Check its URL"
    )]
    Malformed {
        /// Which.
        system: System,
        /// What is wrong with it.
        detail: String,
    },
    /// It sent more than is kept in memory.
    #[error(
        "{system} has more than {mebibytes} MiB of changed rows to send at once, which is more than is held"
    )]
    TooMuch {
        /// Which.
        system: System,
        /// The bound.
        mebibytes: usize,
    },
    /// It broke off.
    #[error("{system} failed while {action}")]
    Read {
        /// Which.
        system: System,
        /// What was being done.
        action: String,
        /// The cause.
        source: Cause,
    },
}

/// An operational database.
#[async_trait]
pub trait Source: Send + Sync {
    /// Which system it is.
    fn system(&self) -> System;

    /// Takes a snapshot, after checking that the tables have the shape of [`System::tables`]. `from` is where the
    /// reading will most likely begin; from further back it may be of a later point in time.
    async fn open(&self, from: Watermark) -> Result<Box<dyn Snapshot>, SourceError>;
}

/// One point in time of a source. Dropping it lets go of it.
#[async_trait]
pub trait Snapshot: Send {
    /// What it says of itself.
    fn facts(&self) -> &SnapshotFacts;

    /// The rows of a table that changed since; all of them for [`Watermark::START`].
    async fn rows(
        &mut self,
        table: &'static Table,
        since: Watermark,
    ) -> Result<RowStream<'_>, SourceError>;

    /// Keys deleted since that do not exist in this snapshot, of every table: system, table, key as a JSON
    /// object.
    async fn tombstones(&mut self, since: Watermark) -> Result<RowStream<'_>, SourceError>;

    /// Counts and sums of a whole table; `None` if the source has moved on and can no longer say.
    async fn totals(&mut self, table: &'static Table) -> Result<Option<Totals>, SourceError>;
}
