//! Changes to the sources, for demonstration and tests.

use std::collections::BTreeMap;

use sales_warehouse::demo::{self, DemoError};
use sqlx::PgPool;
use time::macros::datetime;

use crate::{
    demo_load::{loaded, none},
    world::{World, keyring},
};

const NOW: time::OffsetDateTime = datetime!(2026-03-15 10:00 UTC);

/// The transaction that is next: rows with this marker or a later one have changed since.
async fn watermark(pool: &PgPool) -> String {
    sqlx::query_scalar("select pg_current_xact_id()::text")
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn changed(pool: &PgPool, table: &str, since: &str) -> i64 {
    let query = format!("select count(*) from {table} where change_txid >= $1::xid8");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .bind(since)
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_tick_changes_about_as_many_rows_as_it_is_told_all_over_the_tables() {
    let Some((world, keyring, _)) = loaded().await else {
        return;
    };
    let (ads, crm) = (&world.sources.ads, &world.sources.crm);
    let (since_ads, since_crm) = (watermark(ads).await, watermark(crm).await);
    let ticked = demo::tick(&world.sources, &keyring, 1_000, 1, NOW)
        .await
        .unwrap();
    assert!((850..=1_150).contains(&ticked.rows()), "{ticked:?}");
    for (change, rows) in &ticked.changes {
        assert!(*rows > 0, "{change}: {ticked:?}");
    }

    let mut seen = 0;
    for (pool, since, tables) in [
        (
            ads,
            &since_ads,
            &["ads.ad_daily", "ads.campaigns", "ads.tombstones"][..],
        ),
        (
            crm,
            &since_crm,
            &[
                "crm.customers",
                "crm.leads",
                "crm.interactions",
                "crm.opportunities",
                "crm.sales",
                "crm.sale_lines",
                "crm.subscriptions",
                "crm.tombstones",
            ][..],
        ),
    ] {
        for table in tables {
            let count = changed(pool, table, since).await;
            assert!(count > 0, "{table}");
            seen += count;
        }
    }
    assert!((700..=1_150).contains(&seen), "{seen}");

    // Updated, then deleted: gone, and a tombstone left.
    let changes: BTreeMap<_, _> = ticked.changes.iter().copied().collect();
    assert_eq!(changes["update_reactions"], changes["delete_reactions"]);
    assert_eq!(
        changes["update_interactions"],
        changes["delete_interactions"]
    );
    let left = changed(ads, "ads.tombstones", &since_ads).await;
    assert_eq!(left.unsigned_abs(), changes["delete_reactions"]);
    none(ads, "ads.tombstones t join ads.reactions r on t.pk = jsonb_build_object('ad_id', r.ad_id, 'day', r.day, 'kind', r.kind)").await;
}

#[tokio::test]
async fn what_holds_after_a_load_holds_after_ticks() {
    let Some((world, keyring, _)) = loaded().await else {
        return;
    };
    let (ads, crm) = (&world.sources.ads, &world.sources.crm);
    for seed in 1..=5 {
        demo::tick(&world.sources, &keyring, 400, seed, NOW)
            .await
            .unwrap();
    }
    for nothing in [
        "ads.ad_daily where clicks > impressions or conversions > clicks or cost < 0",
        "ads.ad_daily d join ads.ads using (ad_id) join ads.campaigns c using (campaign_id)
            where d.currency <> c.currency or d.day not between c.start_date and c.end_date",
        "ads.campaigns c join ads.markets m using (market_code) where c.currency <> m.currency",
    ] {
        none(ads, nothing).await;
    }
    for nothing in [
        "crm.sales s where total <> (select sum(quantity * unit_price - discount) from crm.sale_lines l
            where l.sale_id = s.sale_id and l.currency = s.currency)",
        "crm.sales where recorded_at < sold_at",
        "crm.sales s join crm.leads l using (lead_id) where s.customer_id <> l.customer_id or s.sold_at < l.created_at",
        "crm.leads where qualified_at < created_at or converted_at < qualified_at",
        "crm.leads where (status = 'converted') <> (converted_at is not null)",
        "crm.opportunities where (won is null) <> (closed_at is null)",
        "crm.leads l join crm.customers c using (customer_id) where l.created_at < c.created_at",
    ] {
        none(crm, nothing).await;
    }
    for (pool, late) in [
        (
            ads,
            "select count(*) from ads.ad_daily where reported_at = $1 and day < $1::date - 1",
        ),
        (
            crm,
            "select count(*) from crm.sales where recorded_at = $1 and sold_at < $1 - interval '1 day'",
        ),
    ] {
        let count: i64 = sqlx::query_scalar(late)
            .bind(NOW)
            .fetch_one(pool)
            .await
            .unwrap();
        assert!(count > 0, "{late}");
    }
}

#[tokio::test]
async fn the_same_seed_changes_the_same() {
    let Some((one, keyring, _)) = loaded().await else {
        return;
    };
    let Some(two) = World::start().await else {
        return;
    };
    let existing = demo::Existing::Refuse;
    demo::load(
        &two.sources,
        &keyring,
        &crate::demo_load::plan(),
        existing,
        &|_| {},
    )
    .await
    .unwrap();
    for world in [&one, &two] {
        demo::tick(&world.sources, &keyring, 300, 5, NOW)
            .await
            .unwrap();
    }
    assert_eq!(
        demo::checksum(&one.sources).await.unwrap(),
        demo::checksum(&two.sources).await.unwrap()
    );
    let before = demo::checksum(&two.sources).await.unwrap();
    demo::tick(&two.sources, &keyring, 0, 6, NOW).await.unwrap();
    assert_eq!(demo::checksum(&two.sources).await.unwrap(), before);
}

#[tokio::test]
async fn empty_sources_have_nothing_to_change() {
    let Some(world) = World::start().await else {
        return;
    };
    let error = demo::tick(&world.sources, &keyring(), 10, 1, NOW)
        .await
        .unwrap_err();
    assert!(matches!(error, DemoError::Empty), "{error:?}");
}
