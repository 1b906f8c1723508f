//! What changes between two runs, in whatever order.

use super::fixture::{Fixture, wait_until};

#[tokio::test]
async fn inserts_updates_and_deletes_arrive() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads(
            "insert into ads.ad_daily values (3, '2026-02-02', 1, 1, 0, 1, 'USD', '2026-02-03T03:00:00Z');
             update ads.ad_daily set cost = 9, corrected_at = '2026-02-09T00:00:00Z' where ad_id = 3 and day = '2026-02-01';
             delete from ads.ad_daily where ad_id = 1 and day = '2026-01-02'",
        )
        .await;
    let ads = fixture.run().await.sources[0].clone();
    assert_eq!(
        (ads.inserted, ads.updated, ads.deleted),
        (1, 1, 1),
        "{ads:?}"
    );
    assert_eq!(ads.reconciled, Some(true));
    assert_eq!(
        fixture
            .value("select sum(cost) from core.fact_ad_daily")
            .await,
        "23.75"
    );
    fixture.verify().await;
}

#[tokio::test]
async fn updated_then_deleted_between_ticks_is_gone() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .crm(
            "update crm.interactions set response_seconds = 5 where interaction_id = 2;
             delete from crm.interactions where interaction_id = 2;
             insert into crm.interactions values (9, 1, null, 'call', 'inbound', '2026-02-06T09:00:00Z', 1);
             delete from crm.interactions where interaction_id = 9",
        )
        .await;
    let crm = fixture.run().await.sources[1].clone();
    assert_eq!(
        (crm.inserted, crm.updated, crm.deleted),
        (0, 0, 1),
        "{crm:?}"
    );
    fixture.verify().await;
}

#[tokio::test]
async fn deleted_then_put_back_is_there() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads(
            "delete from ads.reactions where ad_id = 2;
             insert into ads.reactions values (2, '2026-01-31', 'like', 8)",
        )
        .await;
    fixture.run().await;
    assert_eq!(
        fixture
            .value("select reactions from core.fact_reaction where ad_id = 2")
            .await,
        "8"
    );
    fixture.verify().await;
}

#[tokio::test]
async fn a_row_that_moves_to_another_month_or_key_is_there_once() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .crm("update crm.leads set created_at = '2025-11-30T10:00:00Z' where lead_id = 1")
        .await;
    fixture
        .ads("update ads.ad_daily set day = '2026-03-01' where ad_id = 2")
        .await;
    fixture.run().await;
    assert_eq!(
        fixture
            .value("select string_agg(created_on::text, ',') from core.fact_lead where lead_id = 1")
            .await,
        "2025-11-30"
    );
    assert_eq!(
        fixture
            .value("select string_agg(day::text, ',') from core.fact_ad_daily where ad_id = 2")
            .await,
        "2026-03-01"
    );
    fixture.verify().await;
}

#[tokio::test]
async fn a_transaction_that_commits_late_is_not_missed() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let mut late = fixture.world.sources.ads.begin().await.unwrap();
    sqlx::query("update ads.ad_daily set clicks = 11 where ad_id = 1 and day = '2026-01-02'")
        .execute(&mut *late)
        .await
        .unwrap();
    // Others commit after it began: they are not held up by it.
    fixture
        .ads("update ads.ad_daily set clicks = 22 where ad_id = 1 and day = '2026-01-03'")
        .await;
    fixture.run().await;
    let clicks =
        "select string_agg(clicks::text, ',' order by day) from core.fact_ad_daily where ad_id = 1";
    assert_eq!(fixture.value(clicks).await, "10,22");
    late.commit().await.unwrap();
    let report = fixture.run().await;
    assert_eq!(fixture.value(clicks).await, "11,22");
    // What had been read already came again, and changed nothing.
    assert_eq!(report.sources[0].updated, 1, "{report:?}");
    fixture.verify().await;
}

