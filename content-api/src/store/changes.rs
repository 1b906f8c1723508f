//! The port to what changed.

use async_trait::async_trait;
use contracts::changes::Change;

use super::StoreError;

/// Reads what changed in documents, campaigns and their use of documents.
///
/// The contract is with a reader that goes from page to page and keeps its position:
///
/// * **Complete.** A write that returned before a reading began is in what is read from then on,
///   up to the first empty page.
/// * **In order, and nothing behind.** Positions grow along a page; once a position was given to a
///   reader, nothing is ever added at it or before it, however long a writer takes between asking
///   for a position and being seen.
/// * **States, not steps.** A thing stands there once, at its last change. A reader that is late
///   sees fewer states, and always the last one.
///
/// An adapter may give positions as it writes, if writers wait for one another until they are seen
/// (PostgreSQL: one row that each transaction changes first). Where writers do not wait (MongoDB),
/// one sequencer at a time gives positions to what is written already and has none, and a reading
/// lets it run first.
#[async_trait]
pub trait ChangeFeed: Send + Sync {
    /// Up to `limit` changes after the position `after`, 0 for the beginning.
    async fn changes(&self, after: i64, limit: u32) -> Result<Vec<Change>, StoreError>;
}
