//! One budget for all replicas.

use std::time::Duration;

use redis_link::{Settings, redis::Value};
use service_kit::rate_limit::{LocalRateLimiter, RateLimiter, TooOften};
use test_support::{RedisServer, own_redis};

use crate::support::{
    command, once_for_all, pair, per_minute, settings, spend, start, stored, until,
};

#[tokio::test]
async fn two_replicas_share_one_budget() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let settings = settings(&url);
    let (one, two) = pair(&settings).await;
    let [first, second] = [&one, &two].map(|replica| replica.limiter("calls", once_for_all(10)));
    for _ in 0..3 {
        first.count("ana").await.unwrap();
        second.count("ana").await.unwrap();
    }
    assert_eq!(spend(&first, "ana").await.0, 4);
    second.count("ana").await.unwrap_err();
    // Other keys, other limits and other deployments have budgets of their own.
    second.count("eva").await.unwrap();
    let other = two.limiter("writes", once_for_all(10));
    assert_eq!(spend(&other, "ana").await.0, 10);
    let staging = Settings {
        prefix: format!("{}-staging", settings.prefix),
        ..settings.clone()
    };
    let staging = start(&staging).await.limiter("calls", once_for_all(10));
    staging.count("ana").await.unwrap();
    assert_eq!((one.counts().alone, two.counts().alone), (0, 0));
    // 3 + 4 and its refusal; 3, a refusal, eva's, 10 and their refusal.
    assert_eq!((one.counts().together, two.counts().together), (8, 16));
    // Who came is in no name, and every counter expires.
    for name in stored(&url, &settings.prefix).await {
        assert!(!name.contains("ana") && !name.contains("eva"), "{name}");
        let left = command(&url, &["PTTL", &name]).await.unwrap();
        assert!(
            matches!(left, Value::Int(1..=3_600_000)),
            "{name}: {left:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_than_the_budget_is_let_in_at_the_same_time() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let (one, two) = pair(&settings(&url)).await;
    let tasks = [one, two].map(|replica| {
        tokio::spawn(async move {
            let limiter = replica.limiter("calls", once_for_all(200));
            let (allowed, _) = spend(&limiter, "ana").await;
            assert_eq!(replica.counts().alone, 0);
            allowed
        })
    });
    let mut allowed = 0;
    for task in tasks {
        allowed += task.await.unwrap();
    }
    assert_eq!(allowed, 200);
}

/// Redis decides as a process does, within what a machine's clocks and their reading differ by.
#[tokio::test]
async fn it_decides_as_a_process_does() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let counters = start(&settings(&url)).await;
    for times in [1, 7, 59, 61, 600] {
        let limiter = counters.limiter("calls", once_for_all(times));
        let key = times.to_string();
        let (allowed, TooOften(shared)) = spend(&limiter, &key).await;
        assert_eq!(allowed, times);
        let (_, TooOften(local)) = spend(&LocalRateLimiter::new(once_for_all(times)), &key).await;
        assert!(
            shared.abs_diff(local) < Duration::from_secs(3),
            "{shared:?}, {local:?}"
        );
    }
}

#[tokio::test]
async fn room_comes_back_when_it_was_said_to() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let (one, two) = pair(&settings(&url)).await;
    // One comes back every 200 ms.
    let [first, second] = [&one, &two].map(|replica| replica.limiter("calls", per_minute(300)));
    let (allowed, refused) = spend(&first, "ana").await;
    assert!(allowed >= 300, "{allowed}");
    assert!(refused.0 <= Duration::from_millis(200), "{refused}");
    assert_eq!(refused.retry_after_seconds(), 1);
    tokio::time::sleep(refused.0).await;
    second.count("ana").await.unwrap();
    // Of one a minute, the next is a minute away.
    let slow = one.limiter("writes", per_minute(1));
    let (_, refused) = spend(&slow, "ana").await;
    assert!(
        (58..=60).contains(&refused.retry_after_seconds()),
        "{refused}"
    );
}

#[tokio::test]
async fn values_that_are_not_ours_refuse_nobody_for_longer_than_a_burst() {
    let Some(url) = test_support::redis().await else {
        return;
    };
    let settings = settings(&url);
    let counters = start(&settings).await;
    let limiter = counters.limiter("calls", per_minute(60));
    limiter.count("ana").await.unwrap();
    let [name] = &stored(&url, &settings.prefix).await[..] else {
        panic!("not one counter");
    };
    for odd in ["", "never", "nan", "-inf", "0", "-9", "1e3"] {
        command(&url, &["SET", name, odd]).await.unwrap();
        limiter.count("ana").await.unwrap();
    }
    // As after a clock that was put back: as if the burst had just been spent, and no worse.
    for odd in ["1e300", "inf", "99999999999999999"] {
        command(&url, &["SET", name, odd]).await.unwrap();
        let TooOften(room_in) = limiter.count("ana").await.unwrap_err();
        assert!(room_in <= Duration::from_secs(1), "{room_in:?}");
    }
    assert_eq!(counters.counts().alone, 0);
    // Something of another type is no counter: each replica decides for itself.
    command(&url, &["DEL", name]).await.unwrap();
    command(&url, &["RPUSH", name, "x"]).await.unwrap();
    limiter.count("ana").await.unwrap();
    assert_eq!(counters.counts().alone, 1);
}

