//! Answers in this process's memory.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use contracts::GetContentAnswer;
use moka::future::Cache;

use super::{AnswerCache, CacheKey, Making, Served};
use crate::error::ApiError;

/// An [`AnswerCache`] bounded by size and age.
#[derive(Clone, Debug)]
pub struct MemoryCache {
    answers: Cache<CacheKey, Kept>,
}

#[derive(Clone, Debug)]
struct Kept {
    answer: Arc<GetContentAnswer>,
    bytes: u32,
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
            .time_to_live(lifetime)
            .build();
        Self { answers }
    }
}

#[async_trait]
impl AnswerCache for MemoryCache {
    async fn get_or_make(&self, key: CacheKey, make: Making<'_>) -> Result<Served, Arc<ApiError>> {
        let entry = self
            .answers
            .entry(key)
            .or_try_insert_with(async {
                let answer = make.await?;
                // Its size on the wire stands for its size in memory; they differ by a small factor.
                let json = serde_json::to_vec(&answer).unwrap_or_default();
                let bytes = u32::try_from(json.len()).unwrap_or(u32::MAX);
                Ok::<_, ApiError>(Kept {
                    answer: Arc::new(answer),
                    bytes,
                })
            })
            .await?;
        let cached = !entry.is_fresh();
        Ok(Served {
            answer: entry.into_value().answer,
            cached,
        })
    }
}
