//! The port to requests that may be repeated.

use async_trait::async_trait;
use contracts::ImageId;
use time::OffsetDateTime;

use super::StoreError;

/// What a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Of the body that came with it first.
    pub fingerprint: String,
    /// The id that was chosen for what it creates.
    pub subject: ImageId,
    /// What was answered, once it was.
    pub answer: Option<String>,
    /// What it created was erased since; then nothing but the key and the id is left of the request.
    pub erased: bool,
}

/// Keeps what `Idempotency-Key` headers stand for.
#[async_trait]
pub trait RequestKeys: Send + Sync {
    /// The claim on `key`: the one that is there, unless it was made before `expired`, or else this
    /// one. Of several that come at once, one wins and all learn of it.
    async fn claim(
        &self,
        key: &str,
        claim: &Claim,
        now: OffsetDateTime,
        expired: OffsetDateTime,
    ) -> Result<Claim, StoreError>;

    /// Keeps the answer, if none is kept yet and the claim is still there and not erased.
    async fn keep_answer(&self, key: &str, answer: &str) -> Result<(), StoreError>;

    /// Drops the claims from before `before`, and says how many.
    async fn purge_keys(&self, before: OffsetDateTime) -> Result<u64, StoreError>;
}
