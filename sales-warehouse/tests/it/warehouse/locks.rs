//! Locks: what waits for whom, for how long, and how many there are.

use std::time::{Duration, Instant};

use sales_warehouse::{
    etl::{self, EtlError, RunStatus},
    source::{System, Watermark},
};
use sqlx::Connection;

use super::fixture::{Fixture, lock, wait_until};

#[tokio::test]
async fn nobody_truncates_what_a_snapshot_is_about_to_read() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let config = fixture
        .configs
        .iter()
        .find(|config| config.system() == System::PromptAds)
        .unwrap();
    let mut snapshot = config.source().open(Watermark::START).await.unwrap();
    let mut other = fixture.world.sources.ads.acquire().await.unwrap();
    for table in ["ads.reactions", "ads.tombstones"] {
        let statement = format!("set lock_timeout = '100ms'; truncate {table}");
        let error = sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut *other)
            .await
            .unwrap_err();
        let code = error.as_database_error().unwrap().code();
        assert_eq!(code.as_deref(), Some("55P03"), "{table}: {error}");
    }
    let table = System::PromptAds.tables().last().unwrap();
    assert_eq!(snapshot.totals(table).await.unwrap().unwrap().rows, 2);
    drop(snapshot.rows(table, Watermark::START).await.unwrap());
    drop(snapshot);
    sqlx::raw_sql("set lock_timeout = '30s'; truncate ads.reactions")
        .execute(&mut *other)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_reader_that_idles_in_a_transaction_costs_a_source_its_run_and_no_more() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let mut idle = fixture.pool.begin().await.unwrap();
    sqlx::query("select count(*) from core.fact_ad_daily")
        .execute(&mut *idle)
        .await
        .unwrap();
    // A month that has no partition yet, which takes the table alone.
    fixture
        .ads("insert into ads.ad_daily values (3, '2031-05-01', 1, 1, 0, 1, 'USD', '2031-05-02T03:00:00Z')")
        .await;
    fixture
        .crm("update crm.leads set score = 99 where lead_id = 3")
        .await;
    let begun = Instant::now();
    let report = fixture.try_run().await;
    assert!(begun.elapsed() < Duration::from_secs(60), "{report:?}");
    assert_eq!(report.sources[0].status, RunStatus::Failed, "{report:?}");
    let error = report.sources[0].error.clone().unwrap();
    assert!(error.contains("in an open transaction: end it"), "{error}");
    assert_eq!(report.sources[1].updated, 1, "{report:?}");
    idle.rollback().await.unwrap();
    assert_eq!(fixture.run().await.sources[0].inserted, 1);
    fixture.verify().await;
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_given_up_and_says_so() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads("update ads.ad_daily set clicks = 5 where ad_id = 3")
        .await;
    let mut holder = fixture.pool.begin().await.unwrap();
    lock(&mut holder, "core.fact_ad_daily").await;
    let hasty = fixture
        .warehouse
        .clone()
        .with_run_limit(Duration::from_millis(1_500));
    let error = etl::run_once(&hasty, &fixture.configs).await.unwrap_err();
    assert!(matches!(error, EtlError::TimedOut { .. }), "{error}");
    assert_eq!(
        fixture
            .value("select status || ' ' || (message like 'the run was given up after 1 s%') from etl.runs order by run_id desc limit 1")
            .await,
        "failed true"
    );
    holder.rollback().await.unwrap();
    wait_until(
        &fixture.pool,
        "select count(*) = 0 from pg_stat_activity
         where datname = current_database() and application_name = 'sales-warehouse etl'",
    )
    .await;
    assert_eq!(fixture.run().await.sources[0].updated, 1);
}

