//! The scheduler, and when data counts as stale.

use std::time::Duration;

use sales_warehouse::{
    etl::keep_running,
    freshness::{STALE_AFTER, freshness},
};
use service_kit::{CancellationToken, Clock};

use super::fixture::{Fixture, wait_until};

#[tokio::test]
async fn it_runs_at_once_and_again_until_it_is_stopped() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let stop = CancellationToken::new();
    let running = {
        let (warehouse, configs, stop) = (
            fixture.warehouse.clone(),
            fixture.configs.clone(),
            stop.clone(),
        );
        let every = Duration::from_millis(20);
        tokio::spawn(async move {
            keep_running(&warehouse, &configs, every, &Clock::system(), &stop).await;
        })
    };
    wait_until(
        &fixture.pool,
        "select count(*) >= 2 from etl.runs where status = 'succeeded'",
    )
    .await;
    stop.cancel();
    running.await.unwrap();
    assert_eq!(
        fixture
            .value("select sum(net_amount) from core.fact_sale")
            .await,
        "67.50"
    );
}

#[tokio::test]
async fn data_is_stale_once_two_runs_were_missed() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let now = Clock::system().now();
    let as_of = freshness(&fixture.warehouse, now).await.unwrap()[0]
        .as_of
        .unwrap();
    for (age, stale) in [
        (STALE_AFTER, false),
        (STALE_AFTER + Duration::from_secs(1), true),
    ] {
        let sources = freshness(&fixture.warehouse, as_of + age).await.unwrap();
        assert_eq!(
            (sources[0].age_seconds, sources[0].stale),
            (Some(age.as_secs()), stale)
        );
    }
    // A source's clock may be ahead of ours.
    let sources = freshness(&fixture.warehouse, as_of - STALE_AFTER)
        .await
        .unwrap();
    assert_eq!(sources[0].age_seconds, Some(0));
}
