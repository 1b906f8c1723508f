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
