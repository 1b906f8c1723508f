//! Logins as an operator would make them, none of them a superuser.
//!
//! The grants are those of the README: when one of these tests needs another, so does the README.

use sales_warehouse::{
    Warehouse, WarehouseError,
    etl::{self, RunStatus, SourceConfig},
    source::System,
    verify::verify,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use test_support::TestDatabase;
use url::Url;

use super::fixture::{Fixture, execute, wait_until};

/// SQLSTATE insufficient_privilege.
const FORBIDDEN: &str = "42501";

/// A login that may do nothing yet, and is gone with the test: its name and the database's URL with it.
struct Login {
    name: String,
    admin: PgPool,
}

impl Login {
    /// `what` keeps the names of one test apart; roles belong to the whole server.
    async fn new(admin: &PgPool, what: &str) -> Self {
        let database: String = sqlx::query_scalar("select current_database()::text")
            .fetch_one(admin)
            .await
            .unwrap();
        let name = format!("{what}_{database}");
        execute(
            admin,
            &format!(
                "create role {name} login password 'hush' nosuperuser nocreatedb nocreaterole"
            ),
        )
        .await;
        Self {
            name,
            admin: admin.clone(),
        }
    }

    /// Statements of a superuser; `$login` stands for this one.
    async fn grant(&self, pool: &PgPool, statements: &str) {
        execute(pool, &statements.replace("$login", &self.name)).await;
    }

    fn url(&self, superusers: &str) -> String {
        let mut url: Url = superusers.parse().unwrap();
        url.set_username(&self.name).unwrap();
        url.set_password(Some("hush")).unwrap();
        url.into()
    }

    /// On a server that outlives the test nothing of it stays.
    async fn remove(self, pools: &[&PgPool]) {
        for pool in pools {
            self.grant(
                pool,
                "reassign owned by $login to current_user; drop owned by $login",
            )
            .await;
        }
        self.grant(&self.admin, "drop role $login").await;
    }
}

/// Both sources with a login that reads them and nothing else.
async fn reading_sources(fixture: &Fixture) -> (Login, Vec<SourceConfig>) {
    let sources = &fixture.world.sources;
    let login = Login::new(&sources.ads, "source").await;
    login
        .grant(
            &sources.ads,
            "grant usage on schema ads to $login; grant select on all tables in schema ads to $login",
        )
        .await;
    login
        .grant(
            &sources.crm,
            "grant usage on schema crm to $login; grant select on all tables in schema crm to $login",
        )
        .await;
    let configs = vec![
        SourceConfig::Postgres {
            system: System::PromptAds,
            url: login.url(&fixture.world.ads_url()).into(),
        },
        SourceConfig::Postgres {
            system: System::PromptCrm,
            url: login.url(&fixture.world.crm_url()).into(),
        },
    ];
    (login, configs)
}

/// A database that nobody has migrated.
async fn bare() -> Option<TestDatabase> {
    test_support::fresh_database().await
}

async fn run(warehouse: &Warehouse, configs: &[SourceConfig]) {
    let report = etl::run_once(warehouse, configs).await.unwrap();
    assert_eq!(report.status, RunStatus::Succeeded, "{report:?}");
}

#[tokio::test]
async fn a_plain_login_with_the_roles_migrates_loads_and_verifies() {
    let (Some(fixture), Some(database)) = (Fixture::filled().await, bare().await) else {
        return;
    };
    let (reading, configs) = reading_sources(&fixture).await;
    let login = Login::new(&database.pool, "loader").await;
    let url = login.url(&database.url);
    let warehouse = Warehouse::connect(&url.clone().into()).await.unwrap();
    // Without the grants it says which are missing.
    let refused = warehouse.migrate().await.unwrap_err();
    assert!(matches!(refused, WarehouseError::Schemas(_)), "{refused:?}");
    assert!(refused.to_string().contains("CREATE on the database"));

    login
        .grant(
            &database.pool,
            "grant warehouse_owner, warehouse_etl, warehouse_reader to $login with admin option",
        )
        .await;
    let create = format!("grant create on database {} to $login", database.name());
    login.grant(&database.pool, &create).await;
    // The roles alone are not enough: the first migration grants them to whoever runs it.
    let may_not_grant =
        "revoke admin option for warehouse_owner, warehouse_etl, warehouse_reader from $login";
    login.grant(&database.pool, may_not_grant).await;
    let refused = warehouse.migrate().await.unwrap_err();
    assert!(
        matches!(refused, WarehouseError::MayNotMigrate(_)),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("WITH ADMIN OPTION"));
    login
        .grant(
            &database.pool,
            "grant warehouse_owner, warehouse_etl, warehouse_reader to $login with admin option",
        )
        .await;
    warehouse.migrate().await.unwrap();
    warehouse.migrate().await.unwrap();
    run(&warehouse, &configs).await;
    let revenue: String = sqlx::query_scalar("select sum(net_amount)::text from core.fact_sale")
        .fetch_one(warehouse.reader())
        .await
        .unwrap();
    assert_eq!(revenue, "67.50");
    // A scratch database is a right of its own.
    let refused = verify(&warehouse, &configs).await.unwrap_err().to_string();
    assert!(refused.contains("needs CREATEDB"), "{refused}");
    login
        .grant(&database.pool, "alter role $login createdb")
        .await;
    assert!(verify(&warehouse, &configs).await.unwrap().equal);

    // What it made is the owner's, so another login with the roles goes on.
    let second = Login::new(&database.pool, "second").await;
    second
        .grant(
            &database.pool,
            "grant warehouse_owner, warehouse_etl, warehouse_reader to $login with admin option",
        )
        .await;
    second.grant(&database.pool, &create).await;
    let other = Warehouse::connect(&second.url(&database.url).into())
        .await
        .unwrap();
    other.check_schemas().await.unwrap();
    other.migrate().await.unwrap();
    run(&other, &configs).await;

    warehouse.close().await;
    other.close().await;
    let sources = &fixture.world.sources;
    reading.remove(&[&sources.ads, &sources.crm]).await;
    second.remove(&[&database.pool]).await;
    login.remove(&[&database.pool]).await;
}

#[tokio::test]
async fn a_login_that_only_runs_the_etl_needs_no_owner_and_cannot_migrate() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let (reading, configs) = reading_sources(&fixture).await;
    let login = Login::new(&fixture.pool, "etl").await;
    login
        .grant(
            &fixture.pool,
            "grant warehouse_etl, warehouse_reader to $login",
        )
        .await;
    let warehouse = Warehouse::connect(&login.url(&fixture.warehouse_url()).into())
        .await
        .unwrap();
    warehouse.check_schemas().await.unwrap();
    run(&warehouse, &configs).await;
    fixture.verify().await;
    assert!(warehouse.migrate().await.is_err());
    for forbidden in ["set role warehouse_owner", "create schema mine"] {
        assert_eq!(
            attempt(&fixture, &login, forbidden).await.as_deref(),
            Some(FORBIDDEN),
            "{forbidden}"
        );
    }
    warehouse.close().await;
    let sources = &fixture.world.sources;
    reading.remove(&[&sources.ads, &sources.crm]).await;
    login.remove(&[&fixture.pool]).await;
}

