//! Answers in Redis, shared by all replicas of the service.
//!
//! ```text
//! getContent ─► memory of this process ─► Redis ─► who makes it? ─► the maker
//!                (one making for all        │        (a lease in Redis, a bounded wait)
//!                 who ask here)             └─ away, slow, odd value: the maker, at once
//! ```
//!
//! A key holds the versions of all that an answer is made of, so nothing here is ever stale, in
//! memory no more than in Redis. Redis is never needed: every call has a deadline, a Redis that fails
//! is left alone until it answers again (the crate `redis-link`), and what does not open is a miss (`redis/envelope.rs`).
//!
//! An ACL user needs no more than `~PREFIX:* +getrange +set +pttl +eval +get +del`, in a cluster also
//! `+cluster|slots`.

mod config;
mod counts;
mod entries;
mod envelope;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use redis_link::Fault;
use tokio::time::timeout;

pub use config::{RedisConfig, RedisFault, RedisFaults, RedisSettings};
pub use counts::RedisCounts;

use super::{AnswerCache, CacheKey, Making, MemoryCache, Served, memory::Kept};
use crate::error::ApiError;
use entries::{Entries, Look};

/// Longest wait for the first connection at the start.
const START_WITHIN: Duration = Duration::from_secs(1);

/// An [`AnswerCache`] that replicas share.
#[derive(Debug)]
pub struct RedisCache {
    memory: MemoryCache,
    entries: Entries,
    lifetime: Duration,
}

impl RedisCache {
    /// Connects, or goes on without a connection after a second: the log says so, and Redis is used
    /// from when it answers. Call it inside a runtime; its task ends with it.
    ///
    /// # Errors
    /// When the client refuses settings that [`RedisSettings::check`] found good.
    pub async fn start(config: RedisConfig) -> Result<Self, RedisFaults> {
        let (lifetime, memory_bytes) = (config.lifetime, config.memory_bytes);
        let (entries, first) = Entries::open(config).map_err(|error| {
            RedisFaults(vec![RedisFault::Redis(Fault::Client(error.to_string()))])
        })?;
        // Whichever way it ended, the task has said so.
        drop(timeout(START_WITHIN, first).await);
        Ok(Self {
            memory: MemoryCache::new(memory_bytes, lifetime),
            entries,
            lifetime,
        })
    }

    /// What happened since the start.
    pub fn counts(&self) -> RedisCounts {
        self.entries.counts()
    }

    /// Redis is in use; otherwise answers are made without it.
    pub fn is_up(&self) -> bool {
        self.entries.is_up()
    }
}

#[async_trait]
impl AnswerCache for RedisCache {
    async fn get_or_make(&self, key: CacheKey, make: Making<'_>) -> Result<Served, Arc<ApiError>> {
        let mut in_redis = false;
        let getting = async {
            let lease = match self.entries.look(&key).await {
                Look::Found(answer, bytes, left) => {
                    in_redis = true;
                    return Ok(Kept::new(*answer, bytes, left));
                }
                Look::Make(lease) => lease,
            };
            let answer = make.await?;
            let json = serde_json::to_vec(&answer).unwrap_or_default();
            let kept = Kept::new(answer, json.len(), self.lifetime);
            self.entries.keep(&key, json, lease);
            Ok(kept)
        };
        let (kept, fresh) = self.memory.get_or_insert(key.clone(), getting).await?;
        Ok(Served {
            answer: kept.answer,
            cached: in_redis || !fresh,
        })
    }

    fn redis(&self) -> Option<(bool, RedisCounts)> {
        Some((self.is_up(), self.counts()))
    }
}
