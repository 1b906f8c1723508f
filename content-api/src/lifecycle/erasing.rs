//! Erasing: out of the store at once, out of the indexes as soon as they hear of it, and both on record.

use std::time::Duration;

use auth::Caller;
use contracts::{
    ImageId,
    lifecycle::{ErasedElsewhere, Erasure, ErasureAnswer, ErasureRecord, ErasureStage},
};
use service_kit::ProblemResponse;
use tokio::time::timeout;

use super::Lifecycle;
use crate::{
    error::no_such_content,
    store::{Erased, StoreError},
};

/// Longest wait for the indexes.
const PATIENCE: Duration = Duration::from_secs(5);

impl Lifecycle {
    /// Erases a document, live or deleted. To be repeated while the answer is not complete; a
    /// complete one comes again when it is repeated.
    pub async fn erase(
        &self,
        caller: &Caller,
        id: &ImageId,
    ) -> Result<ErasureAnswer, ProblemResponse> {
        let stamp = self.stamp(caller);
        if self.store.erase(id, &stamp).await? == Erased::Unknown {
            return Err(no_such_content(id.as_str()));
        }
        let renditions = self.renditions.forget_all().await;
        self.publisher.wake();
        let records = self.store.erasures_of(id).await?;
        if is_complete(&records) {
            return Ok(answer(records));
        }
        let Some(revision) = self.acknowledged(id).await? else {
            return Ok(answer(records));
        };
        // The store's own time: it may have taken a while.
        let at = self.clock.now();
        let erasure = Erasure {
            id: id.clone(),
            at,
            by: stamp.by,
            stage: ErasureStage::IndexesAndCaches(ErasedElsewhere {
                revision,
                renditions,
                cached_answers_gone_by: at + self.answers_lifetime,
            }),
        };
        self.store.note_erasure(erasure).await?;
        Ok(answer(self.store.erasures_of(id).await?))
    }

    /// The revision of the deletion, once the search service has taken it.
    async fn acknowledged(&self, id: &ImageId) -> Result<Option<i64>, StoreError> {
        // From here on no pass is missed.
        let mut passes = self.publisher.passes();
        let taken = async {
            loop {
                if let Some(revision) = self.store.deletion_acknowledged(id).await? {
                    return Ok(revision);
                }
                passes.next().await;
            }
        };
        match timeout(PATIENCE, taken).await {
            Ok(outcome) => outcome.map(Some),
            Err(_) => Ok(None),
        }
    }
}

fn is_complete(records: &[ErasureRecord]) -> bool {
    let elsewhere =
        |record: &ErasureRecord| matches!(record.erasure.stage, ErasureStage::IndexesAndCaches(_));
    records.iter().any(elsewhere)
}

fn answer(records: Vec<ErasureRecord>) -> ErasureAnswer {
    ErasureAnswer {
        complete: is_complete(&records),
        records,
    }
}
