//! Each shape of query against SQL written by hand.

use sales_questions::compiling::MAX_ROWS;
use serde_json::json;

use super::world::{Sample, sample};

#[tokio::test]
async fn queries_give_what_hand_written_sql_gives() {
    let Some(sample) = sample().await else {
        return;
    };
    sample.questions.check().await.unwrap();
    filters(&sample).await;
    facts_meet_without_fan_out(&sample).await;
    time(&sample).await;
    comparisons(&sample).await;
    ranks(&sample).await;
    members_without_rows(&sample).await;
    values_stay_values(&sample).await;
    bounds(&sample).await;
}

async fn filters(sample: &Sample) {
    sample
        .same(
            json!({"metrics": ["leads"], "dimensions": ["channel"], "filters": [
                {"field": "market", "op": "in", "value": ["ES", "MX"]},
                {"field": "channel", "op": "!=", "value": "none"}]}),
            "select channel_code as a, count(*) as b from core.fact_lead
             where market_code in ('ES', 'MX') and channel_code <> 'none'
             group by 1 order by 2 desc, a",
        )
        .await;
    sample
        .same(
            json!({"metrics": ["clicks"], "dimensions": ["campaign"], "filters": [
                {"field": "clicks", "op": ">", "value": 100},
                {"field": "status", "op": "not_in", "value": ["draft", "paused"]}]}),
            "select campaign_code as a, sum(clicks) as b
             from core.fact_ad_daily join core.dim_campaign as c using (campaign_id)
             where c.status not in ('draft', 'paused')
             group by 1 having sum(clicks) > 100 order by 2 desc, a",
        )
        .await;
    // Over customers; of those without a size there is no row.
    sample
        .same(
            json!({"metrics": ["interactions"], "dimensions": ["company_size"],
                "filters": [{"field": "market", "op": "=", "value": "MX"}]}),
            "select k.company_size as a, count(*) as b
             from core.fact_interaction join core.dim_customer as k using (customer_id)
             where k.country = 'MX' and k.company_size is not null
             group by 1 order by 2 desc, a",
        )
        .await;
}

async fn facts_meet_without_fan_out(sample: &Sample) {
    sample
        .same(
            json!({"metrics": ["spend", "leads", "cost_per_lead"], "dimensions": ["market"]}),
            "with s as (select market_code, sum(cost * usd_per_unit) as usd from core.fact_ad_daily as f
                 left join core.exchange_rate as x on x.currency = f.currency
                     and x.month = date_trunc('month', day)::date group by 1),
               l as (select market_code, count(*) as leads from core.fact_lead group by 1)
             select market_code as a, coalesce(usd, 0) as b, coalesce(leads, 0) as c, coalesce(usd, 0) / nullif(leads, 0) as d
             from s full join l using (market_code) order by 2 desc, a",
        )
        .await;
    // Without a dimension; counted apart in the total and in each group.
    sample
        .same(
            json!({"metrics": ["customers", "sales", "average_order_value"]}),
            "select count(distinct customer_id) as a, count(distinct sale_id) as b,
                 sum(net_amount * usd_per_unit) / count(distinct sale_id) as c
             from core.fact_sale as f left join core.exchange_rate as x on x.currency = f.currency
                 and x.month = date_trunc('month', sold_on)::date
             where status = 'completed'",
        )
        .await;
    // Over ads, since campaigns know no channel.
    sample
        .same(
            json!({"metrics": ["campaigns"], "dimensions": ["channel"],
                "time": {"from": "2026-01-01", "to": null}}),
            "select channel_code as a, count(distinct campaign_id) as b
             from core.dim_ad join core.dim_campaign using (campaign_id)
             where start_date >= '2026-01-01' group by 1 order by 2 desc, a",
        )
        .await;
}

