//! Marts follow each change of core, and come to what a query over core comes to.

use sales_warehouse::{
    demo::{self, Existing, LoadPlan},
    etl::RunStatus,
};
use sqlx::AssertSqlSafe;
use time::macros::datetime;

use super::fixture::{Fixture, execute};
use crate::world::keyring;

const NOW: time::OffsetDateTime = datetime!(2026-03-15 10:00 UTC);
const MARTS: [&str; 7] = [
    "campaign_performance",
    "funnel",
    "monthly_sales",
    "content_performance",
    "first_sale",
    "ad_months",
    "sales",
];

/// What the semantic model reads added up, from what it reads otherwise.
const ROLLUPS: [&str; 2] = [
    "create view expected.ad_months as
     select ad_id, date_trunc('month', day::timestamp)::date as day, campaign_id, channel_code, market_code, audience_id,
        content_id, sum(impressions) as impressions, sum(clicks) as clicks, sum(conversions) as conversions,
        sum(cost_usd) as cost_usd
     from marts.ad_days group by 1, 2, 3, 4, 5, 6, 7",
    // One row a sale, whatever its lines say of it.
    "create view expected.sales as
     select sale_id, min(sold_on) as sold_on, min(customer_id) as customer_id, min(campaign_id) as campaign_id,
        min(channel_code) as channel_code, min(market_code) as market_code, min(lead_id) as lead_id, min(status) as status,
        sum(quantity) as quantity, sum(net_usd) as net_usd, sum(cost_usd) as cost_usd, sum(discount_usd) as discount_usd,
        bool_or(first_sale) as first_sale
     from marts.sale_lines group by sale_id",
];

/// The marts as queries over core: as the migrations that introduced them have them.
async fn define_expected(fixture: &Fixture) {
    execute(&fixture.pool, "create schema expected").await;
    let mut defined = 0;
    for migration in [
        include_str!("../../../migrations/0012_marts.sql"),
        include_str!("../../../migrations/0015_question_views.sql"),
    ] {
        for statement in migration.split(';') {
            let Some(at) = statement.find("CREATE MATERIALIZED VIEW marts.") else {
                continue;
            };
            let statement = statement[at..]
                .replace("CREATE MATERIALIZED VIEW marts.", "CREATE VIEW expected.")
                .replace("WITH NO DATA", "");
            execute(&fixture.pool, &statement).await;
            defined += 1;
        }
    }
    for rollup in ROLLUPS {
        execute(&fixture.pool, rollup).await;
        defined += 1;
    }
    assert_eq!(defined, MARTS.len());
}

async fn differing(fixture: &Fixture) -> Vec<String> {
    let mut differing = Vec::new();
    for mart in MARTS {
        let rows = fixture
            .value(&format!("select count(*) from marts.{mart}"))
            .await;
        assert_ne!(rows, "0", "{mart}");
        let query = format!(
            "select coalesce(jsonb_agg(to_jsonb(d)), '[]') from (
                (select 'mart', m.* from marts.{mart} m except all select 'mart', e.* from expected.{mart} e)
                union all
                (select 'core', e.* from expected.{mart} e except all select 'core', m.* from marts.{mart} m)) d"
        );
        let rows: serde_json::Value = sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_one(&fixture.pool)
            .await
            .unwrap();
        if rows != serde_json::json!([]) {
            differing.push(format!("{mart}: {rows}"));
        }
    }
    let totals = "select string_agg(target, ' ') from (
        select target, facts, measure from totals.facts except
        select t.target, c.core_rows, c.core_sum::numeric from etl.targets t,
            lateral (select * from expected.totals(t.target)) c) d";
    let facts = fixture.value(totals).await;
    if facts != "-" {
        differing.push(format!("totals of {facts}"));
    }
    differing
}

/// Counts and sums of facts as the first version of `etl.core_totals` took them: from core.
const COUNT: &str = "create function expected.totals(t text, out core_rows bigint, out core_sum text) language plpgsql as $$
    begin
        execute format('select count(*), coalesce(sum(%s), 0)::text from core.%I',
            coalesce((select measure from etl.targets where target = t), '0'), t) into core_rows, core_sum;
    end $$";

async fn sample() -> Option<Fixture> {
    let fixture = Fixture::empty().await?;
    let plan = LoadPlan {
        campaigns_finished: 10,
        campaigns_active: 30,
        customers: 400,
        seed: 7,
        today: NOW.date(),
    };
    let keyring = keyring();
    demo::load(
        &fixture.world.sources,
        &keyring,
        &plan,
        Existing::Refuse,
        &|_| {},
    )
    .await
    .unwrap();
    define_expected(&fixture).await;
    execute(&fixture.pool, COUNT).await;
    Some(fixture)
}

