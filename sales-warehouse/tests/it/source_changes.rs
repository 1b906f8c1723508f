//! Change markers, tombstones and epochs of the two sources.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool, types::Json};

use crate::world::World;

/// Rows enough for one sale and one day of one ad.
const SAMPLE_ADS: &str = "
    insert into ads.channels values ('email', 'Email', 'Correo');
    insert into ads.markets values ('ES', 'Spain', 'España', 'europe', 'EUR', 'es');
    insert into ads.audiences values (1, 'families', 'Families', 'Familias', null, 'b2c');
    insert into ads.campaigns values (1, 'CMP-000001', 'Verano', 'sales', 'summer-sale', 'active', 'ES',
        1000, 'EUR', '2026-01-01', '2026-02-01', '2025-12-20T10:00:00Z');
    insert into ads.ads values (1, 1, 'email', 1, null, 'A', 'es', 'active', '2025-12-20T10:00:00Z');
    insert into ads.ad_daily values (1, '2026-01-02', 100, 10, 1, 5.25, 'EUR', '2026-01-03T03:00:00Z');
    insert into ads.reactions values (1, '2026-01-02', 'like', 3);
    insert into ads.campaign_content values (1, 'sushi-platter', 'hero', '2026-01-01');";

async fn sample() -> Option<World> {
    let world = World::start().await?;
    sqlx::raw_sql(SAMPLE_ADS)
        .execute(&world.sources.ads)
        .await
        .unwrap();
    Some(world)
}

/// What a delta reader sees in `ads.ad_daily` from a watermark on, and its next watermark.
async fn delta(pool: &PgPool, watermark: &str) -> (i64, String) {
    sqlx::query_as(
        "select (select count(*) from ads.ad_daily where change_txid >= $1::xid8
                 and change_txid < pg_snapshot_xmin(pg_current_snapshot())),
                pg_snapshot_xmin(pg_current_snapshot())::text",
    )
    .bind(watermark)
    .fetch_one(pool)
    .await
    .unwrap()
}

