//! Replicas that count on one Redis.

use std::{num::NonZeroU32, time::Duration};

use redis_link::{
    Settings, SharedCounters,
    redis::{self, RedisResult, Value},
};
use service_kit::rate_limit::{Rate, RateLimiter, TooOften};

/// Long enough for a busy machine; tests of the deadline have their own.
const PATIENT: Duration = Duration::from_secs(1);
/// Longest that any test waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// Settings with names of the test's own.
pub fn settings(url: &str) -> Settings {
    Settings {
        prefix: format!("test-{}", uuid::Uuid::now_v7().simple()),
        deadline: PATIENT,
        ..Settings::new(url.into())
    }
}

pub async fn start(settings: &Settings) -> SharedCounters {
    let config = settings.clone().check().unwrap();
    SharedCounters::start(&config).await.unwrap()
}

/// Two that share everything but their process.
pub async fn pair(settings: &Settings) -> (SharedCounters, SharedCounters) {
    let pair = (start(settings).await, start(settings).await);
    assert!(pair.0.is_up() && pair.1.is_up());
    pair
}

pub fn per_minute(times: u32) -> Rate {
    Rate::per_minute(NonZeroU32::new(times).unwrap())
}

/// A rate at which nothing comes back while a test runs.
pub fn once_for_all(times: u32) -> Rate {
    let burst = Duration::from_secs(3_600);
    Rate {
        pace: burst / times,
        burst,
    }
}

/// Asks until it is refused; so many times were allowed.
pub async fn spend(limiter: &dyn RateLimiter, key: &str) -> (u32, TooOften) {
    let mut allowed = 0;
    loop {
        match limiter.count(key).await {
            Ok(()) => allowed += 1,
            Err(refused) => return (allowed, refused),
        }
        assert!(allowed < 10_000, "no end of it");
    }
}

/// Sends one command on a connection of its own.
pub async fn command(url: &str, arguments: &[&str]) -> RedisResult<Value> {
    let client = redis::Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut command = redis::cmd(arguments[0]);
    command.arg(&arguments[1..]);
    command.query_async(&mut connection).await
}

/// The names below a prefix, without the probe's.
pub async fn stored(url: &str, prefix: &str) -> Vec<String> {
    let found = command(url, &["KEYS", &format!("{prefix}:*")]).await;
    let names: Vec<String> = redis::from_redis_value(found.unwrap()).unwrap();
    names
        .into_iter()
        .filter(|name| !name.ends_with("{probe}"))
        .collect()
}

pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}
