//! A first load, and what follows when nothing, or something, has changed.

use sales_warehouse::etl::RunStatus;

use super::fixture::Fixture;

#[tokio::test]
async fn a_first_run_loads_everything_and_reconciles() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let report = fixture.run().await;
    let [ads, crm] = &report.sources[..] else {
        panic!("{report:?}");
    };
    assert_eq!((ads.source, crm.source), ("promptads", "promptcrm"));
    assert!(ads.read_all && crm.read_all && report.marts_refreshed);
    assert_eq!((ads.rows_read, ads.inserted), (20, 22), "{ads:?}");
    assert_eq!((crm.rows_read, crm.inserted), (18, 18), "{crm:?}");
    assert_eq!((ads.reconciled, crm.reconciled), (Some(true), Some(true)));
    for (query, expected) in [
        ("select sum(cost) from core.fact_ad_daily", "27.00"),
        (
            "select campaign_id from core.fact_sale where sale_id = 1 and line_no = 2",
            "1",
        ),
        (
            "select campaign_id from core.fact_sale where sale_id = 2",
            "-1",
        ),
        (
            "select channel_code from core.fact_lead where lead_id = 3",
            "none",
        ),
        (
            "select market_code from core.fact_lead where lead_id = 2",
            "US",
        ),
        (
            "select created_on from core.fact_lead where lead_id = 2",
            "2026-02-05",
        ),
        ("select sum(net_amount) from core.fact_sale", "67.50"),
        (
            "select content_id from core.fact_ad_daily where ad_id = 3",
            "city-skyline-night",
        ),
        (
            "select revenue_usd from marts.campaign_performance where campaign_id = 1",
            "52.80",
        ),
        (
            "select tableoid::regclass from core.fact_lead where lead_id = 1",
            "core.fact_lead_2026_01",
        ),
        ("select count(*) from etl.quarantine", "0"),
        (
            "select count(*) from pg_constraint where conrelid = 'core.fact_sale'::regclass
                and contype in ('p', 'f') and convalidated",
            "8",
        ),
    ] {
        assert_eq!(fixture.value(query).await, expected, "{query}");
    }
    fixture.verify().await;
}

#[tokio::test]
async fn an_empty_tick_reads_and_changes_nothing() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let report = fixture.run().await;
    assert_eq!(report.changed(), 0);
    assert!(!report.marts_refreshed);
    for source in &report.sources {
        assert_eq!(
            (source.rows_read, source.read_all),
            (0, false),
            "{source:?}"
        );
        assert_eq!(source.reconciled, None);
    }
}

#[tokio::test]
async fn no_personal_data_enters() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    assert_eq!(
        fixture
            .value(
                "select count(*) from information_schema.columns
                 where table_schema in ('staging', 'core', 'marts')
                    and (column_name like '%\\_enc' or column_name in ('email', 'phone', 'address'))"
            )
            .await,
        "0"
    );
}

#[tokio::test]
async fn empty_sources_are_no_fault() {
    let Some(fixture) = Fixture::empty().await else {
        return;
    };
    let report = fixture.run().await;
    assert_eq!((report.status, report.changed()), (RunStatus::Succeeded, 0));
    fixture.verify().await;
}

#[tokio::test]
async fn every_table_of_core_documents_its_grain() {
    let Some(fixture) = Fixture::empty().await else {
        return;
    };
    let silent = fixture
        .value(
            "select string_agg(c.relname, ', ') from pg_class c
             where c.relnamespace in ('core'::regnamespace, 'marts'::regnamespace)
                and c.relkind in ('r', 'p', 'm', 'v') and not c.relispartition
                and coalesce(obj_description(c.oid), '') not like 'Grain: %'",
        )
        .await;
    assert_eq!(silent, "-");
}