/// The watermark after a read that sees this many rows. Transactions of other tests' databases on the
/// same server may hold the reader back for a while.
async fn caught_up(pool: &PgPool, watermark: &str, rows: i64) -> String {
    for _ in 0..1_000 {
        let (seen, next) = delta(pool, watermark).await;
        if seen == rows {
            return next;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never saw {rows} rows from {watermark} on");
}

async fn tombstones(pool: &PgPool, schema: &str) -> Vec<(String, serde_json::Value)> {
    let statement = format!("select table_name, pk from {schema}.tombstones order by tombstone_id");
    sqlx::query_as::<_, (String, Json<serde_json::Value>)>(AssertSqlSafe(statement))
        .fetch_all(pool)
        .await
        .unwrap()
        .into_iter()
        .map(|(table, Json(key))| (table, key))
        .collect()
}

async fn run(pool: &PgPool, statement: &'static str) {
    sqlx::query(statement).execute(pool).await.unwrap();
}

#[tokio::test]
async fn migrations_apply_twice_harmlessly() {
    let Some(world) = sample().await else { return };
    world.sources.migrate().await.unwrap();
    caught_up(&world.sources.ads, "0", 1).await;
}

#[tokio::test]
async fn every_table_carries_an_indexed_marker_its_triggers_and_comments() {
    let Some(world) = World::start().await else {
        return;
    };
    for (pool, schema, expected) in [
        (&world.sources.ads, "ads", 8),
        (&world.sources.crm, "crm", 9),
    ] {
        let tables: Vec<(String, bool, i64, i64)> = sqlx::query_as(
            "select t.relname::text,
                exists (select from pg_index i join pg_attribute a
                    on a.attrelid = t.oid and a.attnum = i.indkey[0]
                    where i.indrelid = t.oid and a.attname = 'change_txid'),
                (select count(*) from pg_trigger g where g.tgrelid = t.oid and not g.tgisinternal),
                (select count(*) from pg_attribute a where a.attrelid = t.oid
                    and a.attname in ('change_txid', 'changed_at') and a.attnotnull)
             from pg_class t join pg_namespace n on n.oid = t.relnamespace
             where n.nspname = $1 and t.relkind = 'r'
                and t.relname not in ('tombstones', 'source_epoch')
                and obj_description(t.oid) like 'Grain: %' order by 1",
        )
        .bind(schema)
        .fetch_all(pool)
        .await
        .unwrap();
        assert_eq!(tables.len(), expected, "{tables:?}");
        for (table, indexed, triggers, columns) in tables {
            assert!(indexed, "{schema}.{table}");
            assert_eq!((triggers, columns), (5, 2), "{schema}.{table}");
        }
    }
}

#[tokio::test]
async fn an_update_moves_the_marker() {
    let Some(world) = sample().await else { return };
    let ads = &world.sources.ads;
    let watermark = caught_up(ads, "0", 1).await;
    assert_eq!(delta(ads, &watermark).await.0, 0);
    run(ads, "update ads.ad_daily set cost = cost + 1").await;
    caught_up(ads, &watermark, 1).await;
}

#[tokio::test]
async fn a_late_commit_is_not_missed() {
    let Some(world) = sample().await else { return };
    let ads = &world.sources.ads;
    caught_up(ads, "0", 1).await;
    let mut late = ads.begin().await.unwrap();
    sqlx::query("update ads.ad_daily set clicks = 11")
        .execute(&mut *late)
        .await
        .unwrap();
    // Others commit after it began and before it ends: readers wait for it rather than pass it.
    run(
        ads,
        "insert into ads.ad_daily values (1, '2026-01-03', 1, 1, 0, 1, 'EUR', now())",
    )
    .await;
    let (_, watermark) = delta(ads, "0").await;
    assert_eq!(delta(ads, &watermark).await.0, 0);
    late.commit().await.unwrap();
    caught_up(ads, &watermark, 2).await;
}

#[tokio::test]
async fn deletions_and_moved_keys_leave_tombstones() {
    let Some(world) = sample().await else { return };
    let ads = &world.sources.ads;
    run(ads, "delete from ads.reactions").await;
    run(ads, "update ads.ad_daily set day = '2026-01-05'").await;
    run(ads, "update ads.ad_daily set day = day, clicks = 2").await;
    assert_eq!(
        tombstones(ads, "ads").await,
        [
            (
                "reactions".to_owned(),
                serde_json::json!({"ad_id": 1, "day": "2026-01-02", "kind": "like"})
            ),
            (
                "ad_daily".to_owned(),
                serde_json::json!({"ad_id": 1, "day": "2026-01-02"})
            ),
        ]
    );
}

#[tokio::test]
async fn a_truncate_begins_an_epoch() {
    let Some(world) = sample().await else { return };
    let ads = &world.sources.ads;
    let epoch = || async {
        sqlx::query_scalar::<_, String>("select epoch from ads.epoch")
            .fetch_one(ads)
            .await
            .unwrap()
    };
    let before = epoch().await;
    run(ads, "delete from ads.reactions").await;
    assert_eq!(epoch().await, before);
    run(ads, "truncate ads.reactions").await;
    assert_ne!(epoch().await, before);
}

#[tokio::test]
async fn a_customers_envelopes_alone_move_no_marker() {
    let Some(world) = World::start().await else {
        return;
    };
    let crm = &world.sources.crm;
    run(
        crm,
        "insert into crm.customers (kind, lifecycle, segment, country, language, marketing_consent,
            email_hash, created_at)
         values ('b2c', 'prospect', 'consumer', 'ES', 'es', true, '\\x00', now())",
    )
    .await;
    let marker = || async {
        sqlx::query_scalar::<_, String>("select change_txid::text from crm.customers")
            .fetch_one(crm)
            .await
            .unwrap()
    };
    let before = marker().await;
    run(crm, "update crm.customers set email_enc = '\\x01'").await;
    assert_eq!(marker().await, before);
    run(crm, "update crm.customers set lifecycle = 'customer'").await;
    assert_ne!(marker().await, before);
    run(crm, "delete from crm.customers").await;
    let left = tombstones(crm, "crm").await;
    assert_eq!(left[0].1, serde_json::json!({"customer_id": 1}));
}