async fn time(sample: &Sample) {
    sample
        .same(
            json!({"metrics": ["churned_subscriptions"], "grain": "quarter",
                "time": {"from": "2026-01-01", "to": "2026-07-01"}}),
            "select q::date as a, (select count(*) from core.fact_subscription
                 where cancelled_on >= q and cancelled_on < q + interval '3 months') as b
             from generate_series(timestamp '2026-01-01', '2026-04-01', '3 months') as q order by 1",
        )
        .await;
    // Without gaps, and no further than today.
    sample
        .same(
            json!({"metrics": ["opportunities"], "grain": "day",
                "time": {"from": "2026-11-01", "to": "2027-01-01"},
                "filters": [{"field": "market", "op": "=", "value": "ES"}]}),
            "select d::date as a, (select count(*) from core.fact_opportunity
                 where created_on = d and market_code = 'ES') as b
             from generate_series(timestamp '2026-11-01', '2026-11-22', '1 day') as d order by 1",
        )
        .await;
    // What runs on a day of the month counts in it.
    sample
        .same(
            json!({"metrics": ["active_campaigns"], "grain": "month",
                "time": {"from": "2026-08-10", "to": "2026-11-01"}}),
            "select date_trunc('month', f)::date as a, (select count(*) from core.dim_campaign
                 where campaign_id > 0 and status <> 'draft' and start_date < t and end_date >= f) as b
             from (values (date '2026-08-10', date '2026-09-01'), ('2026-09-01', '2026-10-01'),
                 ('2026-10-01', '2026-11-01')) as m (f, t) order by 1",
        )
        .await;
    sample
        .same(
            json!({"metrics": ["active_campaigns"], "dimensions": ["channel"],
                "time": {"from": "2026-08-01", "to": "2026-09-01"}}),
            "select channel_code as a, count(distinct campaign_id) as b
             from core.dim_ad join core.dim_campaign as c using (campaign_id)
             where c.status <> 'draft' and start_date < '2026-09-01' and end_date >= '2026-08-01'
             group by 1 order by 2 desc, a",
        )
        .await;
    sample
        .same(
            json!({"metrics": ["cumulative_revenue"], "grain": "month",
                "time": {"from": "2026-06-01", "to": "2026-11-01"}}),
            "with m as (select date_trunc('month', sold_on)::date as m, sum(net_amount * usd_per_unit) as usd
                 from core.fact_sale as f left join core.exchange_rate as x on x.currency = f.currency
                     and x.month = date_trunc('month', sold_on)::date
                 where status = 'completed' and sold_on >= '2026-06-01' and sold_on < '2026-11-01' group by 1)
             select m as a, sum(usd) over (order by m) as b from m order by 1",
        )
        .await;
}

async fn comparisons(sample: &Sample) {
    sample
        .same(
            json!({"metrics": ["sales"], "dimensions": ["category"], "compare": "previous_period",
                "time": {"from": "2026-07-01", "to": "2026-10-01"},
                "order": [{"by": "sales", "dir": "desc", "measure": "change"}]}),
            "with s as (select category, count(distinct sale_id) filter (where sold_on >= '2026-07-01') as now,
                 count(distinct sale_id) filter (where sold_on < '2026-07-01') as before
                 from core.fact_sale join core.dim_product using (product_id)
                 where status = 'completed' and sold_on >= '2026-04-01' and sold_on < '2026-10-01' group by 1)
             select category as a, now as b, before as c, now - before as d,
                 (now - before) / nullif(before, 0)::numeric as e
             from s order by 4 desc, a",
        )
        .await;
    // Each month against the one before.
    sample
        .same(
            json!({"metrics": ["leads"], "compare": "previous_period", "grain": "month",
                "time": {"from": "2026-05-01", "to": "2026-08-01"}}),
            "with s as (select date_trunc('month', created_on)::date as m, count(*) as leads
                 from core.fact_lead group by 1)
             select s.m as a, s.leads as b, p.leads as c, s.leads - p.leads as d,
                 (s.leads - p.leads) / p.leads::numeric as e
             from s join s as p on p.m = s.m - interval '1 month'
             where s.m >= '2026-05-01' and s.m < '2026-08-01' order by 1",
        )
        .await;
    // The filter on the dimension leaves the total as it is.
    sample
        .same(
            json!({"metrics": ["leads"], "dimensions": ["channel"], "compare": "share_of_total",
                "filters": [{"field": "channel", "op": "=", "value": "linkedin"},
                    {"field": "market", "op": "=", "value": "ES"}]}),
            "select 'linkedin' as a, count(*) filter (where channel_code = 'linkedin') as b,
                 count(*) filter (where channel_code = 'linkedin') / count(*)::numeric as c
             from core.fact_lead where market_code = 'ES'",
        )
        .await;
}

