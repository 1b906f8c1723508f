//! How often somebody may do something: so many at once, then steadily as many a minute.
//!
//! The generic cell rate algorithm (ITU-T I.371): of each key no more is kept than the moment at which
//! all that it was allowed would have come at an even pace.
//!
//! [`RateLimiter`] is the port. [`LocalRateLimiter`] counts in this process; the crate `redis-link` has one
//! that replicas share. To add another: implement the trait, never wait long, and decide in the process
//! what its own backend cannot: counters that are away are no reason to refuse anybody.

use std::{
    collections::HashMap,
    fmt,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;

/// Keys that are remembered; those beyond share one allowance.
const MAX_KEYS: usize = 20_000;
/// The key that they share. No other is empty.
const OTHERS: &str = "";

/// Counts, and says when it is enough. One for each thing that is limited; keys say whose it is.
#[async_trait]
pub trait RateLimiter: fmt::Debug + Send + Sync {
    /// Counts one for `key`, or says that it is one too many, which costs nothing.
    async fn count(&self, key: &str) -> Result<(), TooOften>;
}

/// What one may spend: a burst, which comes back at an even pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What one costs.
    pub pace: Duration,
    /// What may be spent at once.
    pub burst: Duration,
}

impl Rate {
    /// `per_minute` at once, and as many each minute from then on.
    pub fn per_minute(per_minute: NonZeroU32) -> Self {
        let minute = Duration::from_secs(60);
        Self {
            pace: minute / per_minute.get(),
            burst: minute,
        }
    }
}

/// Counts in this process alone.
#[derive(Debug)]
pub struct LocalRateLimiter {
    rate: Rate,
    due: Mutex<HashMap<String, Instant>>,
}

/// It was too often; after this time there is room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too often; room again in {} ms", .0.as_millis())]
pub struct TooOften(pub Duration);

impl TooOften {
    /// For `Retry-After`: whole seconds, one at least.
    pub fn retry_after_seconds(self) -> u32 {
        let seconds = self.0.as_millis().div_ceil(1_000).max(1);
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }
}

impl LocalRateLimiter {
    /// One in which each key may spend this much.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            due: Mutex::default(),
        }
    }

    /// Counts one for `key` now, or says that it is one too many.
    ///
    /// # Errors
    /// When there is no room.
    pub fn count_now(&self, key: &str) -> Result<(), TooOften> {
        self.count_at(key, Instant::now())
    }

    fn count_at(&self, key: &str, now: Instant) -> Result<(), TooOften> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.len() >= MAX_KEYS && !due.contains_key(key) {
            due.retain(|_, at| *at > now);
        }
        let key = if due.len() < MAX_KEYS || due.contains_key(key) {
            key
        } else {
            OTHERS
        };
        let spent = due
            .get(key)
            .map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        let after = spent + self.rate.pace;
        // A division leaves up to a nanosecond of each behind.
        if after > self.rate.burst + Duration::from_micros(1) {
            return Err(TooOften(after - self.rate.burst));
        }
        due.insert(key.to_owned(), now + after);
        Ok(())
    }
}

#[async_trait]
impl RateLimiter for LocalRateLimiter {
    async fn count(&self, key: &str) -> Result<(), TooOften> {
        self.count_now(key)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        num::NonZeroU32,
        time::{Duration, Instant},
    };

    use super::{LocalRateLimiter, MAX_KEYS, Rate};

    fn limiter(per_minute: u32) -> LocalRateLimiter {
        LocalRateLimiter::new(Rate::per_minute(NonZeroU32::new(per_minute).unwrap()))
    }

    #[test]
    fn a_burst_and_then_an_even_pace_for_each_key_alone() {
        let (limiter, begin) = (limiter(6), Instant::now());
        for _ in 0..6 {
            limiter.count_at("ana", begin).unwrap();
        }
        let refused = limiter.count_at("ana", begin).unwrap_err();
        assert_eq!(refused.retry_after_seconds(), 10);
        limiter.count_at("eva", begin).unwrap();
        // A refusal costs nothing, and room comes back one by one.
        let later = begin + Duration::from_millis(9_900);
        assert_eq!(
            limiter
                .count_at("ana", later)
                .unwrap_err()
                .retry_after_seconds(),
            1
        );
        let later = begin + Duration::from_secs(10);
        limiter.count_at("ana", later).unwrap();
        assert!(limiter.count_at("ana", later).is_err());
        let much_later = begin + Duration::from_secs(600);
        for _ in 0..6 {
            limiter.count_at("ana", much_later).unwrap();
        }
        assert!(limiter.count_at("ana", much_later).is_err());
    }

    #[test]
    fn odd_paces_allow_what_they_say() {
        for per_minute in [1, 7, 59, 61, 1_000, 7_001] {
            let (limiter, begin) = (limiter(per_minute), Instant::now());
            let allowed = (0..=per_minute).filter(|_| limiter.count_at("a", begin).is_ok());
            assert_eq!(allowed.count(), per_minute as usize);
        }
    }

    #[test]
    fn keys_beyond_what_is_remembered_share_one_allowance() {
        let (limiter, begin) = (limiter(1), Instant::now());
        for key in 0..MAX_KEYS {
            limiter.count_at(&key.to_string(), begin).unwrap();
        }
        limiter.count_at("one more", begin).unwrap();
        limiter.count_at("and another", begin).unwrap_err();
        limiter.count_at("0", begin).unwrap_err();
        // What is due no more makes room.
        let later = begin + Duration::from_secs(61);
        limiter.count_at("one more", later).unwrap();
        assert_eq!(limiter.due.lock().unwrap().len(), 1);
    }
}
