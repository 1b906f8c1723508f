//! The port to erasing, and to the ledger of it.

use async_trait::async_trait;
use contracts::{
    ImageId,
    lifecycle::{Erasure, ErasureRecord},
};

use super::{Stamp, StoreError};

/// What came of an erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erased {
    /// It is done, and in the ledger.
    Now(Box<ErasureRecord>),
    /// There was nothing left: it was done before.
    Before,
    /// The store has never heard of it.
    Unknown,
}

/// Erases, and keeps what was erased where. The ledger holds ids and numbers, no content.
#[async_trait]
pub trait ErasureLedger: Send + Sync {
    /// Removes all that the store holds of a document, live or deleted: its content, its image files
    /// unless others use them, links from campaigns, log entries that name it, kept answers. A
    /// tombstone stays, with the id and the key of the request that created it (a hash) and nothing
    /// else, so that indexes and readers of the feed learn of it, and that request does not create it
    /// anew. Its key is claimed as erased from then on, as if it had come now. The ledger says so,
    /// together with it.
    async fn erase(&self, id: &ImageId, stamp: &Stamp) -> Result<Erased, StoreError>;

    /// Adds to the ledger.
    async fn note_erasure(&self, erasure: Erasure) -> Result<ErasureRecord, StoreError>;

    /// What the ledger says of a document since its last [`contracts::lifecycle::ErasureStage::Store`],
    /// oldest first.
    async fn erasures_of(&self, id: &ImageId) -> Result<Vec<ErasureRecord>, StoreError>;

    /// Up to `limit` records after the one with the sequence number `after`, 0 for the beginning.
    async fn erasures(&self, after: i64, limit: u32) -> Result<Vec<ErasureRecord>, StoreError>;

    /// The revision of a deletion that the indexes are known to hold; `None` when they are not.
    async fn deletion_acknowledged(&self, id: &ImageId) -> Result<Option<i64>, StoreError>;
}
