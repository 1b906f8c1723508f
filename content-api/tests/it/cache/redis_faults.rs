//! Redis is killed, emptied, frozen, or does not let us in: answers still come, and they are right.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use content_api::cache::{AnswerCache, RedisCache, RedisSettings};
use redis_link::redis;
use tokio::{task::JoinHandle, time::Instant};

use super::{
    replicas::{command, pair, settings, start},
    sample::Maker,
};
use crate::world::{nobody_there, until};

/// Tasks that ask all the time, two for each replica. Every answer is compared with what it must be.
struct Load {
    asked: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Duration>>,
}

impl Load {
    fn start(replicas: &[&Arc<RedisCache>]) -> Self {
        let (asked, stop) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let tasks = (0..replicas.len() * 2).map(|index| {
            let cache = Arc::clone(replicas[index % replicas.len()]);
            let (asked, stop) = (Arc::clone(&asked), Arc::clone(&stop));
            tokio::spawn(async move {
                let (maker, mut slowest) = (Maker::default(), Duration::ZERO);
                while !stop.load(Ordering::SeqCst) {
                    let number = asked.fetch_add(1, Ordering::SeqCst);
                    let started = Instant::now();
                    // Some again, by this replica and the other; most anew.
                    maker
                        .ask(&*cache, &format!("question {}", number / 3))
                        .await;
                    slowest = slowest.max(started.elapsed());
                    tokio::task::yield_now().await;
                }
                slowest
            })
        });
        Self {
            tasks: tasks.collect(),
            asked,
            stop,
        }
    }

    /// Waits until as many more were answered.
    async fn more(&self, answers: usize) {
        let from = self.asked.load(Ordering::SeqCst);
        until("they are answered", async || {
            self.asked.load(Ordering::SeqCst) >= from + answers
        })
        .await;
    }

    /// Gives the longest that any answer took.
    async fn end(self) -> Duration {
        self.stop.store(true, Ordering::SeqCst);
        let mut slowest = Duration::ZERO;
        for task in self.tasks {
            slowest = slowest.max(task.await.unwrap());
        }
        slowest
    }
}

fn quick(url: &str) -> RedisSettings {
    let mut settings = settings(url);
    settings.redis.deadline = Duration::from_millis(100);
    settings.memory_bytes = 20_000;
    settings
}

