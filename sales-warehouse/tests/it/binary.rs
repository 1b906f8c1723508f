//! The service binary as a process of its own, on real databases.

mod configuration;
mod kills;
mod process;
mod restart;
mod serving;

use sales_warehouse::source::System;
use serde_json::Value;
use sqlx::Connection;

use crate::{
    feed::{Feed, Mood},
    warehouse::fixture::Fixture,
};
use process::{Environment, run};

#[tokio::test]
async fn once_brings_everything_in_and_says_so() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let environment = Environment::of(&fixture);
    let ran = run(&environment, &["etl", "--once"]).await.expect(0);
    let report = ran.json();
    assert_eq!(report["status"], "succeeded", "{report}");
    assert_eq!(report["sources"][1]["reconciled"], true, "{report}");
    let revenue = "select sum(net_amount) from core.fact_sale";
    assert_eq!(fixture.value(revenue).await, "67.50");
    // What it says is one JSON object a line, for a collector.
    for line in ran.stderr.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    let again = run(&environment, &["etl", "--once"]).await.expect(0).json();
    assert_eq!(again["sources"][0]["inserted"], 0, "{again}");
    let verified = run(&environment, &["verify", "--json"]).await.expect(0);
    assert_eq!(verified.json()["equal"], true);
}

#[tokio::test]
async fn once_fails_when_a_source_does_and_the_other_is_in_all_the_same() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let mut environment = Environment::of(&fixture);
    environment.set_source(
        System::PromptAds,
        "postgres://nobody:hush@localhost/none?host=/nowhere",
    );
    let ran = run(&environment, &["etl", "--once"]).await.expect(1);
    let report = ran.json();
    assert_eq!(report["sources"][0]["status"], "failed", "{report}");
    let said = ran.log("a source is not in");
    assert_eq!(said["source"], "promptads");
    let error = said["error"].as_str().unwrap();
    assert!(error.starts_with("promptads cannot be reached"), "{error}");
    assert!(!ran.stderr.contains("hush") && !ran.stdout.contains("hush"));
    let products = "select count(*) from core.dim_product";
    assert_eq!(fixture.value(products).await, "2");
}

#[tokio::test]
async fn a_run_at_work_elsewhere_is_said_and_no_failure() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let mut elsewhere = sqlx::PgConnection::connect(&fixture.warehouse_url())
        .await
        .unwrap();
    sqlx::query("select pg_advisory_lock(hashtextextended('promptsales warehouse etl', 0))")
        .execute(&mut elsewhere)
        .await
        .unwrap();
    let environment = Environment::of(&fixture);
    let ran = run(&environment, &["etl", "--once"]).await.expect(0);
    assert_eq!(ran.json()["status"], "skipped");
    ran.log("etl skipped: another run is at work");
    assert_eq!(
        fixture.value("select count(*) from core.fact_sale").await,
        "0"
    );
}

#[tokio::test]
async fn migrate_makes_every_schema_and_nothing_runs_before_it() {
    let (Some(warehouse), Some(ads), Some(crm)) = (
        test_support::fresh_database().await,
        test_support::fresh_database().await,
        test_support::fresh_database().await,
    ) else {
        return;
    };
    let environment = Environment::new(&warehouse.url, &ads.url, &crm.url);
    for arguments in [&["etl", "--once"][..], &["verify"], &serving::SERVE] {
        let refused = run(&environment, arguments).await.expect(1);
        let says = "run sales-warehouse migrate first";
        assert!(refused.stderr.contains(says), "{refused:?}");
    }
    run(&environment, &["migrate"]).await.expect(0);
    run(&environment, &["migrate", "--sources"]).await.expect(0);
    let report = run(&environment, &["etl", "--once"]).await.expect(0).json();
    assert_eq!(report["status"], "succeeded", "{report}");
    let verified = run(&environment, &["verify"]).await.expect(0);
    assert_eq!(verified.stdout.lines().last(), Some("equal"));
}

#[tokio::test]
async fn verify_fails_when_something_differs() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    sqlx::query("update core.dim_product set name_en = 'Sofa' where product_id = 1")
        .execute(&fixture.pool)
        .await
        .unwrap();
    let environment = Environment::of(&fixture);
    let found = run(&environment, &["verify"]).await.expect(1);
    let line = found
        .stdout
        .lines()
        .find(|line| line.contains("core.dim_product"))
        .unwrap();
    assert!(line.ends_with("DIFFERS"), "{line}");
    assert_eq!(found.stdout.lines().last(), Some("NOT equal"));
}

#[tokio::test]
async fn the_change_feed_is_a_source_where_it_is_configured() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let feed = Feed::filled().await;
    let (_, secret, _) = Feed::client();
    let secrets = tempfile::tempdir().unwrap();
    let mut environment = Environment::of(&fixture);
    environment.set_feed(&feed, &secrets.path().join("client_secret"));
    let ran = run(&environment, &["etl", "--once"]).await.expect(0);
    let report = ran.json();
    assert_eq!(report["sources"][2]["source"], "promptcontent", "{report}");
    assert_eq!(report["sources"][2]["inserted"], 5, "{report}");
    let verified = run(&environment, &["verify", "--json"]).await.expect(0);
    assert_eq!(verified.json()["equal"], true);
    // A run is one trace, with its reading of the feed.
    let traces = feed.traces();
    let trace = ran.log("etl done")["trace_id"].as_str().unwrap().to_owned();
    let of_run = traces.iter().filter(|one| one.contains(&trace)).count();
    assert!(trace.len() == 32 && of_run >= 2, "{trace}: {traces:?}");
    feed.set(Mood::Status(503.try_into().unwrap()));
    let ran = run(&environment, &["etl", "--once"]).await.expect(1);
    let error = ran.log("a source is not in")["error"].to_string();
    assert!(error.contains("503 Service Unavailable"), "{error}");
    assert!(!ran.stderr.contains(secret) && !ran.stdout.contains(secret));
}
