//! The port to the cache of getContent's answers.
//!
//! To add an adapter: implement [`AnswerCache`] in a file below `cache/`. It must make an answer
//! once for requests that come at the same time, keep no failures, and make the answer itself when
//! its own backend is away: a cache that is down means slower, not broken.

pub mod memory;
pub mod redis;

use std::sync::Arc;

use async_trait::async_trait;
use contracts::GetContentAnswer;
use futures::future::BoxFuture;
use serde::Serialize;

pub use self::redis::{RedisCache, RedisCounts, RedisFault, RedisFaults, RedisSettings};
pub use memory::MemoryCache;

use crate::{error::ApiError, index_view::IndexView, validate::Query};

/// Names an answer: equal keys, equal answers.
///
/// It holds the versions of everything that an answer is made of, so that a write makes a new key
/// instead of having to find old ones. Whoever may read content may read all of it; the rights that
/// do narrow an answer, day and territory, are part of the filters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey(Arc<str>);

impl CacheKey {
    /// The key of a query at these versions of store and indexes. Letter case counts: search splits
    /// words such as `RunningShoes` by it.
    pub fn new(contents_version: i64, index: &IndexView, query: &Query) -> Self {
        let (generation, model) = index.get();
        // JSON of a tuple: no value can run into its neighbour.
        let canonical = Canonical {
            versions: (
                contents_version,
                generation,
                model.as_ref().map(|model| model.as_str()),
            ),
            text: &query.text,
            query: (
                query.language,
                query.limit,
                query.min_score.map(f32::to_bits),
            ),
            filters: &query.filters,
        };
        let text = serde_json::to_string(&canonical).expect("plain data always serialises");
        Self(text.into())
    }

    /// A key of one's own, such as a test of an adapter needs.
    pub fn of(text: &str) -> Self {
        Self(text.into())
    }

    /// In a form that any key-value store takes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Serialize)]
struct Canonical<'a> {
    versions: (i64, i64, Option<&'a str>),
    text: &'a str,
    query: (Option<contracts::Language>, u32, Option<u32>),
    filters: &'a contracts::Filters,
}

/// An answer, and where it comes from.
#[derive(Clone, Debug)]
pub struct Served {
    /// The answer as it was made: `cached` and `took_ms` are those of its making.
    pub answer: Arc<GetContentAnswer>,
    /// Somebody else's request made it, before or at the same time.
    pub cached: bool,
}

/// An answer in the making.
pub type Making<'a> = BoxFuture<'a, Result<GetContentAnswer, ApiError>>;

/// Keeps answers for a while.
#[async_trait]
pub trait AnswerCache: Send + Sync {
    /// The answer kept under `key`, or the one that `make` gives. Of several calls at the same time
    /// with the same key one makes it and the others wait for it, its failure included.
    async fn get_or_make(&self, key: CacheKey, make: Making<'_>) -> Result<Served, Arc<ApiError>>;

    /// Where Redis is used: whether it is in use now, and what happened since the start.
    fn redis(&self) -> Option<(bool, RedisCounts)> {
        None
    }
}
