//! [`Source`] on PostgreSQL: one transaction, `REPEATABLE READ, READ ONLY`, is the snapshot.

mod shape;
mod statements;

use std::{future::Future, str::FromStr, time::Duration};

use async_trait::async_trait;
use futures::{StreamExt, stream};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    AssertSqlSafe, ConnectOptions, PgConnection, Row,
    postgres::{PgConnectOptions, PgRow},
};

use super::{
    RowStream, Snapshot, SnapshotFacts, Source, SourceError, System, Table, Totals, Watermark,
};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest silence while a source works or sends.
const STALL_TIMEOUT: Duration = Duration::from_secs(120);

/// A system's PostgreSQL database.
#[derive(Clone, Debug)]
pub struct PostgresSource {
    url: SecretString,
    waits: Waits,
}

impl PostgresSource {
    /// The system at `url`. Nothing is opened yet.
    pub fn new(system: System, url: SecretString) -> Self {
        let waits = Waits {
            system,
            longest: STALL_TIMEOUT,
        };
        Self { url, waits }
    }

    /// The same with another limit on its silence while it works or sends, two minutes if nothing is said.
    #[must_use]
    pub fn with_stall_timeout(mut self, longest: Duration) -> Self {
        self.waits.longest = longest;
        self
    }

    async fn connect(&self) -> Result<PgConnection, SourceError> {
        let failed = |source: sqlx::Error| SourceError::Unreachable {
            system: self.waits.system,
            source: source.into(),
        };
        let options = PgConnectOptions::from_str(self.url.expose_secret())
            .map_err(failed)?
            .application_name("sales-warehouse etl")
            .options([
                // The server notices within a second when we are gone.
                ("client_connection_check_interval", "1s"),
                // The snapshot waits while another source is merged.
                ("idle_in_transaction_session_timeout", "0"),
            ]);
        match tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await {
            Ok(connected) => connected.map_err(failed),
            Err(_) => Err(failed(sqlx::Error::PoolTimedOut)),
        }
    }
}

#[async_trait]
impl Source for PostgresSource {
    fn system(&self) -> System {
        self.waits.system
    }

    async fn open(&self, _from: Watermark) -> Result<Box<dyn Snapshot>, SourceError> {
        let mut connection = self.connect().await?;
        let waits = self.waits;
        let (system, schema) = (waits.system, waits.system.schema());
        let existing = waits
            .within("looking for its tables", async {
                sqlx::query_scalar(include_str!("postgres/tables.sql"))
                    .bind(schema)
                    .fetch_all(&mut connection)
                    .await
            })
            .await?;
        waits
            .within("beginning a snapshot", async {
                sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    .execute(&mut connection)
                    .await
            })
            .await?;
        if let Some(lock) = statements::lock(system, &ours(system, &existing)) {
            waits
                .within("locking its tables", async {
                    sqlx::query(AssertSqlSafe(lock))
                        .execute(&mut connection)
                        .await
                })
                .await?;
        }
        // The first query takes the snapshot; that it finds the tables' shape in it is as well.
        let found = waits
            .within("reading its catalogue", async {
                sqlx::query_as(include_str!("postgres/columns.sql"))
                    .bind(schema)
                    .fetch_all(&mut connection)
                    .await
            })
            .await?;
        let notices = shape::check(system, found)?;
        let statement = AssertSqlSafe(statements::facts(schema));
        let facts = waits
            .within("reading its epoch", async {
                let row = sqlx::query(statement).fetch_one(&mut connection).await?;
                facts(&row, notices)
            })
            .await?;
        Ok(Box::new(PostgresSnapshot {
            connection,
            waits,
            facts,
        }))
    }
}