#[tokio::test]
async fn an_emptied_redis_gets_the_script_again() {
    let Some(server) = own_redis(&[]).await else {
        return;
    };
    let counters = start(&settings(&server.url())).await;
    let limiter = counters.limiter("calls", once_for_all(2));
    limiter.count("ana").await.unwrap();
    command(&server.url(), &["SCRIPT", "FLUSH"]).await.unwrap();
    limiter.count("ana").await.unwrap();
    limiter.count("ana").await.unwrap_err();
    command(&server.url(), &["FLUSHALL"]).await.unwrap();
    limiter.count("ana").await.unwrap();
    let counts = counters.counts();
    assert_eq!((counts.together, counts.alone), (4, 0));
    assert_eq!(counts.link.refused, 0, "{counts:?}");
    // The server knows the script by the name that we call it by.
    let stats = command(&server.url(), &["INFO", "commandstats"]).await;
    let stats: String = redis::from_redis_value(stats.unwrap()).unwrap();
    let times = |command: &str| {
        let line = stats.lines().find(|line| line.starts_with(command));
        line.map(|line| line[command.len()..].split(',').next().unwrap().to_owned())
    };
    // The probe and the one after SCRIPT FLUSH.
    assert_eq!(
        times("cmdstat_eval:calls=").as_deref(),
        Some("2"),
        "{stats}"
    );
    assert_eq!(times("cmdstat_evalsha:calls=").as_deref(), Some("4"));
}

#[tokio::test]
async fn an_acl_user_needs_no_more_than_is_documented() {
    let Some(server) = own_redis(&[]).await else {
        return;
    };
    let url = server.url();
    let rules = [
        "ACL", "SETUSER", "counter", "on", ">secret", "~test-*", "+eval", "+evalsha", "+get",
        "+set", "+time",
    ];
    command(&url, &rules).await.unwrap();
    let as_user = |password: &str| Settings {
        user: Some("counter".to_owned()),
        password: Some(password.into()),
        ..settings(&url)
    };
    let counters = start(&as_user("secret")).await;
    let limiter = counters.limiter("calls", once_for_all(2));
    assert_eq!(spend(&limiter, "ana").await.0, 2);
    assert_eq!(counters.counts().alone, 0);
    assert!(!start(&as_user("wrong")).await.is_up());
}

#[tokio::test]
async fn a_cluster_keeps_counters_on_all_its_nodes() {
    let Some(nodes) = cluster().await else {
        return;
    };
    let url = format!("redis-cluster://127.0.0.1:{}", nodes[0].port());
    let (one, two) = pair(&settings(&url)).await;
    let [first, second] = [&one, &two].map(|replica| replica.limiter("calls", once_for_all(2)));
    for client in 0..30 {
        let client = client.to_string();
        first.count(&client).await.unwrap();
        second.count(&client).await.unwrap();
        first.count(&client).await.unwrap_err();
    }
    assert_eq!((one.counts().alone, two.counts().alone), (0, 0));
    for node in &nodes {
        let keys = command(&node.url(), &["DBSIZE"]).await.unwrap();
        assert!(matches!(keys, Value::Int(keys) if keys > 0), "{keys:?}");
    }
}

/// Three masters that share the slots.
async fn cluster() -> Option<Vec<RedisServer>> {
    let mut nodes = Vec::new();
    for _ in 0..3 {
        // Its bus needs a second port, which is this much higher unless it is told otherwise.
        let bus = test_support::free_port().unwrap().to_string();
        let arguments = ["--cluster-enabled", "yes", "--cluster-port", &bus];
        nodes.push((own_redis(&arguments).await?, bus));
    }
    let first = nodes[0].0.port().to_string();
    let slots = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
    for ((node, _), (from, to)) in nodes.iter().zip(slots) {
        let url = node.url();
        let own = ["CLUSTER", "ADDSLOTSRANGE", from, to];
        command(&url, &own).await.unwrap();
        let meet = ["CLUSTER", "MEET", "127.0.0.1", &first, &nodes[0].1];
        command(&url, &meet).await.unwrap();
    }
    for (node, _) in &nodes {
        until("the cluster stands", async || {
            let info = command(&node.url(), &["CLUSTER", "INFO"]).await.unwrap();
            let info: String = redis::from_redis_value(info).unwrap();
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        })
        .await;
    }
    Some(nodes.into_iter().map(|(node, _)| node).collect())
}
