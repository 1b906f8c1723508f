//! The cache in Redis: the contract, and what replicas share.

use std::{sync::Arc, time::Duration};

use content_api::{
    ApiError,
    cache::{RedisCache, RedisSettings},
    store::ContentStore,
};
use redis_link::redis::{self, Value};
use tokio::sync::Semaphore;

use super::{
    contract,
    replicas::{command, pair, settings, start, stored},
    sample::{Maker, answer},
};
use crate::{
    sample::{NOW, retitled},
    world::{Setup, World, until},
};

/// Asked of one replica, and then in Redis.
async fn store(cache: &RedisCache, maker: &Maker, question: &str) {
    let before = cache.counts().stored;
    maker.ask(cache, question).await;
    until("it is stored", async || cache.counts().stored > before).await;
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let info = command(&url, &["INFO", "server"]).await.unwrap();
    let info: String = redis::from_redis_value(info).unwrap();
    let version = info
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"));
    let server = format!("Redis {}", version.unwrap_or_default());
    contract::suite(&server, async |bounds: contract::Bounds| {
        let settings = RedisSettings {
            lifetime: bounds.lifetime,
            max_value_bytes: bounds.bytes,
            memory_bytes: bounds.bytes as u64,
            ..settings(&url)
        };
        let cache = RedisCache::start(settings.check().unwrap()).await.unwrap();
        assert!(cache.is_up());
        cache
    })
    .await;
}

#[tokio::test]
async fn replicas_share_answers_and_deployments_do_not() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let settings = settings(&url);
    let (one, two) = pair(settings.clone()).await;
    let maker = Maker::default();
    store(&one, &maker, "shared").await;
    assert!(maker.ask(&*two, "shared").await.cached);
    assert_eq!((two.counts().hits, maker.made()), (1, 1));
    // Kept in memory from then on, so it is not asked for again.
    assert!(maker.ask(&*two, "shared").await.cached);
    assert_eq!(two.counts().hits, 1);

    let mut staging = settings.clone();
    staging.redis.prefix += "-staging";
    for other in [
        staging,
        // Its answers hold other URLs.
        RedisSettings {
            public_url: "https://elsewhere.test".parse().unwrap(),
            ..settings
        },
    ] {
        assert!(!maker.ask(&*start(other).await, "shared").await.cached);
    }
}

#[tokio::test]
async fn an_answer_expires_in_redis_and_is_no_younger_in_memory() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let lifetime = Duration::from_secs(600);
    let settings = RedisSettings {
        lifetime,
        ..settings(&url)
    };
    let (one, two) = pair(settings.clone()).await;
    let maker = Maker::default();
    let mut lives = Vec::new();
    for question in 0..8 {
        store(&one, &maker, &question.to_string()).await;
    }
    for name in stored(&url, &settings.redis.prefix).await {
        let Value::Int(left) = command(&url, &["PTTL", &name]).await.unwrap() else {
            panic!("{name} does not expire");
        };
        assert!((539_000..=600_000).contains(&left), "{left}");
        lives.push(left);
        // What is left there is all that is left elsewhere.
        command(&url, &["PEXPIRE", &name, "400"]).await.unwrap();
    }
    assert_eq!(lives.len(), 8);
    let (least, most) = (lives.iter().min().unwrap(), lives.iter().max().unwrap());
    assert!(most - least > 5_000, "no spread: {lives:?}");
    maker.ask(&*two, "0").await;
    until("it expired in the other's memory", async || {
        !maker.ask(&*two, "0").await.cached
    })
    .await;
}

#[tokio::test]
async fn replicas_make_an_answer_once() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let settings = RedisSettings {
        wait: Duration::from_secs(2),
        ..settings(&url)
    };
    let (one, two) = pair(settings).await;
    let (maker, gate) = (Maker::default(), Semaphore::new(0));
    let ask = |cache: Arc<RedisCache>| {
        let (maker, gate) = (&maker, &gate);
        async move {
            let make = async {
                drop(gate.acquire().await.unwrap());
                Ok(answer("once", 2))
            };
            maker.try_ask(&*cache, "once", make).await.unwrap()
        }
    };
    let opening = async {
        until("both looked", async || {
            one.counts().misses + two.counts().misses == 2
        })
        .await;
        gate.add_permits(2);
    };
    let (first, second, ()) = tokio::join!(ask(one.clone()), ask(two.clone()), opening);
    assert_eq!(maker.made(), 1);
    assert!(first.cached != second.cached);
    let counts = [one.counts(), two.counts()];
    assert_eq!(counts[0].stored + counts[1].stored, 1, "{counts:?}");
}

#[tokio::test]
async fn when_a_making_fails_the_next_replica_goes_on_at_once() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let settings = RedisSettings {
        wait: Duration::from_secs(2),
        ..settings(&url)
    };
    let (one, two) = pair(settings).await;
    let (maker, gate) = (Maker::default(), Semaphore::new(0));
    let failing = async {
        let make = async {
            drop(gate.acquire().await.unwrap());
            Err(ApiError::LostImage("x".to_owned()))
        };
        maker.try_ask(&*one, "failing", make).await
    };
    let other = async {
        until("it is being made", async || maker.made() == 1).await;
        let opening = async {
            until("the other waits", async || two.counts().misses == 1).await;
            gate.add_permits(1);
        };
        tokio::join!(maker.ask(&*two, "failing"), opening).0
    };
    let (failed, made) = tokio::join!(failing, other);
    assert!(failed.is_err() && !made.cached);
    assert_eq!(two.counts().awaited_in_vain, 0);
}

