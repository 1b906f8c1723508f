//! Gateways that count on one Redis, and go on without it.

use std::num::NonZeroU32;

use http::StatusCode;
use mcp_gateway::http::Limits;
use redis_link::{Settings, SharedCounters};
use serde_json::json;

use crate::{
    limits::{UNLIMITED, refused, token},
    support::{Reply, World},
};

const FIVE: Limits = Limits {
    requests_per_minute: NonZeroU32::new(5),
    ..UNLIMITED
};

async fn counters(url: &str) -> SharedCounters {
    let settings = Settings {
        prefix: "test-gateway".to_owned(),
        deadline: std::time::Duration::from_secs(1),
        ..Settings::new(url.into())
    };
    SharedCounters::start(&settings.check().unwrap())
        .await
        .unwrap()
}

/// As many requests as are let in, and the refusal after them.
async fn flood(world: &World, subject: &str) -> (u32, Reply) {
    let token = token(world, subject);
    let mut let_in = 0;
    loop {
        let reply = Reply::of(world.modern(&token, "tools/list", json!({}))).await;
        if reply.status != StatusCode::OK {
            refused(&reply, "requests");
            return (let_in, reply);
        }
        let_in += 1;
        assert!(let_in < 50, "no end of it");
    }
}

#[tokio::test]
async fn replicas_share_a_clients_budget_until_redis_is_away() {
    let Some(mut server) = test_support::own_redis(&[]).await else {
        return;
    };
    let (first, second) = (counters(&server.url()).await, counters(&server.url()).await);
    let one = World::start_counting(FIVE, first.clone()).await;
    let two = World::start_counting(FIVE, second.clone()).await;
    // One comes back every 12 s: this takes less than a minute, even on a slow machine.
    let (let_in, _) = flood(&one, "flooding").await;
    assert!((5..10).contains(&let_in), "{let_in}");
    let (let_in, reply) = flood(&two, "flooding").await;
    assert!(let_in < 5, "{let_in}");
    let seconds: u32 = reply.header("retry-after").parse().unwrap();
    assert!((1..=12).contains(&seconds), "{seconds}");
    let told = one.scraped().await;
    for line in [
        "mcp_gateway_rate_limit_redis_up 1\n",
        "mcp_gateway_rate_limit_decisions_total{by=\"process\"} 0\n",
    ] {
        assert!(told.contains(line), "no {line} in: {told}");
    }

    server.kill();
    let (let_in, _) = flood(&two, "other").await;
    assert!((5..10).contains(&let_in), "{let_in}");
    let told = two.scraped().await;
    assert!(
        told.contains("mcp_gateway_rate_limit_redis_up 0\n"),
        "{told}"
    );
    let alone = format!("{{by=\"process\"}} {}\n", second.counts().alone);
    assert!(told.contains(&alone) && second.counts().alone > 5, "{told}");
    assert!(told.contains("mcp_gateway_rate_limit_redis_calls_failed_total{how=\"skipped\"}"));
}
