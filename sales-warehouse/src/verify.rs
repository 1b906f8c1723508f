//! Is the warehouse what its sources say?
//!
//! [`verify`] loads the sources into an empty scratch database on the warehouse's server, by the same code as
//! a first run, and compares it with the warehouse, table by table. Both are brought to the very same
//! snapshots first, the warehouse by an ordinary run from its watermarks: so sources may change meanwhile, and
//! whatever an earlier run missed shows, since it lies below the watermark.
//!
//! Core is compared whole, and with it what triggers add up from it, which questions read: counts, and sums over the
//! hashes of rows. What depends on when runs took place (status history, audit, ledger, closed books) is not.

use std::time::Instant;

use serde::Serialize;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use crate::{
    Warehouse, WarehouseError,
    etl::{EtlError, Run, RunReport, SourceConfig, SourceReport, ledger},
    source::{Patient, Snapshot, Source as _, System, Watermark},
};

/// What a scratch database's name ends with.
const SCRATCH_SUFFIX: &str = "_verify";
/// The longest name that PostgreSQL keeps.
const LONGEST_NAME: usize = 63;

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Whether every table is.
    pub equal: bool,
    /// Every table of core that is filled from a source, and those that are added up from it.
    pub tables: Vec<TableVerification>,
}

/// One table's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableVerification {
    /// As in `core.fact_sale`.
    pub name: String,
    /// Rows in the warehouse.
    pub rows: i64,
    /// Sum over the hashes of the warehouse's rows, 16 hexadecimal digits.
    pub checksum: String,
    /// The same of the load from scratch.
    pub expected: String,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Another run held the lock for too long.
    #[error("another run is at work: try again when it is done")]
    Busy,
    /// A source, or a database, failed.
    #[error(transparent)]
    Etl(#[from] EtlError),
    /// The scratch database could not be had.
    #[error("no scratch database: the warehouse's login needs CREATEDB")]
    Scratch(#[source] sqlx::Error),
    /// Its schemas could not be made.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// A source could not be loaded, so there is nothing to compare with.
    #[error("{0}")]
    Incomplete(String),
}

impl From<sqlx::Error> for VerifyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Etl(error.into())
    }
}

/// Compares the warehouse with its sources. Waits up to a minute for a run that is under way, and for each source as long
/// as a run may take.
pub async fn verify(
    warehouse: &Warehouse,
    sources: &[SourceConfig],
) -> Result<Verification, VerifyError> {
    let mut connection = warehouse.etl_connection().await?;
    if !ledger::lock(&mut connection).await? {
        return Err(VerifyError::Busy);
    }
    let mut snapshots = Vec::new();
    for source in sources {
        // All of it, since it is read twice and must be the same.
        let reader = source.source();
        // The lock is held meanwhile, and runs wait.
        let patient = Patient::new(reader.as_ref(), warehouse.run_limit());
        let opened = patient.open(Watermark::START).await;
        snapshots.push((source.system(), opened.map_err(EtlError::from)?));
    }
    snapshots.sort_by_key(|(system, _)| *system);
    let mut held = level(connection, &mut snapshots).await?;
    let actual = ledger::checksums(&mut held).await?;
    let expected = from_scratch(warehouse, &mut snapshots).await?;
    ledger::release(held).await?;
    Ok(compare(actual, &expected))
}

type Snapshots = [(System, Box<dyn Snapshot>)];

/// One run over snapshots that are open already. The connection comes back with the lock that it holds.
async fn level(
    connection: PgConnection,
    snapshots: &mut Snapshots,
) -> Result<PgConnection, VerifyError> {
    let mut run = Run::begin(connection).await?;
    for (system, snapshot) in snapshots {
        run.load(*system, snapshot.as_mut(), Instant::now()).await?;
    }
    let (report, connection) = run.finish_keeping_lock().await?;
    all_in(&report)?;
    Ok(connection)
}

fn all_in(report: &RunReport) -> Result<(), VerifyError> {
    // A source that disagrees is in, and the comparison will say in what.
    let failed = |source: &&SourceReport| source.reconciled != Some(false);
    let causes: Vec<_> = report
        .sources
        .iter()
        .filter(failed)
        .filter_map(|source| source.error.clone())
        .collect();
    match &report.message {
        Some(message) if !causes.is_empty() || message.starts_with("closing") => Err(
            VerifyError::Incomplete(format!("{message}; {}", causes.join("; "))),
        ),
        _ => Ok(()),
    }
}

async fn from_scratch(
    warehouse: &Warehouse,
    snapshots: &mut Snapshots,
) -> Result<Vec<(String, i64, String)>, VerifyError> {
    let login = warehouse.login();
    let name = scratch_name(login)?;
    // One left behind by a verification that was killed; we hold the lock, so nobody is using it.
    administer(
        login,
        &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
    )
    .await?;
    administer(login, &format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
    let loaded = load(login.clone().database(name.trim_matches('"')), snapshots).await;
    administer(
        login,
        &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
    )
    .await?;
    loaded
}

async fn load(
    login: PgConnectOptions,
    snapshots: &mut Snapshots,
) -> Result<Vec<(String, i64, String)>, VerifyError> {
    let scratch = Warehouse::with_login(login).await?;
    scratch.migrate().await?;
    let mut connection = level(scratch.etl_connection().await?, snapshots).await?;
    let checksums = ledger::checksums(&mut connection).await?;
    connection.close().await?;
    scratch.close().await;
    Ok(checksums)
}

async fn administer(login: &PgConnectOptions, statement: &str) -> Result<(), VerifyError> {
    let mut connection = login.connect().await.map_err(VerifyError::Scratch)?;
    sqlx::query(AssertSqlSafe(statement.to_owned()))
        .execute(&mut connection)
        .await
        .map_err(VerifyError::Scratch)?;
    connection.close().await.map_err(VerifyError::Scratch)
}

/// The warehouse's name with a suffix, as a quoted identifier.
fn scratch_name(login: &PgConnectOptions) -> Result<String, VerifyError> {
    let base = login.get_database().unwrap_or("warehouse");
    let sound = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if base.len() + SCRATCH_SUFFIX.len() > LONGEST_NAME || !base.chars().all(sound) {
        return Err(VerifyError::Incomplete(format!(
            "no scratch database can be named after '{base}': expected at most {} ASCII letters, digits, _ or -",
            LONGEST_NAME - SCRATCH_SUFFIX.len()
        )));
    }
    Ok(format!("\"{base}{SCRATCH_SUFFIX}\""))
}

fn compare(actual: Vec<(String, i64, String)>, expected: &[(String, i64, String)]) -> Verification {
    let tables: Vec<_> = actual
        .into_iter()
        .map(|(name, rows, checksum)| {
            let expected = expected
                .iter()
                .find(|(other, ..)| *other == name)
                .map_or_else(String::new, |(_, _, checksum)| checksum.clone());
            TableVerification {
                name,
                rows,
                checksum,
                expected,
            }
        })
        .collect();
    Verification {
        equal: tables.iter().all(|table| table.checksum == table.expected),
        tables,
    }
}
