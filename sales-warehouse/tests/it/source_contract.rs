//! What every adapter of `Source` must do, for each system. Call [`suite`] with a [`Backend`] of one's own: a
//! database with the fixture's rows that nobody else uses.
//!
//! The suite knows the port alone: rows in `COPY`'s binary format, watermarks, tombstones. What is a dialect's,
//! writing rows and changing tables, is the backend's.

mod drift;
mod interleaved;
mod reading;
pub mod scene;
mod wire;

use async_trait::async_trait;
use sales_warehouse::source::Source;

pub use scene::Scene;

/// A database under an adapter, and how to change it. Rows have numbers: [`Scene`] says which they are.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Which rows of which tables the suite writes.
    fn scene(&self) -> &'static Scene;
    /// The adapter.
    fn source(&self) -> Box<dyn Source>;
    /// The adapter for a place where no server is, with a password that must not be repeated: `hush`.
    fn nowhere(&self) -> Box<dyn Source>;
    /// Writes and commits.
    async fn write(&self, write: Write);
    /// Writes, and commits later or never.
    async fn hold(&self, write: Write) -> Box<dyn Held>;
    /// Gives the row [`Scene::texts`] this text.
    async fn write_text(&self, text: &str);
    /// Deletes every row of [`Scene::rows`] at once, such that no tombstones are left.
    async fn truncate(&self);
    /// Changes the shape of the table [`Scene::rows`], or takes that change back.
    async fn drift(&self, drift: Drift, back: bool);
    /// Waits until a read that begins now leaves nothing that is committed for the read after it.
    async fn settle(&self);
}

/// One row's change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// A new one, whose measure is its number.
    Insert(i64),
    /// Of a row that is there: the number, and its measure from now on.
    Update(i64, i64),
    /// Of one that is there.
    Delete(i64),
}

/// A transaction that is open.
#[async_trait]
pub trait Held: Send {
    async fn commit(self: Box<Self>);
    async fn roll_back(self: Box<Self>);
}

/// How a table may change under its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// A column `added`, of a text type.
    NewColumn,
    /// The measure's column has another type.
    OtherType,
    /// The measure's column is gone.
    NoColumn,
    /// The table is gone.
    NoTable,
}

/// Runs everything. What the parts write, they delete.
pub async fn suite(backend: &dyn Backend) {
    reading::everything_once(backend).await;
    reading::what_changed(backend).await;
    reading::one_point_in_time(backend).await;
    reading::what_was_in_flight(backend).await;
    reading::deletions(backend).await;
    reading::texts(backend).await;
    reading::nobody_there(backend).await;
    interleaved::anything_in_any_order(backend).await;
    drift::shapes(backend).await;
    drift::epochs(backend).await;
}