/// Longest that an answer may take when the deadline is 100 ms, on a machine that does other things.
const BOUND: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_started_again_under_load() {
    let Some(mut server) = test_support::own_redis(&[]).await else {
        return;
    };
    let (one, two) = pair(quick(&server.url())).await;
    let load = Load::start(&[&one, &two]);
    load.more(300).await;
    for _ in 0..3 {
        server.kill();
        until("they see that it is gone", async || {
            !one.is_up() && !two.is_up()
        })
        .await;
        load.more(300).await;
        server.restart().await;
        until("they use it again", async || one.is_up() && two.is_up()).await;
        let stored = (one.counts().stored, two.counts().stored);
        until("they store again", async || {
            one.counts().stored > stored.0 && two.counts().stored > stored.1
        })
        .await;
    }
    let slowest = load.end().await;
    assert!(slowest < BOUND, "{slowest:?}");
    assert!(one.counts().link.gone >= 3, "{:?}", one.counts());
    assert!(one.counts().link.skipped > 0 && one.counts().hits > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn emptied_under_load() {
    let Some(server) = test_support::own_redis(&[]).await else {
        return;
    };
    let (one, two) = pair(settings(&server.url())).await;
    let load = Load::start(&[&one, &two]);
    for _ in 0..10 {
        load.more(60).await;
        command(&server.url(), &["FLUSHALL"]).await.unwrap();
    }
    load.more(60).await;
    load.end().await;
    let counts = [one.counts(), two.counts()];
    // It is no fault at all.
    assert!(
        counts.iter().all(|counts| counts.link.gone == 0),
        "{counts:?}"
    );
    assert!(counts.iter().all(|counts| counts.foreign == 0));
}

#[tokio::test]
async fn one_that_never_answers_costs_a_deadline_and_then_nothing() {
    let Some(server) = test_support::own_redis(&[]).await else {
        return;
    };
    let cache = start(quick(&server.url())).await;
    let maker = Maker::default();
    maker.ask(&*cache, "before").await;
    server.freeze();
    let mut waited = 0;
    while cache.is_up() {
        let started = Instant::now();
        let served = maker.ask(&*cache, &format!("frozen {waited}")).await;
        assert!(!served.cached);
        assert!(started.elapsed() < BOUND);
        waited += 1;
    }
    // Storing may count as well, so up to three askers waited, and nobody does after them.
    assert!((1..=3).contains(&waited), "{waited}");
    let timeouts = cache.counts().link.timeouts;
    for question in 0..200 {
        maker.ask(&*cache, &format!("without {question}")).await;
    }
    let counts = cache.counts();
    assert_eq!(counts.link.timeouts, timeouts);
    assert!(counts.link.skipped >= 200, "{counts:?}");
    server.thaw();
    until("it is used again", async || cache.is_up()).await;
    let stored = cache.counts().stored;
    maker.ask(&*cache, "after").await;
    until("it stores", async || cache.counts().stored > stored).await;
}

#[tokio::test]
async fn frozen_at_the_start_and_thawed_later() {
    let Some(server) = test_support::own_redis(&[]).await else {
        return;
    };
    server.freeze();
    let started = Instant::now();
    let cache = start(quick(&server.url())).await;
    assert!(started.elapsed() < BOUND);
    assert!(!cache.is_up());
    assert!(!Maker::default().ask(&*cache, "any").await.cached);
    server.thaw();
    until("it is used", async || cache.is_up()).await;
}

#[tokio::test]
async fn nobody_there_is_no_reason_not_to_start() {
    let url = nobody_there().await;
    let url = url.as_str().replace("http://", "redis://");
    let cache = start(settings(&url)).await;
    assert!(!cache.is_up());
    let maker = Maker::default();
    assert!(!maker.ask(&*cache, "any").await.cached);
    // Memory serves as ever.
    assert!(maker.ask(&*cache, "any").await.cached);
    assert!(cache.counts().link.skipped > 0);
}

#[tokio::test]
async fn a_wrong_password_is_done_without_until_it_is_right() {
    let Some(server) = test_support::own_redis(&["--requirepass", "right"]).await else {
        return;
    };
    let admin = server.url().replace("redis://", "redis://:right@");
    let mut settings = settings(&server.url());
    settings.redis.password = Some("wrong".into());
    let cache = start(settings).await;
    assert!(!cache.is_up());
    let maker = Maker::default();
    assert!(!maker.ask(&*cache, "any").await.cached);
    command(&admin, &["CONFIG", "SET", "requirepass", "wrong"])
        .await
        .unwrap();
    until("it is used", async || cache.is_up()).await;
}

#[tokio::test]
async fn an_acl_user_needs_few_rights_and_one_without_them_gets_answers() {
    let Some(server) = test_support::own_redis(&[]).await else {
        return;
    };
    let url = server.url();
    let rules = |user: &'static str, rights: &[&'static str]| {
        [
            &["ACL", "SETUSER", user, "on", ">secret", "~test-*"],
            rights,
        ]
        .concat()
    };
    let enough = ["+getrange", "+set", "+pttl", "+eval", "+get", "+del"];
    for rules in [
        rules("enough", &enough),
        rules("reader", &["+getrange", "+pttl"]),
        rules("nothing", &["+ping"]),
    ] {
        command(&url, &rules).await.unwrap();
    }
    let as_user = |user: &str| {
        let mut settings = settings(&url);
        settings.redis.user = Some(user.to_owned());
        settings.redis.password = Some("secret".into());
        settings
    };
    let maker = Maker::default();
    let (one, two) = pair(as_user("enough")).await;
    maker.ask(&*one, "any").await;
    until("it is stored", async || one.counts().stored == 1).await;
    assert!(maker.ask(&*two, "any").await.cached);
    // The lease is over as well.
    let left = command(&url, &["DBSIZE"]).await.unwrap();
    assert_eq!((left, one.counts().link.refused), (redis::Value::Int(1), 0));

    let reader = start(as_user("reader")).await;
    assert!(!maker.ask(&*reader, "other").await.cached);
    until("storing is refused", async || {
        reader.counts().link.refused >= 2
    })
    .await;
    assert!(reader.is_up());
    let nothing = start(as_user("nothing")).await;
    assert!(!nothing.is_up());
    assert!(!maker.ask(&*nothing, "other").await.cached);
}

#[tokio::test]
async fn a_full_redis_still_serves_what_it_has() {
    let Some(server) = test_support::own_redis(&[]).await else {
        return;
    };
    let settings = settings(&server.url());
    let (one, two) = pair(settings.clone()).await;
    let maker = Maker::default();
    maker.ask(&*one, "before").await;
    until("it is stored", async || one.counts().stored == 1).await;
    command(&server.url(), &["CONFIG", "SET", "maxmemory", "1"])
        .await
        .unwrap();
    for question in 0..5 {
        let question = format!("full {question}");
        assert!(!maker.ask(&*one, &question).await.cached);
    }
    assert!(one.is_up());
    assert!(maker.ask(&*two, "before").await.cached);
}

#[tokio::test]
async fn a_dropped_cache_leaves_no_connection() {
    let Some(server) = test_support::own_redis(&[]).await else {
        return;
    };
    let cache: Arc<dyn AnswerCache> = start(settings(&server.url())).await;
    let clients = async || {
        let list = command(&server.url(), &["CLIENT", "LIST"]).await.unwrap();
        let list: String = redis::from_redis_value(list).unwrap();
        list.lines().count()
    };
    assert_eq!(clients().await, 2);
    drop(cache);
    until("it is closed", async || clients().await == 1).await;
}
