//! Status history and audit, both by trigger.

use super::fixture::Fixture;

#[tokio::test]
async fn each_status_that_a_campaign_takes_is_kept() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    for status in ["active", "active", "paused"] {
        fixture
            .ads(&format!(
                "update ads.campaigns set status = '{status}' where campaign_id = 3"
            ))
            .await;
        fixture.run().await;
    }
    fixture
        .ads("delete from ads.campaigns where campaign_id = 3")
        .await;
    fixture.run().await;
    assert_eq!(
        fixture
            .value(
                "select string_agg(concat_ws('<', status, previous_status), ' ' order by observed_at, until nulls last)
                 from marts.campaign_status where campaign_id = 3"
            )
            .await,
        "draft active<draft paused<active deleted<paused"
    );
    assert_eq!(
        fixture
            .value(
                "select count(*) from marts.campaign_status where campaign_id = 3 and until is null"
            )
            .await,
        "1"
    );
}

#[tokio::test]
async fn sensitive_changes_are_audited_with_what_they_were() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    assert_eq!(
        fixture.value("select count(*) from audit.changes").await,
        "0"
    );
    fixture
        .ads("update ads.campaigns set budget = 2000, name = 'Nuevo' where campaign_id = 1")
        .await;
    fixture
        .crm(
            "update crm.customers set marketing_consent = false, segment = 'other' where customer_id = 1;
             update crm.products set list_price = 21 where product_id = 1;
             update crm.exchange_rates set usd_per_unit = 1.2 where currency = 'EUR';
             update crm.customers set segment = 'other' where customer_id = 2",
        )
        .await;
    fixture.run().await;
    assert_eq!(
        fixture
            .value(
                "select string_agg(concat_ws(' ', table_name, key, operation, before, after, role), '; ' order by change_id)
                 from audit.changes"
            )
            .await,
        "core.dim_campaign {\"campaign_id\": 1} UPDATE {\"budget\": 1000.00} {\"budget\": 2000.00} warehouse_etl; \
         core.exchange_rate {\"month\": \"2026-01-01\", \"currency\": \"EUR\"} UPDATE {\"usd_per_unit\": 1.10000000} \
         {\"usd_per_unit\": 1.20000000} warehouse_etl; \
         core.dim_customer {\"customer_id\": 1} UPDATE {\"marketing_consent\": true} {\"marketing_consent\": false} \
         warehouse_etl; \
         core.dim_product {\"product_id\": 1} UPDATE {\"list_price\": 20.00} {\"list_price\": 21.00} warehouse_etl"
    );
}
