//! The warehouse's database: connections in its roles, and its migrations.

use std::{str::FromStr, sync::LazyLock, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// Most connections of readers.
const MAX_READERS: u32 = 4;
/// Longest wait for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest that a reader's statement may take.
const READER_STATEMENT_TIMEOUT: &str = "10s";

/// Longest that an idle reader may keep a transaction open, and with it tables that the ETL has to change.
const READER_IDLE_TIMEOUT: &str = "60s";
/// Longest that the ETL waits for a lock: others queue up behind it.
const ETL_LOCK_TIMEOUT: &str = "10s";
/// Memory for each sort or hash of the ETL's session that merges, the other needs none; PostgreSQL's default spills a load to disk.
const ETL_WORK_MEM: &str = "64MB";
/// The same for building indexes and checking keys.
const ETL_MAINTENANCE_WORK_MEM: &str = "256MB";
/// Longest that a run may take. A first load of ten times the full set takes about a quarter of it.
const RUN_LIMIT: Duration = Duration::from_secs(30 * 60);

/// SQLSTATE insufficient_privilege.
const FORBIDDEN: &str = "42501";

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!("./migrations");
    // A release that is newer has been here; what it added, this one can do without.
    migrations.set_ignore_missing(true);
    migrations
});

/// The warehouse. Cheap to clone.
///
/// The login of the URL acts as `warehouse_reader` and, to run the ETL, as `warehouse_etl`: it must be granted
/// these. Nothing but migrations and [`crate::verify`]'s scratch database uses its own rights; what these take
/// besides stands in the README, under "Logins".
#[derive(Clone, Debug)]
pub struct Warehouse {
    login: PgConnectOptions,
    reader: PgPool,
    run_limit: Duration,
}

/// Why the warehouse cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WarehouseError {
    /// No connection.
    #[error("the warehouse cannot be reached: check its URL and that its server runs")]
    Connect(#[source] sqlx::Error),
    /// The schemas could not be made.
    #[error(
        "the warehouse's schemas cannot be made: its login may need CREATE on the database and CREATEROLE"
    )]
    Schemas(#[source] sqlx::Error),
    /// Nobody has migrated yet, or not with this version.
    #[error(
        "the warehouse's schemas are not there, or older than this program: run sales-warehouse migrate first"
    )]
    NotMigrated,
    /// The login may not do what a migration does.
    #[error(
        "the warehouse's login may not migrate: it needs CREATE on the database, and either CREATEROLE or the roles \
         warehouse_owner, warehouse_etl and warehouse_reader granted WITH ADMIN OPTION"
    )]
    MayNotMigrate(#[source] MigrateError),
    /// A migration failed.
    #[error("the warehouse cannot be migrated")]
    Migrate(#[source] MigrateError),
}

impl Warehouse {
    /// Connects to the database at `url`, which may hold a password and so is a secret. Call
    /// [`Warehouse::migrate`] before the first use.
    pub async fn connect(url: &SecretString) -> Result<Self, WarehouseError> {
        let login = PgConnectOptions::from_str(url.expose_secret())
            .map_err(WarehouseError::Connect)?
            .application_name("sales-warehouse");
        Self::with_login(login).await
    }

    pub(crate) async fn with_login(login: PgConnectOptions) -> Result<Self, WarehouseError> {
        let probe = login.connect().await.map_err(WarehouseError::Connect)?;
        probe.close().await.map_err(WarehouseError::Connect)?;
        let reader = PgPoolOptions::new()
            .max_connections(MAX_READERS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(login.clone().options([
                ("role", "warehouse_reader"),
                ("default_transaction_read_only", "on"),
                ("statement_timeout", READER_STATEMENT_TIMEOUT),
                ("idle_in_transaction_session_timeout", READER_IDLE_TIMEOUT),
            ]));
        Ok(Self {
            login,
            reader,
            run_limit: RUN_LIMIT,
        })
    }

    /// The same with another limit on how long a run may take, half an hour if nothing is said.
    #[must_use]
    pub fn with_run_limit(self, run_limit: Duration) -> Self {
        Self { run_limit, ..self }
    }

    pub(crate) fn run_limit(&self) -> Duration {
        self.run_limit
    }

    /// Makes roles, schemas and tables, or brings them level. Doing it again changes nothing.
    pub async fn migrate(&self) -> Result<(), WarehouseError> {
        let mut connection = self
            .login
            .clone()
            .options([("search_path", "etl")])
            .connect()
            .await
            .map_err(WarehouseError::Connect)?;
        let mut transaction = connection.begin().await.map_err(WarehouseError::Schemas)?;
        for statement in [
            include_str!("warehouse/lock_schema.sql"),
            include_str!("warehouse/create_schema.sql"),
        ] {
            sqlx::query(statement)
                .execute(&mut *transaction)
                .await
                .map_err(WarehouseError::Schemas)?;
        }
        transaction
            .commit()
            .await
            .map_err(WarehouseError::Schemas)?;
        MIGRATIONS
            .run(&mut connection)
            .await
            .map_err(migration_failed)?;
        sqlx::raw_sql(include_str!("warehouse/share_ledger.sql"))
            .execute(&mut connection)
            .await
            .map_err(WarehouseError::Schemas)?;
        connection.close().await.map_err(WarehouseError::Connect)
    }

    /// Whether every migration that this program knows has been applied. Newer ones are no fault: a service one
    /// version older still runs on them.
    pub async fn check_schemas(&self) -> Result<(), WarehouseError> {
        let newest = MIGRATIONS.iter().map(|migration| migration.version).max();
        let applied: Option<i64> = sqlx::query_scalar(include_str!("warehouse/applied.sql"))
            .fetch_one(&self.reader)
            .await
            .map_err(|error| match error.as_database_error() {
                // No such role, schema, table or right to read it: all of them come with migrating.
                Some(_) => WarehouseError::NotMigrated,
                None => WarehouseError::Connect(error),
            })?;
        if applied < newest {
            return Err(WarehouseError::NotMigrated);
        }
        Ok(())
    }

    /// Connections as `warehouse_reader`: read-only, with a statement timeout.
    pub fn reader(&self) -> &PgPool {
        &self.reader
    }

    /// A connection of one's own as `warehouse_etl`. It is closed when dropped, and the server notices
    /// within a second, so that whatever it held is let go.
    pub(crate) async fn etl_connection(&self) -> sqlx::Result<PgConnection> {
        let options = self.login.clone().application_name("sales-warehouse etl");
        options
            .options([
                ("role", "warehouse_etl"),
                ("client_connection_check_interval", "1s"),
                // One session is silent while a source is read; networks forget such connections within minutes.
                ("tcp_keepalives_idle", "60"),
                ("lock_timeout", ETL_LOCK_TIMEOUT),
                ("work_mem", ETL_WORK_MEM),
                ("maintenance_work_mem", ETL_MAINTENANCE_WORK_MEM),
            ])
            .connect()
            .await
    }

    /// How the login connects, with its own rights.
    pub(crate) fn login(&self) -> &PgConnectOptions {
        &self.login
    }

    /// Closes the readers' connections.
    pub async fn close(&self) {
        self.reader.close().await;
    }
}

fn migration_failed(error: MigrateError) -> WarehouseError {
    let cause = match &error {
        MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => {
            cause.as_database_error()
        }
        _ => None,
    };
    if cause.and_then(|cause| cause.code()).as_deref() == Some(FORBIDDEN) {
        WarehouseError::MayNotMigrate(error)
    } else {
        WarehouseError::Migrate(error)
    }
}