#[tokio::test]
async fn a_lead_that_names_its_campaign_before_promptads_does_finds_it_later() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .crm(
            "insert into crm.leads values (4, 3, 'campaign', 'influencers', 'CMP-000004', 'MX', 50, 'new',
                '2026-02-08T10:00:00Z', null, null)",
        )
        .await;
    fixture.run().await;
    let lead = "select concat_ws(' ', campaign_id, channel_code, market_code) from core.fact_lead where lead_id = 4";
    assert_eq!(fixture.value(lead).await, "0 unknown ??");
    fixture
        .ads(
            "insert into ads.channels values ('influencers', 'Influencers', 'Influencers');
             insert into ads.markets values ('MX', 'Mexico', 'México', 'latin-america', 'MXN', 'es');
             insert into ads.campaigns values (4, 'CMP-000004', 'Late', 'leads', 'spring', 'active', 'MX', 1, 'MXN',
                '2026-02-01', '2035-03-01', '2026-01-20T10:00:00Z')",
        )
        .await;
    let report = fixture.run().await;
    assert!(report.sources[1].read_all, "{report:?}");
    assert_eq!(fixture.value(lead).await, "4 influencers MX");
    fixture.verify().await;
}

#[tokio::test]
async fn facts_follow_their_ad_campaign_and_lead() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads(
            "update ads.ads set campaign_id = 3, audience_id = 1, content_id = null where ad_id = 3;
             update ads.campaigns set code = 'CMP-OLD' where campaign_id = 1;
             update ads.campaigns set code = 'CMP-000001', market_code = 'ES' where campaign_id = 3",
        )
        .await;
    fixture
        .crm("update crm.leads set channel_code = 'social' where lead_id = 1")
        .await;
    fixture.run().await;
    for (query, expected) in [
        (
            "select concat_ws(' ', campaign_id, market_code, audience_id) from core.fact_ad_daily where ad_id = 3",
            "3 ES 1",
        ),
        (
            "select campaign_id from core.fact_lead where lead_id = 1",
            "3",
        ),
        (
            "select distinct campaign_id || channel_code from core.fact_sale where sale_id = 1",
            "3social",
        ),
        // Still in use by campaign 2.
        ("select count(*) from core.dim_content", "2"),
    ] {
        assert_eq!(fixture.value(query).await, expected, "{query}");
    }
    fixture
        .ads("delete from ads.campaign_content where campaign_id = 2")
        .await;
    fixture.run().await;
    assert_eq!(
        fixture.value("select count(*) from core.dim_content").await,
        "1"
    );
    fixture.verify().await;
}

#[tokio::test]
async fn a_campaign_that_is_deleted_leaves_its_leads_without_one() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads(
            "delete from ads.reactions where ad_id = 3; delete from ads.ad_daily where ad_id = 3;
             delete from ads.ads where ad_id = 3; delete from ads.campaign_content where campaign_id = 2;
             delete from ads.campaigns where campaign_id = 2",
        )
        .await;
    fixture.run().await;
    assert_eq!(
        fixture
            .value("select campaign_id from core.fact_lead where lead_id = 2")
            .await,
        "0"
    );
    fixture.verify().await;
}

#[tokio::test]
async fn a_code_that_passes_to_another_campaign_takes_its_leads_along() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    // At once: the one that bore it is gone, another bears it.
    fixture
        .ads(
            "delete from ads.reactions where ad_id = 3; delete from ads.ad_daily where ad_id = 3;
             delete from ads.ads where ad_id = 3; delete from ads.campaign_content where campaign_id = 2;
             delete from ads.campaigns where campaign_id = 2;
             update ads.campaigns set code = 'CMP-000002' where campaign_id = 3",
        )
        .await;
    fixture.run().await;
    for fact in ["fact_lead", "fact_opportunity"] {
        assert_eq!(
            fixture
                .value(&format!(
                    "select campaign_id from core.{fact} where lead_id = 2"
                ))
                .await,
            "3",
            "{fact}"
        );
    }
    fixture.verify().await;
}

