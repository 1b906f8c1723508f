//! The scheduler, and when data counts as stale.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use sales_warehouse::{
    etl::{keep_running, watch},
    freshness::{STALE_AFTER, freshness},
};
use service_kit::{CancellationToken, Clock};
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

/// What was logged of sources that are stale, or no longer are.
#[derive(Clone, Default)]
struct News(Arc<Mutex<Vec<String>>>);

impl News {
    fn count(&self, of: &str) -> usize {
        let said = self.0.lock().unwrap();
        said.iter().filter(|message| message.contains(of)).count()
    }

    async fn wait_for(&self, count: usize, of: &str) {
        while self.count(of) < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Subscriber for News {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
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
        if message.0.starts_with("a source is") {
            self.0.lock().unwrap().push(message.0);
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
    let news = News::default();
    let _guard = tracing::subscriber::set_default(news.clone());
    let mut holder = fixture.pool.begin().await.unwrap();
    lock(&mut holder, "core.fact_ad_daily").await;
    let stop = CancellationToken::new();
    let (every, clock) = (Duration::from_millis(100), Clock::system());
    let running = keep_running(&fixture.warehouse, &fixture.configs, every, &stop);
    let watching = watch(&fixture.warehouse, every, &clock, &stop);
    let seen = async {
        news.wait_for(1, "stale").await;
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

#[tokio::test]
async fn staleness_is_news_once_and_so_is_its_end() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let news = News::default();
    let _guard = tracing::subscriber::set_default(news.clone());
    let stop = CancellationToken::new();
    let (every, clock) = (Duration::from_millis(5), Clock::system());
    let watching = watch(&fixture.warehouse, every, &clock, &stop);
    let seen = async {
        // Neither source has been read.
        news.wait_for(2, "stale").await;
        tokio::time::sleep(every * 40).await;
        fixture.run().await;
        news.wait_for(2, "fresh again").await;
        stop.cancel();
    };
    let both = futures::future::join(watching, seen);
    let done = tokio::time::timeout(Duration::from_secs(30), both).await;
    done.unwrap_or_else(|_| panic!("{:?}", news.0.lock().unwrap()));
    assert_eq!(news.count("stale"), 2, "{:?}", news.0.lock().unwrap());
}
