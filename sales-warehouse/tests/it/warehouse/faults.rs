//! Runs that are killed, that meet one another, or whose source is away.

use std::time::Duration;

use sales_warehouse::etl::{self, RunStatus, SourceConfig};
use sales_warehouse::source::System;
use sqlx::Connection;

use super::fixture::{Fixture, execute, wait_until};

const CHANGES_ADS: &str = "
    update ads.ad_daily set cost = cost + 1;
    delete from ads.reactions where ad_id = 3;
    update ads.campaigns set status = 'paused' where campaign_id = 2;
    insert into ads.ad_daily values (3, '2026-04-02', 1, 1, 0, 1, 'USD', '2026-04-03T03:00:00Z')";
const CHANGES_CRM: &str = "
    update crm.sales set status = 'refunded' where sale_id = 1;
    update crm.leads set status = 'lost' where lead_id = 2;
    delete from crm.subscriptions";

/// The ETL's session, stuck behind a lock that a test holds.
const STUCK: &str = "select count(*) > 0 from pg_stat_activity
    where datname = current_database() and application_name = 'sales-warehouse etl' and wait_event_type = 'Lock'";

#[tokio::test]
async fn a_session_killed_in_the_middle_of_a_merge_changes_nothing_and_is_made_up_for() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture.ads(CHANGES_ADS).await;
    fixture.crm(CHANGES_CRM).await;
    // The tables that a merge comes to early, in the middle, and last.
    for table in [
        "core.dim_campaign",
        "core.fact_ad_daily",
        "core.fact_sale",
        "etl.watermarks",
        "etl.source_runs",
    ] {
        let before = fixture.value("select string_agg(x::text, ',' order by name) from etl.checksums() x where name not like '%sub%'").await;
        let mut holder = fixture.pool.begin().await.unwrap();
        super::fixture::lock(&mut holder, table).await;
        let (warehouse, configs) = (fixture.warehouse.clone(), fixture.configs.clone());
        let run = tokio::spawn(async move { etl::run_once(&warehouse, &configs).await });
        wait_until(&fixture.pool, STUCK).await;
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and application_name = 'sales-warehouse etl'",
        )
        .execute(&fixture.pool)
        .await
        .unwrap();
        assert!(run.await.unwrap().is_err(), "{table}");
        holder.rollback().await.unwrap();
        if table == "core.dim_campaign" {
            let after = fixture.value("select string_agg(x::text, ',' order by name) from etl.checksums() x where name not like '%sub%'").await;
            assert_eq!(before, after, "{table}");
        }
    }
    fixture.run().await;
    assert_eq!(
        fixture
            .value("select count(*) > 0 from etl.runs where status = 'interrupted'")
            .await,
        "true"
    );
    assert_eq!(
        fixture
            .value("select count(*) from etl.runs where status = 'running'")
            .await,
        "0"
    );
    fixture.verify().await;
}

#[tokio::test]
async fn a_first_load_dropped_at_any_time_is_repeated_with_the_same_result() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    for milliseconds in [1, 5, 15, 30, 60, 100, 150, 250, 400, 600] {
        let run = etl::run_once(&fixture.warehouse, &fixture.configs);
        drop(tokio::time::timeout(Duration::from_millis(milliseconds), run).await);
    }
    // The server lets go of the lock within a second or so.
    loop {
        if fixture.try_run().await.status == RunStatus::Succeeded {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    fixture.verify().await;
    assert_eq!(
        fixture
            .value("select sum(net_amount) from core.fact_sale")
            .await,
        "67.50"
    );
}

#[tokio::test]
async fn a_run_killed_after_its_merge_leaves_the_marts_level() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    execute(&fixture.pool, "delete from core.campaign_closeout").await;
    fixture
        .crm("update crm.sale_lines set unit_price = 30 where sale_id = 1 and line_no = 1")
        .await;
    let mut holder = fixture.pool.begin().await.unwrap();
    sqlx::query("lock table core.campaign_closeout in share mode")
        .execute(&mut *holder)
        .await
        .unwrap();
    let (warehouse, configs) = (fixture.warehouse.clone(), fixture.configs.clone());
    let run = tokio::spawn(async move { etl::run_once(&warehouse, &configs).await });
    wait_until(&fixture.pool, STUCK).await;
    run.abort();
    drop(run.await);
    holder.rollback().await.unwrap();
    let revenue = "select revenue_usd from marts.campaign_performance where campaign_id = 1";
    assert_eq!(fixture.value(revenue).await, "74.80");
    wait_until(
        &fixture.pool,
        "select count(*) = 0 from pg_stat_activity
         where datname = current_database() and application_name = 'sales-warehouse etl'",
    )
    .await;
    let report = fixture.run().await;
    assert_eq!(report.changed(), 0, "{report:?}");
    let closed = "select count(*) from core.campaign_closeout";
    assert_eq!(fixture.value(closed).await, "1");
}

#[tokio::test]
async fn of_two_runs_at_once_one_leaves_and_says_so() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture.ads(CHANGES_ADS).await;
    let mut holder = fixture.pool.begin().await.unwrap();
    super::fixture::lock(&mut holder, "core.fact_ad_daily").await;
    let (warehouse, configs) = (fixture.warehouse.clone(), fixture.configs.clone());
    let first = tokio::spawn(async move { etl::run_once(&warehouse, &configs).await });
    wait_until(&fixture.pool, STUCK).await;
    let second = fixture.try_run().await;
    assert_eq!(second.status, RunStatus::Skipped);
    holder.rollback().await.unwrap();
    assert_eq!(first.await.unwrap().unwrap().status, RunStatus::Succeeded);
    assert_eq!(
        fixture
            .value(&format!(
                "select status from etl.runs where run_id = {}",
                second.run_id
            ))
            .await,
        "skipped"
    );
    fixture.verify().await;
}