#[tokio::test]
async fn a_row_that_is_inserted_with_a_marker_of_its_own_is_read() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    // As a tool does that copies whole rows from a backup.
    fixture
        .ads(
            "insert into ads.reactions (ad_id, day, kind, reactions, change_txid) values (1, '2026-01-02', 'like', 9, '3')",
        )
        .await;
    fixture
        .crm(
            "insert into crm.exchange_rates (currency, month, usd_per_unit, change_txid)
                values ('EUR', '2026-02-01', 1.2, '99999999999')",
        )
        .await;
    let report = fixture.run().await;
    assert_eq!(
        (report.sources[0].inserted, report.sources[1].inserted),
        (1, 1),
        "{report:?}"
    );
    let own: bool = sqlx::query_scalar(
        "select max(change_txid) <= pg_snapshot_xmax(pg_current_snapshot()) from crm.exchange_rates",
    )
    .fetch_one(&fixture.world.sources.crm)
    .await
    .unwrap();
    assert!(own, "it would be read for ever");
    fixture.verify().await;
}

#[tokio::test]
async fn lines_and_opportunities_are_found_by_their_change_indexes() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    fixture
        .crm(
            "insert into crm.leads select n, 1, 'website', null, null, 'ES', 1, 'new', '2026-01-01', null, null
                from generate_series(10, 20000) n;
             insert into crm.opportunities select n, 1, n, 'proposal', 1, 'USD', '2026-01-01', '2026-04-01', null, null
                from generate_series(10, 20000) n;
             insert into crm.sales select n, 1, n, null, 'ES', 'completed', 'EUR', 1, '2026-01-01', '2026-01-01'
                from generate_series(10, 20000) n;
             insert into crm.sale_lines select n, 1, 1, 1, 1, 0, 1, 'EUR' from generate_series(10, 20000) n;
             analyze",
        )
        .await;
    let mut connection = fixture.world.sources.crm.acquire().await.unwrap();
    let next: String = sqlx::query_scalar(
        "select set_config('warehouse.watermark', pg_current_xact_id()::text, false)",
    )
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    for (all, changed) in [
        (
            include_str!("../../../src/source/postgres/sale_lines.sql"),
            include_str!("../../../src/source/postgres/sale_lines_changed.sql"),
        ),
        (
            include_str!("../../../src/source/postgres/opportunities.sql"),
            include_str!("../../../src/source/postgres/opportunities_changed.sql"),
        ),
    ] {
        let statement = format!("explain {all} {changed}");
        let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        let plan = plan.join("\n");
        assert!(!plan.contains("Seq Scan"), "from {next}:\n{plan}");
        assert!(plan.contains("_change"), "{plan}");
    }
}

#[tokio::test]
async fn a_new_epoch_reads_everything_and_deletes_what_is_gone() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads(
            "truncate ads.reactions; insert into ads.reactions values (2, '2026-01-31', 'hide', 1)",
        )
        .await;
    let ads = fixture.run().await.sources[0].clone();
    assert!(ads.read_all, "{ads:?}");
    assert_eq!(
        (ads.inserted, ads.updated, ads.deleted),
        (1, 0, 2),
        "{ads:?}"
    );
    fixture.verify().await;
    let ads = fixture.run().await.sources[0].clone();
    assert!(!ads.read_all);
}

#[tokio::test]
async fn the_sources_clock_does_not_matter() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    // Business times far behind and ahead of everything read so far.
    fixture
        .ads(
            "insert into ads.ad_daily values (1, '2016-05-01', 1, 1, 1, 1, 'EUR', '2016-05-02T00:00:00Z'),
                (1, '2034-05-01', 1, 1, 1, 1, 'EUR', '2034-05-02T00:00:00Z');
             update ads.ad_daily set changed_at = '2001-01-01' where ad_id = 3",
        )
        .await;
    let ads = fixture.run().await.sources[0].clone();
    assert_eq!(ads.inserted, 2);
    assert_eq!(
        fixture
            .value("select count(*) from core.fact_ad_daily_default")
            .await,
        "0"
    );
    wait_until(
        &fixture.pool,
        "select to_regclass('core.fact_ad_daily_2034_05') is not null",
    )
    .await;
    fixture.verify().await;
}
