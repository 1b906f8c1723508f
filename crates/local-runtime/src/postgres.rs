//! PostgreSQL as a child process, on a private Unix socket.

mod earlier;
mod error;
mod home;
mod initdb;
mod install;
mod process;
mod socket;

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::Signal;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::time::Instant;

pub use error::PostgresError;
pub use install::PostgresInstall;

use home::{Home, log_tail};
use process::Child;
use socket::{PORT, SocketDir};

/// The cluster's superuser, which only this machine's socket lets in.
const SUPERUSER: &str = "promptsales";
const POLL: Duration = Duration::from_millis(25);
/// After SIGQUIT. The server itself kills a process of its own that does not react within 5 s.
const LAST_WAIT: Duration = Duration::from_secs(15);
const LONGEST_NAME: usize = 63;

/// How to run PostgreSQL.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Where everything lives; created if missing. The layout is in the crate's documentation.
    pub data_dir: PathBuf,
    /// A private directory with a short path, `XDG_RUNTIME_DIR`, for the socket of a `data_dir`
    /// whose path is too long; `/tmp` otherwise.
    pub runtime_dir: Option<PathBuf>,
    /// Where the cluster goes when this is root and the server's user cannot reach `data_dir`.
    pub fallback_root: PathBuf,
    /// Most connections at a time.
    pub max_connections: u16,
    /// Does a committed transaction survive a power cut? Only a throw-away cluster says no.
    pub durable: bool,
    /// More settings for the server, name and value; they win over ours.
    pub settings: Vec<(String, String)>,
    /// How long making a cluster may take; it is seconds on a sound machine.
    pub initdb_deadline: Duration,
    /// How long to wait for an earlier server to end, and then for this one to answer.
    pub start_deadline: Duration,
    /// How long sessions get to end when the server is stopped, before it is stopped hard.
    pub stop_deadline: Duration,
}

impl PostgresOptions {
    /// The product's settings: durable, 60 connections, 30 s to start, 10 s to stop.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            runtime_dir: None,
            fallback_root: PathBuf::from("/var/lib/promptsales"),
            max_connections: 60,
            durable: true,
            settings: Vec::new(),
            initdb_deadline: Duration::from_secs(180),
            start_deadline: Duration::from_secs(30),
            stop_deadline: Duration::from_secs(10),
        }
    }
}

/// A running PostgreSQL. It ends with this process, however that ends; [`Postgres::stop`] ends it in
/// order, and dropping it asks it to end without waiting.
#[derive(Debug)]
pub struct Postgres {
    // In this order: the server is told to end before its socket and its lock go.
    child: Child,
    socket: SocketDir,
    home: Home,
    version: String,
    stop_deadline: Duration,
}

impl Postgres {
    /// Makes a cluster if there is none, starts the server, and waits until it answers.
    ///
    /// # Errors
    /// Every [`PostgresError`] says what to do about it.
    pub async fn start(
        install: &PostgresInstall,
        options: PostgresOptions,
    ) -> Result<Self, PostgresError> {
        let home = Home::open(&options.data_dir, &options.fallback_root)?;
        if let Some(account) = home.account()
            && let Some(blocked) = crate::user::first_unreachable(&install.program(""), account)
        {
            let (path, user) = (install.root().to_path_buf(), account.name.clone());
            return Err(PostgresError::Unreachable {
                path,
                blocked,
                user,
            });
        }
        initdb::ensure_cluster(install, &home, &options).await?;
        earlier::wait_for_end(&home.cluster(), options.start_deadline).await?;
        let socket = SocketDir::create(&home, options.runtime_dir.as_deref())?;
        let (log, log_file, log_start) = home.log()?;
        let program = install.program("postgres");
        let mut command = process::command(&program, home.account(), log)
            .map_err(PostgresError::io("running", &program))?;
        command.arg("-D").arg(home.cluster());
        for (name, value) in settings(&options, &socket) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let child = Child::spawn(command, Signal::INT)
            .await
            .map_err(PostgresError::io("running", &program))?;
        let stop_deadline = options.stop_deadline;
        let mut postgres = Self {
            child,
            socket,
            home,
            version: String::new(),
            stop_deadline,
        };
        postgres.version = postgres
            .answers_within(options.start_deadline, install)
            .await
            .map_err(|error| error.with_log(&log_file, log_start))?;
        tracing::info!(
            version = postgres.version,
            pid = postgres.pid(),
            cluster = %postgres.home.cluster().display(),
            "PostgreSQL is up"
        );
        Ok(postgres)
    }

    /// A URL for `database` that sqlx, libpq and psql understand.
    pub fn url(&self, database: &str) -> String {
        let database = percent_encoded(database.as_bytes());
        let socket = percent_encoded(self.socket.path().as_os_str().as_encoded_bytes());
        // No TLS on a Unix socket, whatever PGSSLMODE says.
        format!("postgres://{SUPERUSER}@localhost:{PORT}/{database}?host={socket}&sslmode=disable")
    }

    /// Creates the database unless it is there.
    ///
    /// # Errors
    /// [`PostgresError::DatabaseName`] for a name beyond `[a-z_][a-z0-9_]{0,62}`,
    /// [`PostgresError::Sql`] when the server refuses.
    pub async fn ensure_database(&self, name: &str) -> Result<(), PostgresError> {
        if !is_plain_name(name) {
            return Err(PostgresError::DatabaseName {
                name: name.to_owned(),
            });
        }
        let mut connection = self.connect().await?;
        let exists: bool =
            sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
                .bind(name)
                .fetch_one(&mut connection)
                .await?;
        if !exists {
            // A name cannot be a parameter; this one holds letters, digits and underscores only.
            let statement = AssertSqlSafe(format!("create database \"{name}\""));
            match sqlx::query(statement).execute(&mut connection).await {
                Err(error) if !made_meanwhile(&error) => return Err(error.into()),
                _ => {}
            }
        }
        connection.close().await?;
        Ok(())
    }

