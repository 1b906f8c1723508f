//! What would grow for ever is thrown away in time.

use super::fixture::Fixture;

const AGE: &str = "update ads.tombstones set changed_at = changed_at - interval '31 days'";

#[tokio::test]
async fn old_tombstones_go_and_a_reader_that_missed_them_reads_everything() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads("delete from ads.reactions where ad_id = 2")
        .await;
    fixture.ads(AGE).await;
    fixture
        .ads("delete from ads.ad_daily where ad_id = 2; select ads.prune_tombstones()")
        .await;
    let left: String = sqlx::query_scalar("select string_agg(table_name, ',') from ads.tombstones")
        .fetch_one(&fixture.world.sources.ads)
        .await
        .unwrap();
    assert_eq!(left, "ad_daily");
    let ads = fixture.run().await.sources[0].clone();
    assert!(ads.read_all, "{ads:?}");
    assert_eq!(ads.deleted, 2, "{ads:?}");
    fixture.verify().await;
    fixture.settle().await;
    fixture.run().await;
    // Whoever has read them need not.
    fixture.ads(AGE).await;
    fixture.ads("select ads.prune_tombstones()").await;
    assert!(!fixture.run().await.sources[0].read_all);
}

#[tokio::test]
async fn deletions_themselves_throw_old_tombstones_away() {
    let Some(fixture) = Fixture::empty().await else {
        return;
    };
    fixture
        .crm(
            "insert into crm.tombstones (table_name, pk, changed_at)
                values ('leads', '{}', now() - interval '31 days'), ('leads', '{}', now() - interval '29 days');
             insert into crm.exchange_rates select 'X' || n, '2026-01-01', 1 from generate_series(1, 1000) n;
             delete from crm.exchange_rates",
        )
        .await;
    let left: i64 =
        sqlx::query_scalar("select count(*) from crm.tombstones where table_name = 'leads'")
            .fetch_one(&fixture.world.sources.crm)
            .await
            .unwrap();
    assert_eq!(left, 1);
}

#[tokio::test]
async fn the_ledger_keeps_90_days_and_what_the_marts_need() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads("update ads.ad_daily set clicks = 5 where ad_id = 3")
        .await;
    fixture.run().await;
    fixture.run().await;
    // Three runs so far; the second refreshed the marts last.
    for (age, kept) in [("89 days", "1,2,3,4"), ("91 days", "2,3,4,5")] {
        let statement = format!("update etl.runs set started_at = now() - interval '{age}'");
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(&fixture.pool)
            .await
            .unwrap();
        let report = fixture.run().await;
        assert!(!report.marts_refreshed);
        assert_eq!(
            fixture
                .value("select string_agg(run_id::text, ',' order by run_id) from etl.runs")
                .await,
            kept,
            "{age}"
        );
    }
    assert_eq!(
        fixture
            .value("select min(run_id) from etl.table_runs")
            .await,
        "2"
    );
}
