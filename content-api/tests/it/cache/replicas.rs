//! Caches on a Redis, each as a replica of the service has one.

use std::{sync::Arc, time::Duration};

use content_api::cache::{RedisCache, RedisSettings};
use redis_link::redis::{self, RedisResult, Value};

/// Long enough for a busy machine; tests of the deadline have their own.
pub const PATIENT: Duration = Duration::from_secs(1);

/// Settings with names of the test's own.
pub fn settings(url: &str) -> RedisSettings {
    let public_url = "https://content.test".parse().unwrap();
    let mut settings = RedisSettings::new(url.into(), public_url);
    settings.redis.prefix = format!("test-{}", uuid::Uuid::now_v7().simple());
    settings.redis.deadline = PATIENT;
    settings
}

pub async fn start(settings: RedisSettings) -> Arc<RedisCache> {
    Arc::new(RedisCache::start(settings.check().unwrap()).await.unwrap())
}

/// Two that share everything but their memory.
pub async fn pair(settings: RedisSettings) -> (Arc<RedisCache>, Arc<RedisCache>) {
    let pair = (start(settings.clone()).await, start(settings).await);
    assert!(pair.0.is_up() && pair.1.is_up());
    pair
}

/// Sends one command on a connection of its own.
pub async fn command(url: &str, arguments: &[&str]) -> RedisResult<Value> {
    let client = redis::Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut command = redis::cmd(arguments[0]);
    command.arg(&arguments[1..]);
    command.query_async(&mut connection).await
}

/// The names below a prefix, without those of answers in the making.
pub async fn stored(url: &str, prefix: &str) -> Vec<String> {
    let found = command(url, &["KEYS", &format!("{prefix}:*")])
        .await
        .unwrap();
    let names: Vec<String> = redis::from_redis_value(found).unwrap();
    names
        .into_iter()
        .filter(|name| !name.ends_with(":making"))
        .collect()
}