#[tokio::test]
async fn a_replica_that_died_while_making_holds_nobody_up_for_long() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let settings = RedisSettings {
        wait: Duration::from_millis(100),
        ..settings(&url)
    };
    let (one, two) = pair(settings.clone()).await;
    let maker = Maker::default();
    store(&one, &maker, "dead").await;
    let name = stored(&url, &settings.redis.prefix).await.remove(0);
    // As it is left behind: no answer, and somebody's token.
    command(&url, &["DEL", &name]).await.unwrap();
    let making = format!("{name}:making");
    command(&url, &["SET", &making, "somebody", "PX", "60000"])
        .await
        .unwrap();
    let started = tokio::time::Instant::now();
    assert!(!maker.ask(&*two, "dead").await.cached);
    assert!(started.elapsed() >= settings.wait);
    assert_eq!(two.counts().awaited_in_vain, 1);
    // What it made is there for the others, and the other's token is not ours to take away.
    until("it is stored", async || two.counts().stored == 1).await;
    assert!(maker.ask(&*start(settings).await, "dead").await.cached);
    let token = command(&url, &["GET", &making]).await.unwrap();
    assert_eq!(token, Value::BulkString(b"somebody".to_vec()));
}

#[tokio::test]
async fn values_that_are_not_ours_are_made_anew_and_replaced() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let settings = RedisSettings {
        max_value_bytes: 8_192,
        ..settings(&url)
    };
    let one = start(settings.clone()).await;
    let maker = Maker::default();
    store(&one, &maker, "mine").await;
    let name = stored(&url, &settings.redis.prefix).await.remove(0);
    store(&one, &maker, "another").await;
    let names = stored(&url, &settings.redis.prefix).await;
    let other = names.iter().find(|found| **found != name).unwrap();

    let garbage = "x".repeat(100_000);
    let spoiling: [&[&str]; 8] = [
        &["SETRANGE", &name, "60", "XXXX"],
        &["SETRANGE", &name, "0", "PSAC\u{2}"],
        &["SET", &name, "{\"results\":[]}"],
        &["SET", &name, ""],
        &["SET", &name, &garbage],
        // A good answer, to another question.
        &["COPY", other, &name, "REPLACE"],
        &["APPEND", &name, "more"],
        &["LPUSH", &name, "a list"],
    ];
    for spoil in spoiling {
        if spoil[0] == "LPUSH" {
            command(&url, &["DEL", &name]).await.unwrap();
        }
        command(&url, spoil).await.unwrap();
        let cache = start(settings.clone()).await;
        assert!(!maker.ask(&*cache, "mine").await.cached, "{spoil:?}");
        let counts = cache.counts();
        // Nothing at all is no odd value.
        let odd = !spoil[2].is_empty();
        assert_eq!(
            (counts.foreign > 0, counts.link.gone),
            (odd, 0),
            "{spoil:?}"
        );
        until("it is replaced", async || cache.counts().stored == 1).await;
        let healed = start(settings.clone()).await;
        assert!(maker.ask(&*healed, "mine").await.cached, "{spoil:?}");
    }
}

#[tokio::test]
async fn what_is_too_large_for_redis_stays_in_memory() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let measured = settings(&url);
    let one = start(measured.clone()).await;
    let maker = Maker::default();
    store(&one, &maker, "exact").await;
    let name = stored(&url, &measured.redis.prefix).await.remove(0);
    let Value::Int(bytes) = command(&url, &["STRLEN", &name]).await.unwrap() else {
        panic!("no length");
    };
    let bytes = usize::try_from(bytes).unwrap();
    for (max_value_bytes, fits) in [(bytes, true), (bytes - 1, false)] {
        let settings = RedisSettings {
            max_value_bytes,
            ..settings(&url)
        };
        let (one, two) = pair(settings).await;
        maker.ask(&*one, "exact").await;
        until("it was decided", async || {
            one.counts().stored + one.counts().oversized == 1
        })
        .await;
        assert_eq!(one.counts().stored == 1, fits);
        assert!(maker.ask(&*one, "exact").await.cached);
        // The other waits for nobody: the lease ended although nothing was stored.
        assert_eq!(maker.ask(&*two, "exact").await.cached, fits);
        assert_eq!(two.counts().awaited_in_vain, 0);
    }
}

#[tokio::test]
async fn without_a_wait_there_are_no_leases() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let settings = RedisSettings {
        wait: Duration::ZERO,
        ..settings(&url)
    };
    let (one, two) = pair(settings.clone()).await;
    let maker = Maker::default();
    let hanging = maker.try_ask(&*one, "alone", std::future::pending());
    let other = async {
        until("it is being made", async || maker.made() == 1).await;
        maker.ask(&*two, "alone").await
    };
    let made = tokio::select! {
        _ = hanging => panic!("it never ends"),
        made = other => made,
    };
    assert!(!made.cached);
}

/// The whole service on it: what a write made old is not found, and what is equal is.
#[tokio::test]
async fn the_service_answers_from_it_and_never_with_the_old() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let cache = start(settings(&url)).await;
    let setup = Setup {
        cache: Some(Arc::clone(&cache) as _),
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    world.publish(&["alpha"]).await;
    let body = serde_json::json!({"description": "shoes"});
    for round in 0..5 {
        let title = format!("Title {round}");
        world
            .store
            .put(&retitled("alpha", &title), NOW)
            .await
            .unwrap();
        for _ in 0..2 {
            let answered: contracts::GetContentAnswer = world.find(body.clone()).await.json();
            assert_eq!(answered.results[0].title, title);
        }
    }
    assert!(cache.counts().stored > 0);
}