#[tokio::test]
async fn a_run_in_turn_waits_and_takes_in_what_the_one_before_could_not_see() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture.ads(CHANGES_ADS).await;
    let mut holder = fixture.pool.begin().await.unwrap();
    super::fixture::lock(&mut holder, "core.fact_ad_daily").await;
    let (warehouse, configs) = (fixture.warehouse.clone(), fixture.configs.clone());
    let first = tokio::spawn(async move { etl::run_once(&warehouse, &configs).await });
    wait_until(&fixture.pool, STUCK).await;
    fixture
        .ads("update ads.campaigns set status = 'active' where campaign_id = 3")
        .await;
    let (warehouse, configs) = (fixture.warehouse.clone(), fixture.configs.clone());
    let second = tokio::spawn(async move { etl::run_in_turn(&warehouse, &configs).await });
    wait_until(
        &fixture.pool,
        "select count(*) = 1 from pg_locks where locktype = 'advisory' and not granted
            and database = (select oid from pg_database where datname = current_database())",
    )
    .await;
    holder.rollback().await.unwrap();
    assert_eq!(first.await.unwrap().unwrap().status, RunStatus::Succeeded);
    assert_eq!(second.await.unwrap().unwrap().status, RunStatus::Succeeded);
    let status = "select status from core.dim_campaign where campaign_id = 3";
    assert_eq!(fixture.value(status).await, "active");
}

#[tokio::test]
async fn a_source_that_is_down_stops_no_other_and_catches_up() {
    let Some(mut fixture) = Fixture::loaded().await else {
        return;
    };
    fixture.ads(CHANGES_ADS).await;
    fixture.crm(CHANGES_CRM).await;
    let sound = fixture.configs.clone();
    fixture.configs = sound
        .iter()
        .map(|config| match config.system() {
            System::PromptAds => SourceConfig::Postgres {
                system: System::PromptAds,
                url: "postgres://nobody:hush@localhost/none?host=/nowhere".into(),
            },
            _ => config.clone(),
        })
        .collect();
    let report = fixture.try_run().await;
    assert_eq!(report.status, RunStatus::Failed);
    let error = report.sources[0].error.clone().unwrap();
    assert!(error.starts_with("promptads cannot be reached"), "{error}");
    assert!(!error.contains("hush"), "{error}");
    assert!(report.sources[1].updated > 0);
    fixture.configs = sound;
    fixture.run().await;
    fixture.verify().await;
}

#[tokio::test]
async fn a_source_that_breaks_off_while_it_is_read_is_read_again() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture.ads(CHANGES_ADS).await;
    // The warehouse takes the first campaign and waits for this lock, with other tables not read yet.
    sqlx::raw_sql(
        "create function public.wait() returns trigger language plpgsql as
            $$ begin perform pg_advisory_xact_lock(4711); return new; end $$;
         create trigger wait before insert on staging.ads_campaigns for each row execute function public.wait()",
    )
    .execute(&fixture.pool)
    .await
    .unwrap();
    let ads = &fixture.world.sources.ads;
    let mut holder = fixture.pool.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(4711)")
        .execute(&mut *holder)
        .await
        .unwrap();
    let (warehouse, configs) = (fixture.warehouse.clone(), fixture.configs.clone());
    let run = tokio::spawn(async move { etl::run_once(&warehouse, &configs).await });
    wait_until(&fixture.pool, STUCK).await;
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'sales-warehouse etl'",
    )
    .execute(ads)
    .await
    .unwrap();
    holder.rollback().await.unwrap();
    let report = run.await.unwrap().unwrap();
    let error = report.sources[0].error.clone().unwrap();
    assert!(error.contains("promptads failed while"), "{error}");
    assert_eq!(report.sources[1].status, RunStatus::Succeeded);
    fixture.run().await;
    fixture.verify().await;
}

#[tokio::test]
async fn verify_sees_a_single_value_that_differs() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    sqlx::query(
        "update core.fact_sale set quantity = 3, net_amount = 58 where sale_id = 1 and line_no = 1",
    )
    .execute(&fixture.pool)
    .await
    .unwrap();
    let verification = sales_warehouse::verify::verify(&fixture.warehouse, &fixture.configs)
        .await
        .unwrap();
    assert!(!verification.equal);
    let different: Vec<_> = verification
        .tables
        .iter()
        .filter(|table| table.checksum != table.expected)
        .map(|table| table.name.as_str())
        .collect();
    // What is added up from it follows, as it does when a merge changes a row.
    let sums = ["core.fact_sale", "totals.campaign_revenue", "totals.facts"];
    assert_eq!(different[..3], sums);
    // Nothing is left of the scratch database.
    let mut admin = sqlx::PgConnection::connect(&fixture.warehouse_url())
        .await
        .unwrap();
    let left: i64 = sqlx::query_scalar(
        "select count(*) from pg_database where datname = current_database() || '_verify'",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn verify_sees_a_sum_that_is_not_what_its_facts_come_to() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    for (change, table) in [
        (
            "update totals.campaign_leads set qualified = qualified + 1",
            "totals.campaign_leads",
        ),
        (
            "update marts.first_sale set sold_on = sold_on + 1",
            "marts.first_sale",
        ),
    ] {
        execute(&fixture.pool, change).await;
        let verification = sales_warehouse::verify::verify(&fixture.warehouse, &fixture.configs)
            .await
            .unwrap();
        let different = verification.tables.iter();
        let different = different.filter(|table| table.checksum != table.expected);
        let different: Vec<_> = different.map(|table| table.name.as_str()).collect();
        assert!(different.contains(&table), "{different:?}");
    }
}
