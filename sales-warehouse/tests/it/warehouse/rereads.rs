//! When everything is read again: the source cannot tell what happened since, or somebody asked.

use sales_warehouse::etl::{self, RunStatus, SourceReport};

use super::fixture::{Fixture, lock, wait_until};

const STUCK: &str = "select count(*) > 0 from pg_stat_activity
    where datname = current_database() and application_name = 'sales-warehouse etl' and wait_event_type = 'Lock'";
const ASKED: &str = "select read_all from etl.watermarks where source = 'promptads'";

fn says(report: &SourceReport, why: &str) {
    assert!(
        report.notices.iter().any(|notice| notice.contains(why)),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_source_that_was_rewound_is_read_whole() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    // As after a recovery in place: the watermark is of transactions that have not happened any more, and what
    // is written now bears ids below it.
    sqlx::query("update etl.watermarks set watermark = '1000000000000' where source = 'promptads'")
        .execute(&fixture.pool)
        .await
        .unwrap();
    fixture
        .ads("update ads.ad_daily set clicks = 77 where ad_id = 3")
        .await;
    let ads = fixture.run().await.sources[0].clone();
    assert!(ads.read_all, "{ads:?}");
    says(&ads, "rewound");
    assert_eq!(
        fixture
            .value("select clicks from core.fact_ad_daily where ad_id = 3")
            .await,
        "77"
    );
    fixture.verify().await;
}

#[tokio::test]
async fn the_epoch_tells_the_timeline() {
    let Some(fixture) = Fixture::empty().await else {
        return;
    };
    for (pool, schema) in [
        (&fixture.world.sources.ads, "ads"),
        (&fixture.world.sources.crm, "crm"),
    ] {
        let query = format!(
            "select epoch like '%/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) from {schema}.epoch"
        );
        let holds: bool = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_one(pool)
            .await
            .unwrap();
        assert!(holds, "{schema}");
    }
}

#[tokio::test]
async fn a_disagreement_fails_the_source_and_is_mended_by_the_next_run() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    // A row that was lost long ago, in a table that the next run touches.
    sqlx::query("delete from core.fact_sale where sale_id = 2")
        .execute(&fixture.pool)
        .await
        .unwrap();
    fixture
        .crm("update crm.sale_lines set unit_cost = 9 where sale_id = 1 and line_no = 1")
        .await;
    fixture.settle().await;
    let report = fixture.try_run().await;
    assert_eq!(report.status, RunStatus::Failed);
    let crm = &report.sources[1];
    assert_eq!(
        (crm.status, crm.reconciled),
        (RunStatus::Failed, Some(false))
    );
    let error = crm.error.clone().unwrap();
    assert!(error.contains("disagree on fact_sale"), "{error}");
    assert_eq!(
        fixture
            .value("select status from etl.source_runs where source = 'promptcrm' order by run_id desc limit 1")
            .await,
        "failed"
    );
    let report = fixture.run().await;
    assert!(report.sources[1].read_all, "{report:?}");
    assert_eq!(report.sources[1].inserted, 1, "{report:?}");
    fixture.verify().await;
    assert!(!fixture.run().await.sources[1].read_all);
}

#[tokio::test]
async fn a_request_made_during_a_run_is_met_by_the_next() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let ask = "update etl.watermarks set read_all = true where source = 'promptads'";
    for already_asked in [false, true] {
        if already_asked {
            sqlx::query(ask).execute(&fixture.pool).await.unwrap();
        }
        fixture
            .ads("update ads.ad_daily set clicks = clicks + 1 where ad_id = 3")
            .await;
        let mut holder = fixture.pool.begin().await.unwrap();
        lock(&mut holder, "core.fact_ad_daily").await;
        let (warehouse, configs) = (fixture.warehouse.clone(), fixture.configs.clone());
        let run = tokio::spawn(async move { etl::run_once(&warehouse, &configs).await });
        wait_until(&fixture.pool, STUCK).await;
        sqlx::query(ask).execute(&fixture.pool).await.unwrap();
        holder.rollback().await.unwrap();
        let report = run.await.unwrap().unwrap();
        assert_eq!(report.sources[0].read_all, already_asked, "{report:?}");
        assert_eq!(fixture.value(ASKED).await, "true");
        assert!(fixture.run().await.sources[0].read_all);
        assert_eq!(fixture.value(ASKED).await, "false");
    }
}
