//! What the cache asks of its settings beyond those of Redis itself.

use std::time::Duration;

use content_api::cache::{RedisFault, RedisFaults, RedisSettings};

fn settings(url: &str) -> RedisSettings {
    RedisSettings::new(url.into(), "https://content.test".parse().unwrap())
}

#[test]
fn every_fault_is_named_at_once_and_no_secret_with_it() {
    let mut settings = settings("redis://user:hunter2@one:x,two/y");
    settings.redis.prefix = "a b".to_owned();
    settings.wait = Duration::from_secs(60);
    settings.lifetime = Duration::ZERO;
    assert!(!format!("{settings:?}").contains("hunter2"));
    let said = settings.check().unwrap_err().to_string();
    assert!(!said.contains("hunter2"), "{said}");
    for part in [
        "host 1 of cache-url",
        "cache-prefix",
        "cache-wait-ms is 60000",
        "lifetime",
    ] {
        assert!(said.contains(part), "no '{part}' in: {said}");
    }
}

#[test]
fn bounds_hold_on_both_sides() {
    for wait in [0, 2_000] {
        let mut settings = settings("redis://host");
        settings.wait = Duration::from_millis(wait);
        settings.check().unwrap();
    }
    let mut settings = settings("redis://host");
    settings.wait = Duration::from_millis(2_001);
    let RedisFaults(faults) = settings.check().unwrap_err();
    assert_eq!(faults, [RedisFault::Wait(2_001)]);
}
