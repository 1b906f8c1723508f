//! The two operational databases that the warehouse reads, on PostgreSQL.
//!
//! - `promptads`, schema `ads`: campaigns, ads, daily metrics, reactions.
//! - `promptcrm`, schema `crm`: customers, leads, interactions, opportunities, sales, subscriptions.
//!
//! Their migrations stand in `sources/postgres/`; grain, keys and units are comments on the tables. How
//! changes and deletions are found is told at the top of `0001_change_tracking.sql`.

use std::{str::FromStr, sync::LazyLock, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    PgPool,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// Most connections to each database.
const MAX_CONNECTIONS: u32 = 4;
/// Longest wait for one.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

static PROMPTADS: LazyLock<Migrator> =
    LazyLock::new(|| lenient(sqlx::migrate!("./sources/postgres/promptads")));
static PROMPTCRM: LazyLock<Migrator> =
    LazyLock::new(|| lenient(sqlx::migrate!("./sources/postgres/promptcrm")));

/// A release that is newer may have been here; what it added, this one can do without.
fn lenient(mut migrations: Migrator) -> Migrator {
    migrations.set_ignore_missing(true);
    migrations
}

/// Connections to both databases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sources {
    /// `promptads`.
    pub ads: PgPool,
    /// `promptcrm`.
    pub crm: PgPool,
}

/// Why the sources cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourcesError {
    /// No connection.
    #[error("{database} cannot be reached: check its URL and that its server runs")]
    Connect {
        /// `promptads` or `promptcrm`.
        database: &'static str,
        /// The cause.
        source: sqlx::Error,
    },
    /// The schema could not be made.
    #[error("{database} cannot be migrated")]
    Migrate {
        /// `promptads` or `promptcrm`.
        database: &'static str,
        /// The cause.
        source: MigrateError,
    },
}

impl Sources {
    /// Connects to both databases and migrates them. URLs may hold passwords, so they are secrets.
    pub async fn connect(
        promptads: &SecretString,
        promptcrm: &SecretString,
    ) -> Result<Self, SourcesError> {
        let sources = Self {
            ads: pool("promptads", promptads).await?,
            crm: pool("promptcrm", promptcrm).await?,
        };
        sources.migrate().await?;
        Ok(sources)
    }

    /// Brings both schemas level. Doing it again changes nothing.
    pub async fn migrate(&self) -> Result<(), SourcesError> {
        let failed = |database| move |source| SourcesError::Migrate { database, source };
        PROMPTADS
            .run(&self.ads)
            .await
            .map_err(failed("promptads"))?;
        PROMPTCRM.run(&self.crm).await.map_err(failed("promptcrm"))
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.ads.close().await;
        self.crm.close().await;
    }
}

async fn pool(database: &'static str, url: &SecretString) -> Result<PgPool, SourcesError> {
    let failed = |source| SourcesError::Connect { database, source };
    let options = PgConnectOptions::from_str(url.expose_secret())
        .map_err(failed)?
        .application_name("sales-warehouse");
    PgPoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await
        .map_err(failed)
}
