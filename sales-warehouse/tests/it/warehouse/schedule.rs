//! The scheduler, and when data counts as stale.

use std::{fmt, sync::Arc, time::Duration};

use sales_warehouse::{
    etl::{keep_running, watch},
    freshness::{STALE_AFTER, freshness},
};
use service_kit::{CancellationToken, Clock};
use tokio::sync::Notify;
use tracing::{Event, Level, Metadata, Subscriber, field, span};

use super::fixture::{Fixture, lock, wait_until};

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
            keep_running(&warehouse, &configs, every, &stop).await;
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

/// Tells of each warning that a source is stale.
struct Warnings(Arc<Notify>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        struct Message(String);
        impl field::Visit for Message {
            fn record_debug(&mut self, field: &field::Field, value: &dyn fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        if message.0.contains("stale") {
            self.0.notify_one();
        }
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn a_run_that_hangs_is_warned_of_while_it_hangs() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let warned = Arc::new(Notify::new());
    let _guard = tracing::subscriber::set_default(Warnings(Arc::clone(&warned)));
    let mut holder = fixture.pool.begin().await.unwrap();
    lock(&mut holder, "core.fact_ad_daily").await;
    let stop = CancellationToken::new();
    let (every, clock) = (Duration::from_millis(100), Clock::system());
    let running = keep_running(&fixture.warehouse, &fixture.configs, every, &stop);
    let watching = watch(&fixture.warehouse, every, &clock, &stop);
    let seen = async {
        warned.notified().await;
        stop.cancel();
    };
    tokio::time::timeout(
        Duration::from_secs(8),
        futures::future::join3(running, watching, seen),
    )
    .await
    .expect("no warning before the run's lock timed out");
    holder.rollback().await.unwrap();
}
