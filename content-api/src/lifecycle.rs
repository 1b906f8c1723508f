//! Writing content: what a caller sends becomes a document, changes, and goes.
//!
//! Every write ends the same way: the store has it, the publisher is woken, and the document as it
//! now is goes back. Cached answers need no care: their keys hold the store's version.

mod changing;
mod creating;
mod erasing;
mod intake;
mod metadata;

use std::{sync::Arc, time::Duration};

use auth::Caller;
use contracts::{ContentDocument, ImageFacts, ImageId, lifecycle::Duplicate};
use images::NEAR_BITS;
use service_kit::{Clock, ProblemResponse};

pub use creating::{id_from, outdated};
pub use intake::Intake;
pub use metadata::{
    Faults, check_channels, check_day, check_labels, check_territories, check_text,
};

use crate::{
    error::no_such_content,
    publisher::Publisher,
    renditions::Renditions,
    store::{Stamp, Store, StoreError},
};

/// Most duplicates that are reported.
const MAX_DUPLICATES: u32 = 10;

/// Writes content. One for the whole service.
pub struct Lifecycle {
    /// Keeps it.
    pub store: Arc<dyn Store>,
    /// Brings it to the indexes.
    pub publisher: Publisher,
    /// Keeps what was made of it.
    pub renditions: Arc<Renditions>,
    /// Makes image files of ours of those that come.
    pub intake: Intake,
    /// Tells the time.
    pub clock: Clock,
    /// How long a cached answer may lie somewhere.
    pub answers_lifetime: Duration,
}

impl Lifecycle {
    /// Who writes, and when.
    pub fn stamp(&self, caller: &Caller) -> Stamp {
        Stamp {
            now: self.clock.now(),
            by: caller.subject().to_owned(),
        }
    }

    async fn document(&self, id: &ImageId) -> Result<ContentDocument, ProblemResponse> {
        let found = self.store.get(std::slice::from_ref(id)).await?;
        let mut found = found.into_iter();
        found.next().ok_or_else(|| no_such_content(id.as_str()))
    }

    async fn duplicates(
        &self,
        id: &ImageId,
        image: &ImageFacts,
    ) -> Result<Vec<Duplicate>, StoreError> {
        // One more than asked for: it is like itself.
        let alike = self
            .store
            .alike(image, NEAR_BITS, MAX_DUPLICATES + 1)
            .await?;
        let others = alike.into_iter().filter(|other| other.id != *id);
        Ok(others.take(MAX_DUPLICATES as usize).collect())
    }
}
