//! A full read into a warehouse that holds little: facts are filled, not merged.

use super::fixture::Fixture;

/// Far more than the fixture's rows, some of which change or go with it.
const MORE: &str = "
    truncate ads.reactions;
    insert into ads.ad_daily select 1, '2026-03-01'::date + d, 7, 6, 5, 4, 'EUR', '2026-09-01' from generate_series(0, 99) d;
    insert into ads.reactions select 1, '2026-03-01'::date + d, 'like', 2 from generate_series(0, 49) d;
    update ads.ad_daily set clicks = 99 where ad_id = 3;
    update ads.ad_daily set cost = -1 where ad_id = 2;
    delete from ads.ad_daily where ad_id = 1 and day = '2026-01-02'";
/// Everything that makes a fact what it is.
const SHAPE: &str = "select string_agg(x, '; ' order by x) from (
    select concat_ws(' ', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid)) x from pg_constraint
    where conrelid in ('core.fact_ad_daily'::regclass, 'core.fact_ad_daily_2026_01'::regclass) and contype <> 'c'
    union all select pg_get_indexdef(indexrelid) from pg_index
    where indrelid in ('core.fact_ad_daily'::regclass, 'core.fact_reaction'::regclass)) y";

#[tokio::test]
async fn counts_are_those_of_a_merge_and_keys_and_indexes_stay() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let shape = fixture.value(SHAPE).await;
    let before = fixture
        .value("select relfilenode from pg_class where oid = 'core.fact_ad_daily_2026_01_pkey'::regclass")
        .await;
    fixture.ads(MORE).await;
    let ads = fixture.run().await.sources[0].clone();
    assert!(ads.read_all, "{ads:?}");
    // One day gone at the source, one rejected, two reactions gone.
    assert_eq!(
        (ads.inserted, ads.updated, ads.deleted, ads.quarantined),
        (150, 1, 4, 1),
        "{ads:?}"
    );
    assert_eq!(
        fixture
            .value(
                "select concat_ws(' ', inserted, updated, deleted, quarantined, source_rows, core_rows, rejected_rows)
                 from etl.table_runs where target = 'fact_ad_daily' order by run_id desc limit 1"
            )
            .await,
        "100 1 2 1 103 102 1"
    );
    let after = fixture
        .value("select relfilenode from pg_class where relname = 'fact_ad_daily_2026_01_pkey'")
        .await;
    assert_ne!(
        before, after,
        "the keys were not made anew: nothing was filled"
    );
    assert_eq!(fixture.value(SHAPE).await, shape);
    fixture.verify().await;
}

#[tokio::test]
async fn who_holds_an_older_snapshot_still_sees_the_old_rows() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let mut reader = fixture.pool.begin().await.unwrap();
    // The snapshot is taken, and no lock on any fact.
    sqlx::raw_sql("set transaction isolation level repeatable read; select count(*) from etl.runs")
        .execute(&mut *reader)
        .await
        .unwrap();
    fixture.ads(MORE).await;
    let ads = fixture.run().await.sources[0].clone();
    assert_eq!(ads.inserted, 150, "{ads:?}");
    let seen: (i64, String) =
        sqlx::query_as("select count(*), sum(clicks)::text from core.fact_ad_daily")
            .fetch_one(&mut *reader)
            .await
            .unwrap();
    assert_eq!(seen, (4, "100".to_owned()));
    reader.rollback().await.unwrap();
}