#[tokio::test]
async fn a_full_read_does_not_wait_for_readers() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let mut idle = fixture.pool.begin().await.unwrap();
    sqlx::query("select count(*) from core.fact_reaction")
        .execute(&mut *idle)
        .await
        .unwrap();
    fixture
        .ads(
            "truncate ads.reactions;
             insert into ads.reactions select 2, '2026-01-31', k, 5 from unnest('{like,comment,share,hide}'::text[]) k;
             insert into ads.reactions select 3, '2026-02-01', k, 5 from unnest('{like,comment,share,hide}'::text[]) k;
             insert into ads.reactions select 1, '2026-02-02', k, 5 from unnest('{like,comment,share,hide}'::text[]) k",
        )
        .await;
    let ads = fixture.run().await.sources[0].clone();
    assert!(ads.read_all, "{ads:?}");
    assert_eq!(
        (ads.inserted, ads.updated, ads.deleted),
        (10, 2, 0),
        "{ads:?}"
    );
    idle.rollback().await.unwrap();
    fixture.verify().await;
}

#[tokio::test]
async fn twenty_years_of_months_fit() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads(
            "insert into ads.reactions select 1, day::date, 'like', 1
             from generate_series('2015-01-01'::timestamp, '2034-12-01', '1 month') day",
        )
        .await;
    fixture.run().await;
    assert_eq!(
        fixture
            .value("select count(*) >= 240 from pg_inherits where inhparent = 'core.fact_reaction'::regclass")
            .await,
        "true"
    );
    fixture
        .ads("update ads.reactions set reactions = 2 where ad_id = 1; delete from ads.reactions where day < '2020-01-01'")
        .await;
    let ads = fixture.run().await.sources[0].clone();
    assert_eq!((ads.updated, ads.deleted), (180, 60), "{ads:?}");
}

#[tokio::test]
async fn a_server_with_room_for_too_few_locks_is_told_what_to_set() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    // The setting itself takes a restart of a server that other tests share.
    let mut admin = sqlx::PgConnection::connect(&fixture.warehouse_url())
        .await
        .unwrap();
    sqlx::raw_sql(
        "create or replace function etl.lock_room(missing_partitions bigint, out needed bigint, out room bigint,
            out enough bigint) language sql stable as 'select 9000, 6400, 90'",
    )
    .execute(&mut admin)
    .await
    .unwrap();
    fixture
        .ads("insert into ads.ad_daily values (3, '2031-05-01', 1, 1, 0, 1, 'USD', '2031-05-02T03:00:00Z')")
        .await;
    let error = fixture.try_run().await.sources[0].error.clone().unwrap();
    assert!(
        error.contains("set max_locks_per_transaction to 90 or more"),
        "{error}"
    );
    assert_eq!(
        fixture
            .value("select to_regclass('core.fact_ad_daily_2031_05')")
            .await,
        "-"
    );
}

#[tokio::test]
async fn the_locks_that_a_merge_may_take_are_counted() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    assert_eq!(
        fixture
            .value(
                "select r.needed >= (select count(*) from pg_class where relnamespace = 'core'::regnamespace
                        and relkind in ('r', 'p', 'i', 'I')) + 1000
                    and r.room = current_setting('max_locks_per_transaction')::int
                        * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int)
                    and r.enough * (r.room / current_setting('max_locks_per_transaction')::int) >= r.needed
                 from etl.lock_room(1000) r"
            )
            .await,
        "true"
    );
}

#[tokio::test]
async fn statistics_that_fail_after_the_commit_fail_nothing_else() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let mut admin = sqlx::PgConnection::connect(&fixture.warehouse_url())
        .await
        .unwrap();
    sqlx::raw_sql(
        "create or replace function etl.analyze(for_target text, of_core boolean) returns void language plpgsql
         as $$ begin if of_core then raise 'no disk'; end if; end $$",
    )
    .execute(&mut admin)
    .await
    .unwrap();
    // Enough rows for new statistics.
    fixture
        .ads(
            "insert into ads.reactions select ad, '2016-01-01'::date + d, k, 1
             from generate_series(1, 3) ad, generate_series(0, 4499) d, unnest('{like,comment,share,hide}'::text[]) k
             on conflict do nothing",
        )
        .await;
    let report = fixture.try_run().await;
    assert_eq!(report.status, RunStatus::Succeeded, "{report:?}");
    assert!(report.sources[0].inserted > 50_000 - 4);
    assert!(
        report.sources[0].notices.iter().any(|notice| notice
            .contains("no fresh statistics of fact_reaction")
            && notice.contains("no disk")),
        "{report:?}"
    );
    assert!(report.marts_refreshed);
}