#[tokio::test]
async fn a_login_that_reads_can_write_nothing_whatever_it_tries() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let login = Login::new(&fixture.pool, "analyst").await;
    login
        .grant(&fixture.pool, "grant warehouse_reader to $login")
        .await;
    assert_eq!(
        attempt(&fixture, &login, "select * from marts.campaign_performance").await,
        None
    );
    for forbidden in [
        "set role warehouse_etl",
        "set role warehouse_owner",
        "insert into core.dim_currency values ('ABC')",
        "update core.fact_sale set quantity = 0",
        "delete from core.dim_campaign",
        "truncate core.fact_sale",
        "copy core.fact_sale from stdin",
        "update etl.watermarks set read_all = true",
        "insert into staging.tombstones values ('x', 'y', '{}')",
        "select email_hash from core.dim_customer",
        "select * from audit.changes",
        "create table core.mine ()",
        "create table public.mine ()",
        "create schema mine",
        "alter table core.fact_sale owner to current_user",
        "call core.close_finished_campaigns('2030-01-01')",
    ] {
        assert_eq!(
            attempt(&fixture, &login, forbidden).await.as_deref(),
            Some(FORBIDDEN),
            "{forbidden}"
        );
    }
    // A source's login reads its source and changes nothing there.
    let (reading, _) = reading_sources(&fixture).await;
    let mut connection = PgConnection::connect(&reading.url(&fixture.world.crm_url()))
        .await
        .unwrap();
    let refused = sqlx::query("delete from crm.customers")
        .execute(&mut connection)
        .await
        .unwrap_err();
    let code = refused.as_database_error().unwrap().code().unwrap();
    assert_eq!(code, FORBIDDEN);
    connection.close().await.unwrap();
    let sources = &fixture.world.sources;
    reading.remove(&[&sources.ads, &sources.crm]).await;
    login.remove(&[&fixture.pool]).await;
}

/// The SQLSTATE that a statement of a login ends with; `None` if it succeeds.
async fn attempt(fixture: &Fixture, login: &Login, statement: &str) -> Option<String> {
    let mut connection = PgConnection::connect(&login.url(&fixture.warehouse_url()))
        .await
        .unwrap();
    let outcome = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&mut connection)
        .await;
    connection.close().await.unwrap();
    let error = outcome.err()?;
    let code = error
        .as_database_error()
        .and_then(|error| error.code().map(|code| code.into_owned()));
    Some(code.unwrap_or_else(|| error.to_string()))
}

#[tokio::test]
async fn a_login_with_a_single_connection_lands_sources_in_their_turn() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let login = Login::new(&fixture.pool, "single").await;
    login
        .grant(
            &fixture.pool,
            "grant warehouse_etl, warehouse_reader to $login; alter role $login connection limit 1",
        )
        .await;
    let warehouse = Warehouse::connect(&login.url(&fixture.warehouse_url()).into())
        .await
        .unwrap();
    // The server counts a connection until it has come to its end.
    let gone = "select count(*) = 0 from pg_stat_activity where usename";
    wait_until(&fixture.pool, &format!("{gone} = '{}'", login.name)).await;
    run(&warehouse, &fixture.configs).await;
    warehouse.close().await;
    fixture.verify().await;
    login.remove(&[&fixture.pool]).await;
}
