//! Answers in this process's memory.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use contracts::GetContentAnswer;
use moka::{Expiry, future::Cache};

use super::{AnswerCache, CacheKey, Making, Served};
use crate::error::ApiError;

/// An [`AnswerCache`] bounded by size and age.
#[derive(Clone, Debug)]
pub struct MemoryCache {
    answers: Cache<CacheKey, Kept>,
    lifetime: Duration,
}

/// An answer as it lies in memory.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) answer: Arc<GetContentAnswer>,
    bytes: u32,
    keep_for: Duration,
}

impl Kept {
    /// `json_bytes`, its size on the wire, stands for its size in memory; they differ by a small
    /// factor.
    pub(super) fn new(answer: GetContentAnswer, json_bytes: usize, keep_for: Duration) -> Self {
        Self {
            answer: Arc::new(answer),
            bytes: u32::try_from(json_bytes).unwrap_or(u32::MAX),
            keep_for,
        }
    }
}

/// Each for as long as it says itself: one that came from elsewhere is not young any more.
struct AsItSays;

impl Expiry<CacheKey, Kept> for AsItSays {
    fn expire_after_create(&self, _: &CacheKey, kept: &Kept, _: Instant) -> Option<Duration> {
        Some(kept.keep_for)
    }
}

impl MemoryCache {
    /// Keeps up to `max_bytes` of answers, counted as JSON with their keys, each for `lifetime`.
    pub fn new(max_bytes: u64, lifetime: Duration) -> Self {
        let answers = Cache::builder()
            .weigher(|key: &CacheKey, kept: &Kept| {
                kept.bytes
                    .saturating_add(u32::try_from(key.as_str().len()).unwrap_or(u32::MAX))
            })
            .max_capacity(max_bytes)
            .expire_after(AsItSays)
            .build();
        Self { answers, lifetime }
    }

    /// What is kept, or what `get` gives, once for all who ask at the same time; and whether it was
    /// this call that got it.
    pub(super) async fn get_or_insert(
        &self,
        key: CacheKey,
        get: impl Future<Output = Result<Kept, ApiError>>,
    ) -> Result<(Kept, bool), Arc<ApiError>> {
        let entry = self.answers.entry(key).or_try_insert_with(get).await?;
        let fresh = entry.is_fresh();
        Ok((entry.into_value(), fresh))
    }
}

#[async_trait]
impl AnswerCache for MemoryCache {
    async fn get_or_make(&self, key: CacheKey, make: Making<'_>) -> Result<Served, Arc<ApiError>> {
        let making = async {
            let answer = make.await?;
            let json = serde_json::to_vec(&answer).unwrap_or_default();
            Ok(Kept::new(answer, json.len(), self.lifetime))
        };
        let (kept, fresh) = self.get_or_insert(key, making).await?;
        Ok(Served {
            answer: kept.answer,
            cached: !fresh,
        })
    }
}
