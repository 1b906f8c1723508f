//! A release that is rolled back meets what a newer one has migrated.

use super::fixture::Fixture;

const LATER: &str = "(version, description, success, checksum, execution_time)
    VALUES (9999, 'of a later release', true, 'x', 0)";

#[tokio::test]
async fn an_older_release_migrates_serves_and_loads_after_a_newer_one() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let sources = &fixture.world.sources;
    for (pool, schema) in [
        (&fixture.pool, "etl"),
        (&sources.ads, "public"),
        (&sources.crm, "public"),
    ] {
        let insert = format!("INSERT INTO {schema}._sqlx_migrations {LATER}");
        let insert = sqlx::query(sqlx::AssertSqlSafe(insert));
        insert.execute(pool).await.unwrap();
    }
    fixture.warehouse.migrate().await.unwrap();
    fixture.warehouse.check_schemas().await.unwrap();
    sources.migrate().await.unwrap();
    fixture.run().await;
    fixture.verify().await;
}