/// The tables that are read and exist; the catalogue of the snapshot says what is amiss with the others.
fn ours(system: System, existing: &[String]) -> Vec<&'static str> {
    let read = system
        .tables()
        .iter()
        .flat_map(|table| std::iter::once(&table.relation).chain(table.joined));
    read.map(|relation| relation.name)
        .chain(["tombstones", "source_epoch"])
        .filter(|name| existing.iter().any(|other| other == name))
        .collect()
}

fn facts(row: &PgRow, notices: Vec<String>) -> sqlx::Result<SnapshotFacts> {
    Ok(SnapshotFacts {
        epoch: row.try_get("epoch")?,
        next: watermark(row, "next")?,
        complete_from: watermark(row, "complete_from")?,
        as_of: row.try_get("as_of")?,
        notices,
    })
}

fn watermark(row: &PgRow, column: &str) -> sqlx::Result<Watermark> {
    let text: String = row.try_get(column)?;
    text.parse()
        .map(Watermark)
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

struct PostgresSnapshot {
    connection: PgConnection,
    waits: Waits,
    facts: SnapshotFacts,
}

impl PostgresSnapshot {
    /// Tells the statements that follow from where to read.
    async fn read_from(&mut self, since: Watermark) -> Result<(), SourceError> {
        self.waits
            .within("setting the watermark", async {
                sqlx::query("SELECT set_config('warehouse.watermark', $1, true)")
                    .bind(since.to_string())
                    .execute(&mut self.connection)
                    .await
            })
            .await?;
        Ok(())
    }

    /// The answer of a `COPY`, chunk by chunk; silence for too long is an error.
    async fn copy(
        &mut self,
        action: String,
        statement: String,
    ) -> Result<RowStream<'_>, SourceError> {
        let waits = self.waits;
        let chunks = waits
            .within(&action, self.connection.copy_out_raw(&statement))
            .await?;
        let stream = stream::try_unfold((chunks, action), move |(mut chunks, action)| async move {
            let next = waits
                .within(&action, async { chunks.next().await.transpose() })
                .await?;
            Ok(next.map(|chunk| (chunk, (chunks, action))))
        });
        Ok(stream.boxed())
    }
}

#[async_trait]
impl Snapshot for PostgresSnapshot {
    fn facts(&self) -> &SnapshotFacts {
        &self.facts
    }

    async fn rows(
        &mut self,
        table: &'static Table,
        since: Watermark,
    ) -> Result<RowStream<'_>, SourceError> {
        self.read_from(since).await?;
        let action = format!("reading {}", table.relation.name);
        self.copy(action, statements::rows(self.waits.system, table, since))
            .await
    }

    async fn tombstones(&mut self, since: Watermark) -> Result<RowStream<'_>, SourceError> {
        self.read_from(since).await?;
        let statement = statements::tombstones(self.waits.system);
        self.copy("reading deletions".to_owned(), statement).await
    }

    async fn totals(&mut self, table: &'static Table) -> Result<Option<Totals>, SourceError> {
        let action = format!("counting {}", table.relation.name);
        let statement = AssertSqlSafe(statements::totals(self.waits.system, table));
        let (rows, sum) = self
            .waits
            .within(&action, async {
                sqlx::query_as(statement)
                    .fetch_one(&mut self.connection)
                    .await
            })
            .await?;
        Ok(Some(Totals { rows, sum }))
    }
}

/// How a system's answers are waited for.
#[derive(Clone, Copy, Debug)]
struct Waits {
    system: System,
    /// Longest silence.
    longest: Duration,
}

impl Waits {
    async fn within<T>(
        self,
        action: &str,
        work: impl Future<Output = sqlx::Result<T>>,
    ) -> Result<T, SourceError> {
        let (system, action) = (self.system, action.to_owned());
        match tokio::time::timeout(self.longest, work).await {
            Ok(done) => done.map_err(|source| SourceError::Read {
                system,
                action,
                source: source.into(),
            }),
            Err(_) => Err(SourceError::Stalled {
                system,
                action,
                seconds: self.longest.as_secs(),
            }),
        }
    }
}
