//! What can go wrong with PostgreSQL, and what to do about it.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why PostgreSQL could not be started, used or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// A directory holds no PostgreSQL that runs.
    #[error(
        "{path} holds no PostgreSQL that can be used: {reason}. Expected a directory whose bin/ has \
         initdb and postgres"
    )]
    NotAnInstall {
        /// The directory.
        path: PathBuf,
        /// What is missing or does not run.
        reason: String,
    },
    /// The installation is older than what PromptSales needs.
    #[error("{path} holds PostgreSQL {version}; expected 16 or newer. Install a newer one")]
    TooOld {
        /// The directory.
        path: PathBuf,
        /// Its version.
        version: String,
    },
    /// Root cannot run PostgreSQL, and there is nobody else to run it.
    #[error(
        "PostgreSQL does not run as root, and there is no user {wanted} to run it as. Start \
         PromptSales as an ordinary user, or add that user"
    )]
    NoAccount {
        /// The user that was looked for.
        wanted: String,
    },
    /// The server's user cannot get to a directory that it needs.
    #[error(
        "{path} cannot be reached by the user {user} that PostgreSQL runs as, because {blocked} is \
         closed to it. Run chmod o+x on it, choose another place, or start PromptSales as an \
         ordinary user"
    )]
    Unreachable {
        /// Where the server has to get to.
        path: PathBuf,
        /// The folder in the way.
        blocked: PathBuf,
        /// The server's user.
        user: String,
    },
    /// Another process runs PostgreSQL on this data directory.
    #[error(
        "another PromptSales (pid {pid}) uses {data_dir}. Stop it, or choose another data directory"
    )]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// The other process, as far as known.
        pid: String,
    },
    /// The cluster belongs to another user.
    #[error(
        "{cluster} belongs to user id {owner}, and this is user id {me}. Start PromptSales as that \
         user, or choose another data directory"
    )]
    WrongOwner {
        /// The cluster's directory.
        cluster: PathBuf,
        /// Its owner.
        owner: u32,
        /// The user id of this process.
        me: u32,
    },
    /// A directory where a cluster should be is none.
    #[error(
        "{cluster} is not a database cluster: it has no PG_VERSION. Restore it from a backup, or \
         move it away to start with an empty one"
    )]
    BrokenCluster {
        /// The cluster's directory.
        cluster: PathBuf,
    },
    /// The place that a data directory's pointer names is gone.
    #[error(
        "{pointer} says that the cluster is in {target}, which does not exist. Restore that \
         directory, or remove {pointer} to start with an empty cluster"
    )]
    LostCluster {
        /// The pointer file.
        pointer: PathBuf,
        /// What it names.
        target: PathBuf,
    },
    /// The cluster was made by another major version.
    #[error(
        "{cluster} was made by PostgreSQL {found}, and {installed} is installed. Dump it with \
         version {found} and restore it with {installed}, or run pg_upgrade"
    )]
    VersionMismatch {
        /// The cluster's directory.
        cluster: PathBuf,
        /// Major version of the cluster.
        found: String,
        /// Major version of the installation.
        installed: u32,
    },
    /// initdb failed.
    #[error("initdb could not make a database cluster in {home} ({status}). It said:\n{log}")]
    InitdbFailed {
        /// Where the cluster was to be.
        home: PathBuf,
        /// How it ended.
        status: String,
        /// The last lines that it printed.
        log: String,
    },
    /// An earlier server is still at work on the cluster.
    #[error(
        "an earlier PostgreSQL (pid {pids}) is still using {cluster} after {seconds} seconds. Stop \
         it with kill -INT, and start again"
    )]
    StillRunning {
        /// The cluster's directory.
        cluster: PathBuf,
        /// Processes that work in it.
        pids: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The server ended, or did not answer in time.
    #[error("PostgreSQL did not start: {reason}. The end of its log ({log_file}):\n{log}")]
    StartFailed {
        /// What happened.
        reason: String,
        /// The whole log.
        log_file: PathBuf,
        /// Its last lines.
        log: String,
    },
    /// The installation lacks pgvector.
    #[error(
        "the PostgreSQL in {path} has no pgvector. Install it there (Debian: \
         postgresql-NN-pgvector), or unset PROMPTSALES_POSTGRES to use the bundled one"
    )]
    NoPgvector {
        /// The installation.
        path: PathBuf,
    },
    /// A database name that is not taken.
    #[error(
        "{name:?} is no name for a database here: expected 1 to 63 lower-case letters, digits and \
         underscores, not beginning with a digit"
    )]
    DatabaseName {
        /// The name.
        name: String,
    },
    /// The server did not go away.
    #[error(
        "PostgreSQL (pid {pid}) did not stop. Look at it with ps; kill -QUIT {pid} stops it hard"
    )]
    StopFailed {
        /// The server's process id.
        pid: u32,
    },
    /// A statement failed.
    #[error("PostgreSQL refused: {0}")]
    Sql(#[from] sqlx::Error),
    /// A file operation failed.
    #[error("{action} {path}: {source}. Check its permissions and the free space")]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl PostgresError {
    /// For `map_err` on a file operation.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