async fn ranks(sample: &Sample) {
    sample
        .same(
            json!({"metrics": ["units"], "dimensions": ["market", "product"], "limit": 2,
                "order": [{"by": "units", "dir": "desc", "within": "market"}]}),
            "with u as (select market_code, sku, sum(quantity) as units,
                 row_number() over (partition by market_code order by sum(quantity) desc, sku) as n
                 from core.fact_sale join core.dim_product using (product_id)
                 where status = 'completed' group by 1, 2)
             select market_code as a, sku as b, units as c from u where n <= 2
             order by market_code, n",
        )
        .await;
    sample
        .same(
            json!({"metrics": ["cpc"], "dimensions": ["channel"], "limit": 3,
                "order": [{"by": "cpc", "dir": "asc"}]}),
            "select channel_code as a, sum(cost * usd_per_unit) / nullif(sum(clicks), 0) as b
             from core.fact_ad_daily as f left join core.exchange_rate as x on x.currency = f.currency
                 and x.month = date_trunc('month', day)::date
             group by 1 order by 2 nulls last, a limit 3",
        )
        .await;
}

async fn members_without_rows(sample: &Sample) {
    sample
        .same(
            json!({"metrics": ["sales"], "dimensions": ["campaign"],
                "filters": [{"field": "sales", "op": "=", "value": 0},
                    {"field": "market", "op": "in", "value": ["MX", "US", "ES", "CO", "CL"]}],
                "time": {"from": "2026-11-15", "to": "2026-11-20"}}),
            "select campaign_code as a, 0 as b from core.dim_campaign as c
             where campaign_id > 0 and market_code in ('MX', 'US', 'ES', 'CO', 'CL')
                 and not exists (select from core.fact_sale as f where f.campaign_id = c.campaign_id
                     and status = 'completed' and sold_on >= '2026-11-15' and sold_on < '2026-11-20')
             order by 1",
        )
        .await;
    // A list has no numbers.
    sample
        .same(
            json!({"dimensions": ["campaign", "market"],
                "filters": [{"field": "status", "op": "=", "value": "finished"}]}),
            "select campaign_code as a, market_code as b from core.dim_campaign
             where campaign_id > 0 and status = 'finished' order by 1, 2",
        )
        .await;
}

async fn values_stay_values(sample: &Sample) {
    for value in [
        "'; drop table core.fact_sale; --",
        "x' or '1'='1",
        "$1",
        "\\'; select pg_sleep(9); --",
        "%",
    ] {
        let rows = sample
            .rows(json!({"metrics": ["sales"], "dimensions": ["campaign"],
                "filters": [{"field": "campaign", "op": "=", "value": value}]}))
            .await;
        assert!(rows.is_empty(), "{value}: {rows:?}");
    }
    let rows = sample.rows(json!({"metrics": ["sales"]})).await;
    assert!(rows[0][0].as_i64().unwrap() > 0);
}

async fn bounds(sample: &Sample) {
    let answer = sample
        .ask(json!({"metrics": ["impressions"], "dimensions": ["campaign"], "grain": "day"}))
        .await;
    assert!(answer.truncated);
    assert_eq!(answer.rows.len(), MAX_ROWS as usize);
    assert!(answer.notes.iter().any(|note| note.contains("more rows")));

    let nothing = sample
        .ask(json!({"metrics": ["revenue"], "dimensions": ["market"],
            "time": {"from": "2016-01-01", "to": "2016-02-01"}}))
        .await;
    assert!(nothing.rows.is_empty());
    assert!(
        nothing.sentence.contains("January 2016"),
        "{}",
        nothing.sentence
    );

    let zero = sample
        .ask(json!({"metrics": ["roas"], "time": {"from": "2016-01-01", "to": "2016-02-01"}}))
        .await;
    assert_eq!(json!(zero.rows), json!([[null]]));
    assert!(
        zero.notes[0].contains("division by zero"),
        "{:?}",
        zero.notes
    );
}
