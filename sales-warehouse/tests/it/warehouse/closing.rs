//! The batch that closes finished campaigns.

use super::fixture::Fixture;

const BOOKS: &str = "select string_agg(concat_ws(' ', campaign_id, ended_on, impressions, cost_usd, leads, revenue_usd), '; '
    order by campaign_id) from core.campaign_closeout";

#[tokio::test]
async fn finished_campaigns_are_closed_once_and_again_after_late_rows() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let report = fixture.run().await;
    assert_eq!(report.campaigns_closed, 1);
    // 19 euros at 1.1 dollars; 48 euros at 1.1.
    assert_eq!(fixture.value(BOOKS).await, "1 2026-02-01 600 20.90 1 52.80");
    fixture.settle().await;
    fixture.run().await;
    assert_eq!(fixture.run().await.campaigns_closed, 0);
    fixture
        .ads("insert into ads.ad_daily values (1, '2026-01-04', 400, 1, 0, 10, 'EUR', '2026-02-09T03:00:00Z')")
        .await;
    let report = fixture.run().await;
    assert_eq!(report.campaigns_closed, 1);
    assert_eq!(
        fixture.value(BOOKS).await,
        "1 2026-02-01 1000 31.90 1 52.80"
    );
    fixture
        .ads("update ads.campaigns set status = 'finished' where campaign_id = 2")
        .await;
    fixture
        .crm("update crm.sales set status = 'refunded' where sale_id = 1")
        .await;
    fixture.run().await;
    assert_eq!(
        fixture.value(BOOKS).await,
        "1 2026-02-01 1000 31.90 1 0.00; 2 2035-03-01 400 8.00 1 0.00"
    );
}

#[tokio::test]
async fn books_have_room_for_a_sum_that_no_rule_forbids() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    fixture
        .crm(
            "update crm.sale_lines set quantity = 2000000000, unit_price = 999999999999.99, discount = 0
             where sale_id = 1 and line_no = 1",
        )
        .await;
    let report = fixture.run().await;
    assert_eq!(report.campaigns_closed, 1);
    let revenue = "select revenue_usd > 1e21 from core.campaign_closeout where campaign_id = 1";
    assert_eq!(fixture.value(revenue).await, "true");
}

#[tokio::test]
async fn a_campaign_past_its_last_day_is_closed_whatever_its_status() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let mut connection = fixture.pool.acquire().await.unwrap();
    let closed: i32 = sqlx::query_scalar("call core.close_finished_campaigns('2035-03-02')")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(closed, 2);
}

#[tokio::test]
async fn books_are_opened_again_by_whatever_changes_a_sum() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    fixture.run().await;
    fixture.settle().await;
    fixture.run().await;
    for (system, change, books) in [
        // A day that is deleted.
        (
            "ads",
            "delete from ads.ad_daily where ad_id = 1 and day = '2026-01-03'",
            "1 2026-02-01 400 13.48 1 52.80",
        ),
        // A rate that is corrected.
        (
            "crm",
            "update crm.exchange_rates set usd_per_unit = 2 where currency = 'EUR'",
            "1 2026-02-01 400 24.50 1 96.00",
        ),
        // A day that breaks a rule, and leaves for quarantine.
        (
            "ads",
            "update ads.ad_daily set cost = -1 where ad_id = 2",
            "1 2026-02-01 100 10.50 1 96.00",
        ),
        // A lead that turns out to be of another campaign, with its sale.
        (
            "crm",
            "update crm.leads set campaign_code = 'CMP-000003' where lead_id = 1",
            "1 2026-02-01 100 10.50 0 0.00",
        ),
        // An ad that moves to another campaign, and its days with it.
        (
            "ads",
            "update ads.ads set campaign_id = 2 where ad_id = 1",
            "1 2026-02-01 0 0.00 0 0.00",
        ),
        (
            "crm",
            "update crm.leads set campaign_code = 'CMP-000001' where lead_id = 3",
            "1 2026-02-01 0 0.00 1 0.00",
        ),
        (
            "crm",
            "delete from crm.leads where lead_id = 3",
            "1 2026-02-01 0 0.00 0 0.00",
        ),
    ] {
        match system {
            "ads" => fixture.ads(change).await,
            _ => fixture.crm(change).await,
        }
        fixture.settle().await;
        let report = fixture.run().await;
        assert!(!report.sources.iter().any(|s| s.read_all), "{report:?}");
        assert_eq!(fixture.value(BOOKS).await, books, "{change}");
        // Read a second time, it may close again, and comes to the same.
        fixture.run().await;
        assert_eq!(fixture.value(BOOKS).await, books, "{change}");
    }
}
