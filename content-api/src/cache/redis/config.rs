//! What the Redis cache is told, and whether it makes sense.

use std::{fmt, time::Duration};

use redis_link::{Config, Fault, Settings};
use secrecy::SecretString;
use url::Url;

/// How to set up a [`RedisCache`](super::RedisCache). [`RedisSettings::new`] fills in what rarely
/// changes; [`RedisSettings::check`] says what is wrong.
#[derive(Clone, Debug)]
pub struct RedisSettings {
    /// Which Redis. Deployments that share one need different prefixes: an answer's key does not say
    /// whose content it was made of.
    pub redis: Settings,
    /// Where callers reach this service: answers hold URLs that begin with it.
    pub public_url: Url,
    /// Longest wait for an answer that another replica is making; zero means never.
    pub wait: Duration,
    /// How long an answer may be served again.
    pub lifetime: Duration,
    /// Largest value in Redis, in bytes; larger answers are not put there.
    pub max_value_bytes: usize,
    /// Answers that this process keeps as well, in bytes.
    pub memory_bytes: u64,
}

impl RedisSettings {
    /// The usual bounds, for a service that is reached at `public_url`.
    pub fn new(url: SecretString, public_url: Url) -> Self {
        let bounds = crate::CacheBounds::default();
        Self {
            redis: Settings::new(url),
            public_url,
            wait: Duration::from_millis(300),
            lifetime: bounds.answers_lifetime,
            max_value_bytes: 256 * 1024,
            memory_bytes: bounds.answers_bytes,
        }
    }

    /// Reads the certificates and puts it all together.
    ///
    /// # Errors
    /// With every fault, not the first one alone.
    pub fn check(self) -> Result<RedisConfig, RedisFaults> {
        let mut faults = Vec::new();
        let redis = self.redis.check();
        let redis = redis
            .map_err(|found| faults.extend(found.into_iter().map(RedisFault::Redis)))
            .ok();
        if self.wait > MAX_WAIT {
            faults.push(RedisFault::Wait(self.wait.as_millis()));
        }
        if self.lifetime.is_zero() {
            faults.push(RedisFault::Lifetime);
        }
        match redis {
            Some(redis) if faults.is_empty() => Ok(RedisConfig {
                redis,
                public_url: self.public_url,
                wait: self.wait,
                lifetime: self.lifetime,
                max_value_bytes: self.max_value_bytes,
                memory_bytes: self.memory_bytes,
            }),
            _ => Err(RedisFaults(faults)),
        }
    }
}

const MAX_WAIT: Duration = Duration::from_secs(2);

/// Settings that make sense together.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    pub(super) redis: Config,
    pub(super) public_url: Url,
    pub(super) wait: Duration,
    pub(super) lifetime: Duration,
    pub(super) max_value_bytes: usize,
    pub(super) memory_bytes: u64,
}

/// Everything that is wrong with [`RedisSettings`].
#[derive(Debug, PartialEq, Eq)]
pub struct RedisFaults(pub Vec<RedisFault>);

impl fmt::Display for RedisFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the answer cache cannot be set up:")?;
        self.0
            .iter()
            .try_for_each(|fault| write!(formatter, "\n  - {fault}"))
    }
}

impl std::error::Error for RedisFaults {}

/// One thing that is wrong.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RedisFault {
    /// With the Redis.
    #[error("{}", .0.message("cache"))]
    Redis(Fault),
    /// Out of range.
    #[error("cache-wait-ms is {0}: expected 0 to 2000")]
    Wait(u128),
    /// Nothing would be kept.
    #[error("the lifetime of cached answers is zero")]
    Lifetime,
}
