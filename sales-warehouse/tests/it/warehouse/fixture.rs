//! Two sources with a few rows that hang together, and a warehouse.

use std::time::Duration;

use sales_warehouse::{
    Warehouse,
    etl::{self, RunReport, RunStatus, SourceConfig},
    source::System,
    verify::verify,
};
use sqlx::{AssertSqlSafe, PgPool};
use test_support::TestDatabase;

use crate::world::World;

/// PromptAds: two markets, two channels, three campaigns, three ads, four days of metrics.
pub const ADS: &str = include_str!("fixture/promptads.sql");
/// PromptCrm: three customers, two products, three leads, two sales of three lines.
pub const CRM: &str = include_str!("fixture/promptcrm.sql");

pub struct Fixture {
    pub world: World,
    pub warehouse: Warehouse,
    /// A superuser's pool on the warehouse.
    pub pool: PgPool,
    pub configs: Vec<SourceConfig>,
    database: TestDatabase,
}

impl Fixture {
    /// Empty sources and a migrated warehouse. `None` where there is no PostgreSQL.
    pub async fn empty() -> Option<Self> {
        let world = World::start().await?;
        let database = test_support::fresh_database().await?;
        let warehouse = Warehouse::connect(&database.url.clone().into())
            .await
            .unwrap();
        warehouse.migrate().await.unwrap();
        let configs = vec![
            // Out of order, to see that a run does not mind.
            SourceConfig::Postgres {
                system: System::PromptCrm,
                url: world.crm_url().into(),
            },
            SourceConfig::Postgres {
                system: System::PromptAds,
                url: world.ads_url().into(),
            },
        ];
        Some(Self {
            world,
            warehouse,
            pool: database.pool.clone(),
            configs,
            database,
        })
    }

    /// The same with rows in the sources, none of them in the warehouse.
    pub async fn filled() -> Option<Self> {
        let fixture = Self::empty().await?;
        fixture.ads(ADS).await;
        fixture.crm(CRM).await;
        Some(fixture)
    }

    /// The same, loaded.
    pub async fn loaded() -> Option<Self> {
        let fixture = Self::filled().await?;
        fixture.settle().await;
        fixture.run().await;
        Some(fixture)
    }

    /// A superuser's URL of the warehouse.
    pub fn warehouse_url(&self) -> String {
        self.database.url.clone()
    }

    /// Statements in PromptAds.
    pub async fn ads(&self, statements: &str) {
        execute(&self.world.sources.ads, statements).await;
    }

    /// Statements in PromptCrm.
    pub async fn crm(&self, statements: &str) {
        execute(&self.world.sources.crm, statements).await;
    }

    /// A run in which everything goes well.
    pub async fn run(&self) -> RunReport {
        let report = self.try_run().await;
        assert_eq!(report.status, RunStatus::Succeeded, "{report:?}");
        for source in &report.sources {
            assert_ne!(source.reconciled, Some(false), "{report:?}");
        }
        report
    }

    pub async fn try_run(&self) -> RunReport {
        etl::run_once(&self.warehouse, &self.configs).await.unwrap()
    }

    /// One value of the warehouse, as text; `-` for null or no row.
    pub async fn value(&self, query: &str) -> String {
        let statement = format!("select ({query})::text");
        sqlx::query_scalar::<_, Option<String>>(AssertSqlSafe(statement))
            .fetch_one(&self.pool)
            .await
            .unwrap()
            .unwrap_or_else(|| "-".to_owned())
    }

    /// Asserts that the warehouse equals a load from scratch.
    pub async fn verify(&self) {
        let verification = verify(&self.warehouse, &self.configs).await.unwrap();
        assert!(verification.equal, "{verification:#?}");
        // 20 of core, 12 of what is added up from it.
        assert_eq!(verification.tables.len(), 32);
    }

    /// Waits until everything committed so far is below the next watermark, so that a read after the next
    /// one begins behind it. Transactions of other tests on the same server hold it back for a while.
    pub async fn settle(&self) {
        settle(&self.world.sources.ads).await;
    }
}

pub async fn execute(pool: &PgPool, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
        .execute(pool)
        .await
        .unwrap();
}

/// Waits until everything committed in a source so far is below its next watermark.
pub async fn settle(pool: &PgPool) {
    let last: String = sqlx::query_scalar("select pg_current_xact_id()::text")
        .fetch_one(pool)
        .await
        .unwrap();
    wait_until(
        pool,
        &format!("select pg_snapshot_xmin(pg_current_snapshot()) > '{last}'::xid8"),
    )
    .await;
}

/// Waits until a query says true.
pub async fn wait_until(pool: &PgPool, query: &str) {
    for _ in 0..6_000 {
        let holds: bool = sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_one(pool)
            .await
            .unwrap();
        if holds {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never true: {query}");
}

/// Takes a lock that stops whoever writes the table, until the transaction ends.
pub async fn lock(holder: &mut sqlx::PgConnection, table: &str) {
    let statement = format!("lock table {table} in access exclusive mode");
    sqlx::query(AssertSqlSafe(statement))
        .execute(holder)
        .await
        .unwrap();
}
