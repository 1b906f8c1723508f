//! Rows that break a rule are kept aside, counted, and tried again.

use super::fixture::Fixture;

const OPEN: &str = "select string_agg(concat_ws(' ', target, reasons::text, rejected), '; ' order by target, key::text)
    from etl.quarantine";

#[tokio::test]
async fn every_kind_of_fault_has_its_reason() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    for (statement, expected) in [
        (
            "update ads.ad_daily set currency = 'XXX' where ad_id = 3",
            "fact_ad_daily {unknown-currency} t",
        ),
        (
            "update ads.ad_daily set currency = 'USD', cost = -1 where ad_id = 3",
            "fact_ad_daily {negative-money} t",
        ),
        (
            "update ads.ad_daily set cost = 'NaN' where ad_id = 3",
            "fact_ad_daily {negative-money} t",
        ),
        (
            "update ads.ad_daily set cost = 1, clicks = -1 where ad_id = 3",
            "fact_ad_daily {negative-count} t",
        ),
        (
            "update ads.ad_daily set clicks = 1, day = '0001-01-01' where ad_id = 3",
            "fact_ad_daily {date-out-of-range} t",
        ),
        (
            "update ads.ad_daily set day = '9999-12-31' where ad_id = 3",
            "fact_ad_daily {date-out-of-range} t",
        ),
        (
            "update ads.ad_daily set day = 'infinity' where ad_id = 3",
            "fact_ad_daily {date-out-of-range} t",
        ),
        (
            "update ads.ad_daily set day = '0044-03-15 BC', cost = -2 where ad_id = 3",
            "fact_ad_daily {date-out-of-range,negative-money} t",
        ),
    ] {
        fixture.ads(statement).await;
        let report = fixture.run().await;
        assert_eq!(report.sources[0].quarantined, 1, "{statement}");
        assert_eq!(fixture.value(OPEN).await, expected, "{statement}");
        assert_eq!(
            fixture
                .value("select count(*) from core.fact_ad_daily")
                .await,
            "3",
            "{statement}"
        );
    }
    fixture.verify().await;
    fixture
        .ads("update ads.ad_daily set day = '2026-02-01', cost = 8 where ad_id = 3")
        .await;
    fixture.run().await;
    assert_eq!(fixture.value(OPEN).await, "-");
    assert_eq!(
        fixture
            .value("select count(*) from core.fact_ad_daily")
            .await,
        "4"
    );
    fixture.verify().await;
}

#[tokio::test]
async fn promptcrms_faults_are_caught_too() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .crm(
            "update crm.leads set score = 101 where lead_id = 3;
             update crm.interactions set occurred_at = '9999-12-31T00:00:00Z' where interaction_id = 1;
             update crm.opportunities set amount = -1;
             update crm.sale_lines set discount = 1000 where sale_id = 1 and line_no = 1;
             update crm.subscriptions set currency = 'eur', started_on = '1066-10-14';
             insert into crm.exchange_rates values ('QQQ', '2026-01-01', 1)",
        )
        .await;
    let report = fixture.run().await;
    assert_eq!(
        (report.sources[1].quarantined, report.sources[1].deleted),
        (6, 5),
        "{report:?}"
    );
    assert_eq!(
        fixture.value(OPEN).await,
        "exchange_rate {unknown-currency} t; fact_interaction {date-out-of-range} t; \
         fact_lead {value-out-of-range} t; fact_opportunity {negative-money} t; fact_sale {negative-money} t; \
         fact_subscription {unknown-currency,date-out-of-range} t"
            .replace("{unknown-currency,date-out-of-range}", "{date-out-of-range,unknown-currency}")
    );
    fixture.verify().await;
}

#[tokio::test]
async fn a_dimensions_row_is_admitted_without_the_values_that_offend() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads(
            "update ads.campaigns set budget = -5, currency = '???', end_date = '9999-12-31', name = repeat('ñ', 1000000)
             where campaign_id = 2",
        )
        .await;
    fixture.run().await;
    assert_eq!(
        fixture.value(OPEN).await,
        "dim_campaign {text-too-long,unknown-currency,negative-money,date-out-of-range} f"
    );
    assert_eq!(
        fixture
            .value(
                "select concat_ws('/', length(name), coalesce(budget, 0), coalesce(currency, '-'),
                    coalesce(end_date, '2000-01-01')) from core.dim_campaign where campaign_id = 2"
            )
            .await,
        "300/0/-/2000-01-01"
    );
    // Its facts still have their parent, and quarantine keeps no megabyte.
    assert_eq!(
        fixture
            .value("select count(*) from core.fact_ad_daily")
            .await,
        "4"
    );
    assert_eq!(
        fixture
            .value("select length(payload->>'name') from etl.quarantine")
            .await,
        "200"
    );
    fixture.verify().await;
}

#[tokio::test]
async fn a_row_without_its_parent_waits_for_it() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads(
            "alter table ads.ad_daily drop constraint ad_daily_ad_id_fkey;
             insert into ads.ad_daily values (77, '2026-02-01', 1, 1, 1, 1.50, 'USD', '2026-02-02T03:00:00Z')",
        )
        .await;
    let report = fixture.run().await;
    assert_eq!(report.sources[0].quarantined, 1);
    assert_eq!(
        fixture.value(OPEN).await,
        "fact_ad_daily {missing-parent} t"
    );
    fixture.verify().await;
    // The parent comes; its child has not changed since.
    fixture.settle().await;
    fixture.run().await;
    fixture
        .ads("insert into ads.ads values (77, 2, 'email', 1, null, 'Late', 'en', 'active', '2026-01-20T10:00:00Z')")
        .await;
    fixture.run().await;
    assert_eq!(fixture.value(OPEN).await, "-");
    assert_eq!(
        fixture
            .value("select campaign_id || '/' || cost from core.fact_ad_daily where ad_id = 77")
            .await,
        "2/1.50"
    );
    fixture.verify().await;
    // The parent goes and leaves it behind.
    fixture.ads("delete from ads.ads where ad_id = 77").await;
    let report = fixture.run().await;
    assert!(report.sources[0].read_all, "{report:?}");
    assert_eq!(
        fixture.value(OPEN).await,
        "fact_ad_daily {missing-parent} t"
    );
    fixture.verify().await;
    fixture
        .ads("delete from ads.ad_daily where ad_id = 77")
        .await;
    fixture.run().await;
    assert_eq!(fixture.value(OPEN).await, "-");
}
