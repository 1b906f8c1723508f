//! A source whose tables change shape.

use sales_warehouse::etl::RunStatus;

use super::fixture::Fixture;

#[tokio::test]
async fn a_new_column_is_told_of_and_stops_nothing() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads("alter table ads.ads add column placement text; update ads.ads set name = 'new' where ad_id = 1")
        .await;
    let ads = fixture.run().await.sources[0].clone();
    assert_eq!(
        ads.notices,
        ["column ads.placement (text) is new and not read"]
    );
    assert_eq!(ads.updated, 1);
    assert_eq!(
        fixture
            .value("select notices[1] from etl.source_runs where source = 'promptads' order by run_id desc limit 1")
            .await,
        "column ads.placement (text) is new and not read"
    );
}

#[tokio::test]
async fn a_changed_type_stops_that_source_and_no_other() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads("alter table ads.ad_daily alter column clicks type numeric; update ads.ad_daily set clicks = 5")
        .await;
    fixture
        .crm("update crm.leads set score = 99 where lead_id = 3")
        .await;
    let report = fixture.try_run().await;
    assert_eq!(report.status, RunStatus::Failed);
    let error = report.sources[0].error.clone().unwrap();
    assert!(
        error.contains("column ad_daily.clicks is numeric, expected bigint"),
        "{error}"
    );
    assert_eq!(report.sources[1].updated, 1);
    assert!(report.marts_refreshed);
    // Mended, it is read from where it was left.
    fixture
        .ads("alter table ads.ad_daily alter column clicks type bigint")
        .await;
    fixture.run().await;
    assert_eq!(
        fixture
            .value("select max(clicks) from core.fact_ad_daily")
            .await,
        "5"
    );
    fixture.verify().await;
}

#[tokio::test]
async fn a_missing_column_or_table_stops_that_source() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .crm("alter table crm.leads rename column score to points; alter table crm.sales rename to orders")
        .await;
    let report = fixture.try_run().await;
    let error = report.sources[1].error.clone().unwrap();
    for part in ["column leads.score is gone", "table sales is gone"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(report.sources[0].status, RunStatus::Succeeded);
    assert_eq!(
        fixture
            .value("select status from etl.source_runs where source = 'promptcrm' order by run_id desc limit 1")
            .await,
        "failed"
    );
}