    /// The server's version, such as `18.1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// The directory of the server's Unix socket, as psql's `-h` takes it.
    pub fn socket_dir(&self) -> &Path {
        self.socket.path()
    }

    /// The directory that holds the cluster and the log: `data_dir`, or where its
    /// `postgres-location` says.
    pub fn home(&self) -> &Path {
        self.home.dir()
    }

    /// Completes when the server has ended, with how it ended. Whoever runs it wants to know.
    pub async fn ended(&self) -> String {
        self.child.ended().await
    }

    /// Ends the server: sessions are closed and everything is written out (SIGINT); after the stop
    /// deadline without (SIGQUIT, the next start recovers).
    ///
    /// # Errors
    /// [`PostgresError::StopFailed`] when it is there even after that.
    pub async fn stop(self) -> Result<(), PostgresError> {
        let ways = [(Signal::INT, self.stop_deadline), (Signal::QUIT, LAST_WAIT)];
        for (signal, deadline) in ways {
            self.child.signal(signal);
            if self.child.ended_within(deadline).await.is_some() {
                return Ok(());
            }
            tracing::warn!(pid = self.pid(), ?signal, "PostgreSQL is slow to stop");
        }
        Err(PostgresError::StopFailed { pid: self.pid() })
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnectOptions::new_without_pgpass()
            .socket(self.socket.path())
            .port(PORT)
            .username(SUPERUSER)
            .database("postgres")
            .ssl_mode(PgSslMode::Disable)
            .connect()
            .await
    }

    /// Polls until the server answers; returns its version.
    async fn answers_within(
        &self,
        deadline: Duration,
        install: &PostgresInstall,
    ) -> Result<String, NotUp> {
        let until = Instant::now() + deadline;
        let mut connection = loop {
            if let Some(status) = self.child.ended_within(POLL).await {
                return Err(NotUp::Reason(status));
            }
            match tokio::time::timeout_at(until, self.connect()).await {
                Ok(Ok(connection)) => break connection,
                Ok(Err(error)) if Instant::now() < until => {
                    tracing::trace!(%error, "PostgreSQL does not answer yet");
                }
                _ => {
                    let seconds = deadline.as_secs();
                    return Err(NotUp::Reason(format!("no answer within {seconds} seconds")));
                }
            }
        };
        let (version, vector): (String, bool) = sqlx::query_as(
            "select current_setting('server_version'), \
             exists (select from pg_available_extensions where name = 'vector')",
        )
        .fetch_one(&mut connection)
        .await
        .map_err(|error| NotUp::Error(error.into()))?;
        if !vector {
            let path = install.root().to_path_buf();
            return Err(NotUp::Error(PostgresError::NoPgvector { path }));
        }
        drop(connection.close().await);
        Ok(version)
    }
}

/// Why the server is not up; the log is added where it helps.
enum NotUp {
    Reason(String),
    Error(PostgresError),
}

impl NotUp {
    fn with_log(self, log_file: &Path, from: u64) -> PostgresError {
        match self {
            Self::Reason(reason) => {
                let log = log_tail(log_file, from);
                PostgresError::StartFailed {
                    reason,
                    log_file: log_file.to_path_buf(),
                    log,
                }
            }
            Self::Error(error) => error,
        }
    }
}

/// What the server is told on its command line, so that a new release's settings need no edit of a
/// file in an old cluster.
fn settings(options: &PostgresOptions, socket: &SocketDir) -> Vec<(String, String)> {
    let durability = if options.durable { "on" } else { "off" };
    let max_connections = options.max_connections.to_string();
    let port = PORT.to_string();
    let directories = socket.setting();
    let ours = [
        ("listen_addresses", ""),
        ("port", &port),
        ("unix_socket_directories", &directories),
        ("unix_socket_permissions", "0700"),
        ("fsync", durability),
        ("synchronous_commit", durability),
        ("full_page_writes", durability),
        // Taken as pages are used: a small sample takes little of it, and a tick over the full one needs it.
        ("shared_buffers", "512MB"),
        // A statement over a fact of the warehouse locks each of its monthly partitions and their indexes.
        ("max_locks_per_transaction", "256"),
        ("max_connections", &max_connections),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_line_prefix", "%m [%p] %q%d "),
        ("logging_collector", "off"),
        ("log_destination", "stderr"),
    ];
    let ours = ours
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ours.chain(options.settings.iter().cloned()).collect()
}

fn is_plain_name(name: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(plain)
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// Another connection created the same database between the look and the statement
/// (`duplicate_database`, or `unique_violation` on the catalogue).
fn made_meanwhile(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("42P04" | "23505"))
}

/// RFC 3986, section 2.1: everything but the unreserved characters.
fn percent_encoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(*byte));
            }
            _ => write!(text, "%{byte:02X}").expect("writing to a string does not fail"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_databases() {
        let longest = "a".repeat(LONGEST_NAME);
        for name in ["promptads", "_x9", &longest] {
            assert!(is_plain_name(name), "{name}");
        }
        for name in [
            "",
            "9a",
            "A",
            "a-b",
            "a\"; drop",
            "ñ",
            &format!("{longest}a"),
        ] {
            assert!(!is_plain_name(name), "{name}");
        }
    }

    #[test]
    fn a_url_escapes_its_path() {
        assert_eq!(percent_encoded("/a b,ñ".as_bytes()), "%2Fa%20b%2C%C3%B1");
    }
}
