//! What each role must not do.

use sqlx::{AssertSqlSafe, Connection, Row};

use super::fixture::Fixture;

/// The SQLSTATE that a statement ends with under a role; `None` if it succeeds.
async fn attempt(fixture: &Fixture, role: &str, statement: &str) -> Option<String> {
    let mut connection = fixture.pool.acquire().await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    sqlx::query(AssertSqlSafe(format!("set local role {role}")))
        .execute(&mut *transaction)
        .await
        .unwrap();
    let outcome = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&mut *transaction)
        .await;
    transaction.rollback().await.unwrap();
    let error = outcome.err()?;
    let code = error
        .as_database_error()
        .and_then(|error| error.code().map(|code| code.into_owned()));
    Some(code.unwrap_or_else(|| error.to_string()))
}

/// SQLSTATE insufficient_privilege.
const FORBIDDEN: &str = "42501";

#[tokio::test]
async fn a_reader_reads_and_nothing_else() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    for allowed in [
        "select * from core.fact_sale",
        "select customer_id, segment from core.dim_customer",
        "select * from marts.campaign_performance",
        "select * from marts.campaign_status",
        "select * from etl.runs",
        "select * from etl.quarantine",
    ] {
        assert_eq!(
            attempt(&fixture, "warehouse_reader", allowed).await,
            None,
            "{allowed}"
        );
    }
    for forbidden in [
        "select email_hash from core.dim_customer",
        "select * from core.dim_customer",
        "select * from staging.crm_customers",
        "select * from audit.changes",
        "insert into core.dim_currency values ('ABC')",
        "update core.fact_sale set quantity = 0",
        "delete from core.dim_campaign",
        "truncate core.fact_sale",
        "update etl.watermarks set read_all = true",
        "delete from etl.quarantine",
        "create table core.mine ()",
        "create schema mine",
        "update totals.facts set facts = 0",
        "select etl.rebuild_totals('fact_sale')",
        "select etl.refresh_marts()",
        "select etl.make_partition('fact_sale', '2030-01-01')",
        "select etl.merge_source(1, 'promptads', true)",
        "select etl.checksums()",
        "select etl.prune_ledger()",
        "select etl.fill('fact_sale')",
        "call core.close_finished_campaigns('2030-01-01')",
        "drop view marts.campaign_status",
    ] {
        let code = attempt(&fixture, "warehouse_reader", forbidden).await;
        assert_eq!(code.as_deref(), Some(FORBIDDEN), "{forbidden}");
    }
}

#[tokio::test]
async fn the_etl_changes_rows_and_never_tables_or_the_audit() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    for forbidden in [
        "create table core.mine ()",
        "alter table core.fact_sale add column mine int",
        "drop table core.fact_lead",
        "truncate core.fact_sale",
        "alter table core.dim_campaign disable trigger all",
        "drop trigger audit_change on core.dim_campaign",
        "select * from audit.changes",
        "delete from audit.changes",
        "insert into audit.changes (table_name, key, operation, before, changed_by, role)
            values ('x', '{}', 'DELETE', '{}', 'x', 'x')",
        "update core.campaign_status_history set status = 'x'",
        "insert into core.campaign_status_history (campaign_id, status) values (1, 'x')",
        "insert into core.dim_date (day) values ('9999-12-31')",
        "insert into core.dim_currency values ('ABC')",
        "update core.campaign_closeout set leads = 0",
        "update etl.targets set keep = 'true; drop table core.fact_sale'",
        "delete from etl.runs",
        "delete from etl.table_runs",
        "update totals.facts set facts = 0",
        "alter table etl.quarantine disable row level security",
        "select core.note_campaign_status()",
    ] {
        let code = attempt(&fixture, "warehouse_etl", forbidden).await;
        assert_eq!(code.as_deref(), Some(FORBIDDEN), "{forbidden}");
    }
}

#[tokio::test]
async fn the_owner_owns_everything_and_may_not_log_in() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let strangers = fixture
        .value(
            "select string_agg(c.oid::regclass::text, ', ') from pg_class c
             where c.relnamespace in ('staging'::regnamespace, 'core'::regnamespace, 'marts'::regnamespace,
                'etl'::regnamespace, 'audit'::regnamespace, 'totals'::regnamespace)
                and c.relkind in ('r', 'p', 'v', 'm') and c.relname <> '_sqlx_migrations'
                and c.relowner <> 'warehouse_owner'::regrole",
        )
        .await;
    assert_eq!(strangers, "-");
    assert_eq!(
        fixture
            .value(
                "select count(*) from pg_roles where rolname in ('warehouse_owner', 'warehouse_etl',
                    'warehouse_reader') and (rolcanlogin or rolsuper or rolcreaterole or rolcreatedb or rolbypassrls)"
            )
            .await,
        "0"
    );
    // No function of ours is everybody's.
    assert_eq!(
        fixture
            .value(
                "select string_agg(p.oid::regprocedure::text, ', ') from pg_proc p
                 where p.pronamespace in ('etl'::regnamespace, 'core'::regnamespace, 'audit'::regnamespace)
                    and (p.proacl is null or p.proacl::text ~ '[{,]=X')"
            )
            .await,
        "-"
    );
}

#[tokio::test]
async fn readers_see_quarantined_ads_and_no_customers() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    fixture
        .ads("update ads.ad_daily set cost = -1 where ad_id = 3")
        .await;
    fixture
        .crm("update crm.leads set score = 101 where lead_id = 3")
        .await;
    fixture.run().await;
    assert_eq!(
        fixture.value("select count(*) from etl.quarantine").await,
        "2"
    );
    let seen: Vec<String> = sqlx::query_scalar("select source from etl.quarantine")
        .fetch_all(fixture.warehouse.reader())
        .await
        .unwrap();
    assert_eq!(seen, ["promptads"]);
}

#[tokio::test]
async fn the_readers_connections_are_read_only_and_bounded() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let row = sqlx::query(
        "select current_user::text, current_setting('default_transaction_read_only'),
            current_setting('statement_timeout')",
    )
    .fetch_one(fixture.warehouse.reader())
    .await
    .unwrap();
    let settings: Vec<String> = (0..3).map(|at| row.get(at)).collect();
    assert_eq!(settings, ["warehouse_reader", "on", "10s"]);
}
