//! Redis is killed, frozen, full or was never there: nobody is refused because of it.

use std::time::{Duration, Instant};

use redis_link::{Settings, SharedCounters};
use service_kit::rate_limit::RateLimiter;
use test_support::own_redis;

use crate::support::{command, once_for_all, pair, settings, spend, start, until};

/// What a call may take beyond its deadline, on a machine that does other things.
const SLACK: Duration = Duration::from_millis(150);

const DEADLINE: Duration = Duration::from_millis(80);

/// Counters that wait for [`DEADLINE`].
async fn impatient(url: &str) -> SharedCounters {
    let settings = Settings {
        deadline: DEADLINE,
        ..settings(url)
    };
    start(&settings).await
}

#[tokio::test]
async fn killed_and_started_again() {
    let Some(mut server) = own_redis(&[]).await else {
        return;
    };
    let (one, two) = pair(&settings(&server.url())).await;
    let [first, second] = [&one, &two].map(|replica| replica.limiter("calls", once_for_all(6)));
    for _ in 0..2 {
        first.count("ana").await.unwrap();
    }
    second.count("ana").await.unwrap();
    server.kill();
    until("they see that it is gone", async || {
        // Each is asked, as requests would.
        first.count("other").await.ok();
        second.count("other").await.ok();
        !one.is_up() && !two.is_up()
    })
    .await;
    // Each gives the whole budget, less what it gave before: nobody gets a new one.
    assert_eq!(spend(&first, "ana").await.0, 4);
    assert_eq!(spend(&second, "ana").await.0, 5);
    let alone = one.counts().alone;
    assert!(alone >= 5, "{alone}");

    server.restart().await;
    until("they use it again", async || one.is_up() && two.is_up()).await;
    let together = one.counts().together;
    // It came back empty, and they share what it counts.
    assert_eq!(spend(&first, "ana").await.0, 6);
    second.count("ana").await.unwrap_err();
    assert_eq!(one.counts().together, together + 7);
    assert_eq!(one.counts().alone, alone);
}

#[tokio::test]
async fn one_that_never_answers_costs_a_deadline_and_then_nothing() {
    let Some(server) = own_redis(&[]).await else {
        return;
    };
    let counters = impatient(&server.url()).await;
    let limiter = counters.limiter("calls", once_for_all(1_000));
    limiter.count("ana").await.unwrap();
    server.freeze();
    let mut waited = 0;
    while counters.is_up() {
        let started = Instant::now();
        limiter.count("ana").await.unwrap();
        let took = started.elapsed();
        assert!(took < DEADLINE + SLACK, "{took:?}");
        waited += 1;
    }
    assert_eq!(waited, 3);
    let started = Instant::now();
    for _ in 0..200 {
        limiter.count("ana").await.unwrap();
    }
    let took = started.elapsed();
    assert!(took < DEADLINE, "200 of them took {took:?}");
    let counts = counters.counts();
    assert_eq!((counts.alone, counts.together), (203, 1));
    assert_eq!((counts.link.timeouts, counts.link.gone), (3, 1));
    server.thaw();
    until("it is used again", async || counters.is_up()).await;
    limiter.count("ana").await.unwrap();
    assert_eq!(counters.counts().together, 2);
}

#[tokio::test]
async fn paused_for_a_while() {
    let Some(server) = own_redis(&[]).await else {
        return;
    };
    let counters = impatient(&server.url()).await;
    let limiter = counters.limiter("calls", once_for_all(10));
    let pause = ["CLIENT", "PAUSE", "400", "ALL"];
    command(&server.url(), &pause).await.unwrap();
    let started = Instant::now();
    limiter.count("ana").await.unwrap();
    let took = started.elapsed();
    assert!(took >= DEADLINE && took < DEADLINE + SLACK, "{took:?}");
    assert_eq!(counters.counts().alone, 1);
    until("it decides again", async || {
        limiter.count("other").await.ok();
        counters.counts().together > 0
    })
    .await;
}

#[tokio::test]
async fn a_full_redis_and_one_that_only_reads_decide_nothing() {
    let Some(server) = own_redis(&[]).await else {
        return;
    };
    let counters = start(&settings(&server.url())).await;
    let limiter = counters.limiter("calls", once_for_all(2));
    let full = ["CONFIG", "SET", "maxmemory", "1"];
    command(&server.url(), &full).await.unwrap();
    assert_eq!(spend(&limiter, "ana").await.0, 2);
    let counts = counters.counts();
    assert_eq!((counts.alone, counts.together), (3, 0));
    assert!(counters.is_up() && counts.link.refused == 3, "{counts:?}");
    let empty = ["CONFIG", "SET", "maxmemory", "0"];
    command(&server.url(), &empty).await.unwrap();
    limiter.count("ana").await.unwrap();
    assert_eq!(counters.counts().together, 1);
}

#[tokio::test]
async fn nobody_there_is_no_reason_not_to_start() {
    let port = test_support::free_port().unwrap();
    let counters = start(&settings(&format!("redis://127.0.0.1:{port}"))).await;
    assert!(!counters.is_up());
    let limiter = counters.limiter("calls", once_for_all(3));
    assert_eq!(spend(&limiter, "ana").await.0, 3);
    assert_eq!(counters.counts().alone, 4);
}
