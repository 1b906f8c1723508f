//! A feed that fails, was set back, or lost something; runs that are killed.

use std::time::Duration;

use sales_warehouse::{
    etl::{self, RunStatus},
    freshness::freshness,
};
use service_kit::Clock;

use super::{
    super::fixture::{Fixture, lock, wait_until},
    Three,
};
use crate::feed::Mood;

const STUCK: &str = "select count(*) = 1 from pg_stat_activity
    where datname = current_database() and application_name = 'sales-warehouse etl' and wait_event_type = 'Lock'";

#[tokio::test]
async fn a_feed_that_fails_stops_no_other_and_keeps_its_data_and_place() {
    let Some(three) = Three::loaded().await else {
        return;
    };
    let place = "select watermark::text || ' ' || as_of::text from etl.watermarks where source = 'promptcontent'";
    let (before, watermark) = (three.all().await, three.fixture.value(place).await);
    three.feed.content("third", "Third", 1, &["#new"]);
    for (mood, says) in [
        (
            Mood::Status(503.try_into().unwrap()),
            "refused while reading its change feed: 503",
        ),
        (
            Mood::Status(401.try_into().unwrap()),
            "refused while reading its change feed: 401",
        ),
        (
            Mood::Status(404.try_into().unwrap()),
            "has changed: GET /v1/changes is gone",
        ),
        (Mood::Garbage, "no page of its change feed"),
        (Mood::Silent, "sent nothing for 1 s"),
        (Mood::OtherType, "column contents.revision is string"),
    ] {
        three.feed.set(mood);
        let report = three.try_run().await;
        assert_eq!(report.status, RunStatus::Failed);
        let error = report.error.unwrap();
        assert!(error.contains(says), "{mood:?}: {error}");
        assert_eq!(three.all().await, before);
        assert_eq!(three.fixture.value(place).await, watermark);
    }
    three.feed.set(Mood::Added);
    let report = three.run().await;
    assert_eq!(report.inserted, 1);
    let told = "column contents.added (string) is new and not read";
    assert_eq!(report.notices, [told]);
}

#[tokio::test]
async fn a_feed_without_an_issuer_that_knows_us_is_a_source_that_failed() {
    let Some(mut three) = Three::loaded().await else {
        return;
    };
    let wrong = three.feed.as_client("sales-warehouse", "wrong-hush");
    *three.fixture.configs.last_mut().unwrap() = wrong;
    let report = three.try_run().await;
    let error = report.error.unwrap();
    assert!(error.contains("invalid_client"), "{error}");
    assert!(!error.contains("hush"), "{error}");
    // Never read: it is listed all the same, as a source without data.
    let Some(fixture) = Fixture::empty().await else {
        return;
    };
    let sources = [three.fixture.configs.pop().unwrap()];
    etl::run_once(&fixture.warehouse, &sources).await.unwrap();
    let fresh = freshness(&fixture.warehouse, Clock::system().now())
        .await
        .unwrap();
    assert_eq!((fresh[2].as_of, fresh[2].stale), (None, true));
}

#[tokio::test]
async fn a_feed_that_was_set_back_is_read_whole() {
    let Some(three) = Three::loaded().await else {
        return;
    };
    three.feed.forget_everything();
    three
        .feed
        .content("sunny-beach", "Sunny beach", 1, &["#Sun"]);
    let report = three.run().await;
    assert!(report.read_all, "{report:?}");
    assert!(report.notices[0].contains("rewound"), "{report:?}");
    assert_eq!(three.all().await, "sunny-beach v1 #sun");
    three.fixture.verify().await;
}

#[tokio::test]
async fn a_thing_that_the_feed_lost_is_found_by_counting_and_the_next_run_mends_it() {
    let Some(three) = Three::loaded().await else {
        return;
    };
    three.feed.lose("sunny-beach");
    three.feed.content("third", "Third", 1, &[]);
    let report = three.try_run().await;
    assert_eq!(report.reconciled, Some(false), "{report:?}");
    assert!(report.error.unwrap().contains("content_document"));
    let report = three.run().await;
    assert!(report.read_all && report.deleted == 1, "{report:?}");
    three.fixture.verify().await;
}

#[tokio::test]
async fn a_feed_that_moves_on_while_it_is_counted_is_counted_another_time() {
    let Some(three) = Three::loaded().await else {
        return;
    };
    three.feed.content("third", "Third", 1, &[]);
    // The count begins at the beginning, and somebody writes just then.
    three.feed.set(Mood::Restless);
    let report = three.run().await;
    assert_eq!((report.inserted, report.reconciled), (1, None));
    assert!(report.notices[0].contains("moved on"), "{report:?}");
    three.feed.set(Mood::Sound);
    let report = three.run().await;
    assert_eq!((report.rows_read, report.reconciled), (1, Some(true)));
}

#[tokio::test]
async fn a_run_killed_anywhere_is_made_up_for() {
    let Some(three) = Three::loaded().await else {
        return;
    };
    three
        .feed
        .content("sunny-beach", "Sunny beach", 2, &["#Sand"]);
    three.feed.detach("spring-fair", "old-town");
    three.feed.delete("old-town", 3);
    for table in [
        "staging.content_contents",
        "core.content_document",
        "core.content_hashtag",
        "core.campaign_content",
        "etl.watermarks",
    ] {
        let before = three.all().await;
        let mut holder = three.fixture.pool.begin().await.unwrap();
        // Watermarks are read before anything is written.
        if table == "etl.watermarks" {
            let statement = "lock table etl.watermarks in share mode";
            sqlx::query(statement).execute(&mut *holder).await.unwrap();
        } else {
            lock(&mut holder, table).await;
        }
        let (warehouse, config) = (
            three.fixture.warehouse.clone(),
            three.fixture.configs.last().unwrap().clone(),
        );
        let run = tokio::spawn(async move { etl::run_once(&warehouse, &[config]).await });
        wait_until(&three.fixture.pool, STUCK).await;
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and application_name = 'sales-warehouse etl'",
        )
        .execute(&three.fixture.pool)
        .await
        .unwrap();
        assert!(run.await.unwrap().is_err(), "{table}");
        holder.rollback().await.unwrap();
        assert_eq!(three.all().await, before, "{table}");
    }
    let report = three.run().await;
    assert_eq!((report.updated, report.deleted), (1, 2));
    three.fixture.verify().await;
}

#[tokio::test]
async fn a_first_read_dropped_at_any_time_is_repeated_with_the_same_result() {
    let Some(three) = Three::filled().await else {
        return;
    };
    let sources = [three.feed.config()];
    for milliseconds in [1, 5, 10, 20, 40, 60, 90, 120, 200, 300] {
        let run = etl::run_once(&three.fixture.warehouse, &sources);
        drop(tokio::time::timeout(Duration::from_millis(milliseconds), run).await);
    }
    loop {
        if three.fixture.try_run().await.status == RunStatus::Succeeded {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    three.fixture.verify().await;
}
