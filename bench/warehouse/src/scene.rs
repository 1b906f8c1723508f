//! A PostgreSQL of the benchmark's own, with filled sources and a warehouse.

use std::{env, sync::Arc};

use anyhow::Context;
use local_runtime::{CacheDir, Options, Postgres, PostgresOptions, provision};
use sales_warehouse::{
    Warehouse,
    demo::{self, Existing, LoadPlan},
    etl::SourceConfig,
    pii::Keyring,
    source::System,
    sources::Sources,
    verify::verify,
};
use serde::{Deserialize, Serialize};
use service_kit::Clock;
use sqlx::{AssertSqlSafe, PgPool};
use tempfile::TempDir;
use time::format_description::well_known::Rfc3339;

use crate::{cli::Arguments, say};

const SEED: u64 = 42;

/// Where everything is. No secret: the socket's directory is its owner's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Databases {
    pub promptads: String,
    pub promptcrm: String,
    pub warehouse: String,
}

impl Databases {
    /// The sources, as the ETL reads them.
    pub fn sources(&self) -> Vec<SourceConfig> {
        vec![
            SourceConfig::Postgres {
                system: System::PromptAds,
                url: self.promptads.as_str().into(),
            },
            SourceConfig::Postgres {
                system: System::PromptCrm,
                url: self.promptcrm.as_str().into(),
            },
        ]
    }
}

/// See the module.
pub struct Scene {
    pub postgres: Postgres,
    pub sources: Sources,
    /// Rows that the sources were filled with.
    pub rows: u64,
    keyring: Arc<Keyring>,
    clock: Clock,
    warehouses: u32,
    _home: TempDir,
}

impl Scene {
    /// Starts the server and fills the sources.
    pub async fn set(arguments: &Arguments) -> anyhow::Result<Self> {
        let variable = |name: &str| env::var(name).ok();
        let cache = CacheDir::resolve(arguments.cache_dir.clone(), &variable)?;
        let bars = local_runtime::progress::on_stderr();
        let provisioned = provision(&cache, &Options::from_env(&variable), bars.as_ref()).await?;
        let home = TempDir::new()?;
        // The product's own settings: durable, as a company's server is.
        let postgres =
            Postgres::start(&provisioned.postgres, PostgresOptions::new(home.path())).await?;
        for name in ["promptads", "promptcrm"] {
            postgres.ensure_database(name).await?;
        }
        let url = |name| postgres.url(name).into();
        let sources = Sources::connect(&url("promptads"), &url("promptcrm")).await?;
        let clock = Clock::system();
        let mut plan = LoadPlan::full(SEED, clock.now().date());
        plan.campaigns_finished /= arguments.divide;
        plan.campaigns_active /= arguments.divide;
        plan.customers /= arguments.divide;
        let keyring = Arc::new(Keyring::generate()?);
        say("filling the sources");
        let loaded = demo::load(&sources, &keyring, &plan, Existing::Refuse, &|_| {}).await?;
        say(&format!("{} rows", loaded.rows()));
        Ok(Self {
            postgres,
            sources,
            rows: loaded.rows(),
            keyring,
            clock,
            warehouses: 0,
            _home: home,
        })
    }

    /// The databases; the warehouse is the newest.
    pub fn databases(&self) -> Databases {
        Databases {
            promptads: self.postgres.url("promptads"),
            promptcrm: self.postgres.url("promptcrm"),
            warehouse: self.postgres.url(&self.warehouse_name()),
        }
    }

    fn warehouse_name(&self) -> String {
        format!("warehouse_{}", self.warehouses)
    }

    /// A new, migrated warehouse; the one before is dropped.
    pub async fn empty_warehouse(&mut self) -> anyhow::Result<()> {
        let before = self.warehouse_name();
        self.warehouses += 1;
        let name = self.warehouse_name();
        self.postgres.ensure_database(&name).await?;
        let warehouse = Warehouse::connect(&self.postgres.url(&name).into()).await?;
        warehouse.migrate().await?;
        warehouse.close().await;
        let admin = self.pool("postgres").await?;
        sqlx::query(AssertSqlSafe(format!("drop database if exists {before}")))
            .execute(&admin)
            .await?;
        // What the load before wrote is not to be flushed on this one's time.
        sqlx::query("checkpoint").execute(&admin).await?;
        admin.close().await;
        Ok(())
    }

    /// Changes rows of the sources, and says how many.
    pub async fn tick(&self, changes: u64, seed: u64) -> anyhow::Result<u64> {
        let now = self.clock.now();
        let ticked = demo::tick(&self.sources, &self.keyring, changes, seed, now).await?;
        Ok(ticked.rows())
    }

    /// Rows of `ads.ad_daily`.
    pub async fn daily_rows(&self) -> anyhow::Result<i64> {
        let count = sqlx::query_scalar("select count(*) from ads.ad_daily");
        Ok(count.fetch_one(&self.sources.ads).await?)
    }

    /// Corrects so many daily rows, spread evenly, and gives the moment before, in seconds since 1970.
    pub async fn change_daily_rows(&self, rows: i64) -> anyhow::Result<f64> {
        let since = sqlx::query_scalar("select extract(epoch from clock_timestamp())::float8")
            .fetch_one(&self.sources.ads)
            .await?;
        sqlx::query(include_str!("scene/correct_days.sql"))
            .bind(rows)
            .execute(&self.sources.ads)
            .await?;
        Ok(since)
    }

    /// What took the time of the last run: each source, and the tables of it that took longest.
    pub async fn where_time_went(&self) -> anyhow::Result<String> {
        let warehouse = self.pool(&self.warehouse_name()).await?;
        let parts = sqlx::query_scalar(include_str!("scene/where_time_went.sql"));
        let parts: Vec<String> = parts.fetch_all(&warehouse).await?;
        warehouse.close().await;
        Ok(parts.join(", "))
    }

    /// Does the warehouse equal a load from scratch?
    pub async fn verify(&self) -> anyhow::Result<bool> {
        let databases = self.databases();
        let warehouse = Warehouse::connect(&databases.warehouse.as_str().into()).await?;
        let verification = verify(&warehouse, &databases.sources()).await?;
        warehouse.close().await;
        Ok(verification.equal)
    }

    /// Now, RFC 3339.
    pub fn now(&self) -> String {
        let now = self.clock.now().replace_nanosecond(0);
        now.ok()
            .and_then(|now| now.format(&Rfc3339).ok())
            .unwrap_or_default()
    }

    /// A superuser's connections to a database.
    pub async fn pool(&self, database: &str) -> anyhow::Result<PgPool> {
        PgPool::connect(&self.postgres.url(database))
            .await
            .with_context(|| format!("no connection to {database}"))
    }

    pub async fn stop(self) -> anyhow::Result<()> {
        self.sources.close().await;
        Ok(self.postgres.stop().await?)
    }
}