#[tokio::test]
async fn marts_equal_a_rebuild_after_random_ticks() {
    let Some(fixture) = sample().await else {
        return;
    };
    fixture.run().await;
    assert_eq!(differing(&fixture).await, Vec::<String>::new());
    let seed = std::env::var("SALES_WAREHOUSE_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| u64::from(std::process::id()));
    println!("SALES_WAREHOUSE_TEST_SEED={seed}");
    let keyring = keyring();
    for tick in 0..3 {
        let changes = 300 * (tick + 1);
        demo::tick(&fixture.world.sources, &keyring, changes, seed + tick, NOW)
            .await
            .unwrap();
        assert!(fixture.run().await.changed() > 0);
        assert_eq!(
            differing(&fixture).await,
            Vec::<String>::new(),
            "tick {tick}, seed {seed}"
        );
    }
    fixture.verify().await;
}

/// What ticks of the demonstration never do, each followed by a run.
#[tokio::test]
async fn marts_follow_what_moves_and_goes() {
    let Some(fixture) = sample().await else {
        return;
    };
    fixture.run().await;
    let ads = [
        // The last day of campaigns goes, comes back, and an ad takes its days to another campaign.
        "delete from ads.ad_daily d using (select a.campaign_id, max(day) as day from ads.ad_daily
            join ads.ads a using (ad_id) where a.campaign_id % 3 = 0 group by 1) l, ads.ads a
            where a.ad_id = d.ad_id and a.campaign_id = l.campaign_id and d.day = l.day",
        "update ads.ads set campaign_id = (select max(campaign_id) from ads.campaigns) where ad_id % 5 = 0",
        "update ads.campaigns set code = code || '-x' where campaign_id % 4 = 0",
        "update ads.ads set content_id = null where ad_id % 7 = 0",
    ];
    for statement in ads {
        fixture.ads(statement).await;
        assert!(fixture.run().await.changed() > 0, "{statement}");
        let differing = differing(&fixture).await;
        assert_eq!(differing, Vec::<String>::new(), "{statement}");
    }
    let crm = [
        "update crm.products set category = 'other' where product_id % 2 = 0",
        "update crm.exchange_rates set usd_per_unit = usd_per_unit * 1.5",
        // Customers buy for the first time later, or not at all, and a sale moves to another month.
        "update crm.sales set status = 'refunded' where sale_id in
            (select min(sale_id) from crm.sales group by customer_id)",
        "update crm.sales set sold_at = sold_at - interval '40 days' where sale_id % 3 = 0",
        // A later sale comes on the day of the first, then before it on that day, then to another customer.
        "update crm.sales s set status = 'completed', sold_at = f.day + interval '12 hours' from (
            select customer_id, min(sale_id) as sale_id, max(sale_id) as last, min(sold_at)::date as day
            from crm.sales group by 1 having count(*) > 1) f where s.sale_id in (f.sale_id, f.last)",
        "update crm.sales s set sold_at = s.sold_at - interval '1 hour' from (
            select customer_id, max(sale_id) as last from crm.sales group by 1 having count(*) > 1) f
            where s.sale_id = f.last",
        "update crm.sales set customer_id = (select min(customer_id) from crm.sales) where sale_id % 7 = 0",
        "update crm.leads set campaign_code = null where lead_id % 4 = 0",
        "delete from crm.sale_lines where line_no > 1 and sale_id % 2 = 0",
    ];
    for statement in crm {
        fixture.crm(statement).await;
        assert!(fixture.run().await.changed() > 0, "{statement}");
        let differing = differing(&fixture).await;
        assert_eq!(differing, Vec::<String>::new(), "{statement}");
    }
    // By hand, with nobody's run.
    execute(
        &fixture.pool,
        "update core.fact_sale set quantity = quantity + 1, net_amount = net_amount + unit_price where sale_id % 5 = 0;
         delete from core.fact_lead where lead_id % 6 = 0; truncate core.fact_reaction",
    )
    .await;
    assert_eq!(differing(&fixture).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_no_trigger_saw_shows_a_day_later() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    execute(
        &fixture.pool,
        "alter table core.fact_sale disable trigger user;
         delete from core.fact_sale where sale_id = 2;
         alter table core.fact_sale enable trigger user",
    )
    .await;
    for (age, status) in [
        ("23 hours", RunStatus::Succeeded),
        ("25 hours", RunStatus::Failed),
    ] {
        let aged = format!("update totals.facts set counted_at = now() - interval '{age}'");
        execute(&fixture.pool, &aged).await;
        fixture
            .crm("update crm.sale_lines set unit_cost = unit_cost + 1 where sale_id = 1 and line_no = 1")
            .await;
        assert_eq!(fixture.try_run().await.status, status, "{age}");
    }
    assert!(fixture.run().await.sources[1].read_all);
    fixture.verify().await;
}

#[tokio::test]
async fn a_sale_in_two_currencies_counts_once() {
    let Some(fixture) = sample().await else {
        return;
    };
    fixture
        .crm(
            "update crm.sale_lines set currency = case when currency = 'USD' then 'EUR' else 'USD' end
             where line_no = 2",
        )
        .await;
    fixture.run().await;
    let rows = "select count(*) > count(distinct sale_id) from totals.sales";
    assert_eq!(fixture.value(rows).await, "true");
    let counted = |table: &str, count: &str| {
        format!("select concat_ws(' ', {count}, round(sum(net_usd), 2)) from marts.{table}")
    };
    assert_eq!(
        fixture.value(&counted("sales", "count(sale_id)")).await,
        fixture
            .value(&counted("sale_lines", "count(distinct sale_id)"))
            .await
    );
    fixture.verify().await;
}
