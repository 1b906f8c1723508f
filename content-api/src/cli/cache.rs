//! Where the answers of getContent are kept.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use content_api::{
    Config,
    cache::{AnswerCache, RedisCache, RedisSettings},
};
use redis_link::Settings;
use secrecy::SecretString;

/// Redis, if it is named; else the service's own memory.
#[derive(Debug, Args)]
pub struct CacheOptions {
    /// The Redis that replicas share for cached answers: `redis://host:6379/0`,
    /// `redis-sentinel://host:26379,host2/MASTER` or `redis-cluster://host,host2`; `rediss` in place
    /// of `redis` for TLS. May hold `user:password@`. Without it answers are kept in memory.
    #[arg(long, env = "CONTENT_API_CACHE_URL", hide_env_values = true)]
    cache_url: Option<SecretString>,
    /// An ACL user of that Redis.
    #[arg(long, env = "CONTENT_API_CACHE_USER")]
    cache_user: Option<String>,
    /// Its password. Give it through the environment or a file, where no process list shows it.
    #[arg(long, env = "CONTENT_API_CACHE_PASSWORD", hide_env_values = true)]
    cache_password: Option<SecretString>,
    /// A user of the Sentinels, if they ask for one.
    #[arg(long, env = "CONTENT_API_CACHE_SENTINEL_USER")]
    cache_sentinel_user: Option<String>,
    /// Their password, if they ask for one.
    #[arg(
        long,
        env = "CONTENT_API_CACHE_SENTINEL_PASSWORD",
        hide_env_values = true
    )]
    cache_sentinel_password: Option<SecretString>,
    /// Certificate authorities of that Redis in PEM, in place of the system's.
    #[arg(long, env = "CONTENT_API_CACHE_CA_FILE")]
    cache_ca_file: Option<PathBuf>,
    /// How keys begin. Deployments that share a Redis need different ones.
    #[arg(long, env = "CONTENT_API_CACHE_PREFIX", default_value = "promptsales")]
    cache_prefix: String,
    /// Longest that a call to Redis may take, in milliseconds.
    #[arg(long, env = "CONTENT_API_CACHE_DEADLINE_MS", default_value_t = 50)]
    cache_deadline_ms: u64,
    /// Longest wait for an answer that another replica is making, in milliseconds; 0 for none.
    #[arg(long, env = "CONTENT_API_CACHE_WAIT_MS", default_value_t = 300)]
    cache_wait_ms: u64,
}

impl CacheOptions {
    /// The cache in Redis; `None` when no Redis is named.
    pub async fn open(&self, config: &Config) -> anyhow::Result<Option<Arc<dyn AnswerCache>>> {
        let Some(settings) = self.settings(config) else {
            return Ok(None);
        };
        let cache = RedisCache::start(settings.check()?).await?;
        Ok(Some(Arc::new(cache)))
    }

    /// What is wrong, one line each.
    pub fn faults(&self, config: &Config) -> Vec<String> {
        let faults = self
            .settings(config)
            .and_then(|settings| settings.check().err());
        let faults = faults.into_iter().flat_map(|faults| faults.0);
        faults.map(|fault| fault.to_string()).collect()
    }

    fn settings(&self, config: &Config) -> Option<RedisSettings> {
        let url = self.cache_url.clone()?;
        let redis = Settings {
            user: self.cache_user.clone(),
            password: self.cache_password.clone(),
            sentinel_user: self.cache_sentinel_user.clone(),
            sentinel_password: self.cache_sentinel_password.clone(),
            ca_file: self.cache_ca_file.clone(),
            prefix: self.cache_prefix.clone(),
            deadline: Duration::from_millis(self.cache_deadline_ms),
            ..Settings::new(url.clone())
        };
        Some(RedisSettings {
            redis,
            wait: Duration::from_millis(self.cache_wait_ms),
            lifetime: config.caches.answers_lifetime,
            memory_bytes: config.caches.answers_bytes,
            ..RedisSettings::new(url, config.public_url.clone())
        })
    }
}
