//! The ports to the content store: documents with their image files, campaigns with their log, and
//! what both leave behind for others to read.
//!
//! | port | keeps |
//! |---|---|
//! | [`ContentStore`] | documents, image files, what is still to be published |
//! | [`CampaignStore`] | campaigns, their use of documents, their log |
//! | [`ChangeFeed`] | nothing: what changed, in order |
//! | [`RequestKeys`] | what was answered to a request that may be repeated |
//! | [`ErasureLedger`] | what was erased |
//!
//! To add an adapter: implement the five in a file below `store/`, let it pass the contract suite in
//! `tests/it/store_contract.rs`, and choose it where the service is put together. The contract in
//! short: each write is atomic in the one document that it names; a revision grows by one with each
//! change and with a deletion; a write that changes nothing changes no number; "not found" is `None`,
//! [`Write::Absent`] or an entry left out, never an error. A stored document that cannot be read is
//! left out among others, and an error line names it; alone, it is an error.
//!
//! No method asks for a transaction over several documents. What follows from a write (an entry in
//! a campaign's log, a place in the feed) must be there when it is read after the write returned,
//! also when the writer died in between: written with it, or left in it as an outbox that readers
//! empty first.

mod any;
pub mod campaigns;
pub mod changes;
pub mod contents;
pub mod erasures;
pub mod keys;
pub mod mongo;
pub mod postgres;

use std::error::Error;

use time::OffsetDateTime;

pub use any::{AnyStore, UnknownScheme};
pub use campaigns::{CampaignDraft, CampaignStore};
pub use changes::ChangeFeed;
pub use contents::{
    Browse, Change, ContentDraft, ContentStore, ImageFile, Page, Pending, PutOutcome,
};
pub use erasures::{Erased, ErasureLedger};
pub use keys::{Claim, RequestKeys};
pub use mongo::MongoStore;
pub use postgres::PostgresStore;

/// All the ports of one adapter.
pub trait Store: ContentStore + CampaignStore + ChangeFeed + RequestKeys + ErasureLedger {}

impl<S: ContentStore + CampaignStore + ChangeFeed + RequestKeys + ErasureLedger> Store for S {}

/// When something is written, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The time to store.
    pub now: OffsetDateTime,
    /// The subject of the caller's token.
    pub by: String,
}

/// What became of a write that names what it expects to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Done; or there was nothing to change.
    Done(PutOutcome),
    /// Not done: something else is there, under this revision.
    Conflict {
        /// Now.
        revision: i64,
    },
    /// Not done: this very request was done before.
    Repeated {
        /// Now.
        revision: i64,
    },
    /// Not done: what this very request created was erased.
    Erased,
    /// Not done: there is nothing.
    Absent,
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database does not answer, or refuses.
    #[error("the content store could not {action}: {source}")]
    Backend {
        /// In words: "read documents".
        action: &'static str,
        /// The adapter's own error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// What is stored is not a document of this version.
    #[error("the stored document '{id}' cannot be read: {source}. Write it again")]
    Damaged {
        /// Which.
        id: String,
        /// What does not fit.
        source: Box<dyn Error + Send + Sync>,
    },
}
