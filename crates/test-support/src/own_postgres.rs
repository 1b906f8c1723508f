//! A PostgreSQL of one test's own, to be killed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use local_runtime::{Postgres, PostgresInstall, PostgresOptions};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{or_skip, provisioned};

const DATABASE: &str = "test";

/// A server with one database. It ends with this value or with this process; what it acknowledged, it
/// keeps over a kill.
#[derive(Debug)]
pub struct PostgresServer {
    // In this order: the server ends before its directory goes.
    running: Option<Postgres>,
    install: PostgresInstall,
    url: String,
    dir: TempDir,
}

impl PostgresServer {
    async fn start() -> Result<Self, String> {
        let provisioned = provisioned().await?;
        let open = || Permissions::from_mode(0o711);
        let dir = tempfile::Builder::new()
            .prefix("promptsales-test-pg-")
            // The server's user passes through when tests run as root.
            .permissions(open())
            .tempdir()
            .map_err(|error| format!("no temporary directory: {error}"))?;
        fs::set_permissions(dir.path(), open()).map_err(|error| error.to_string())?;
        let install = provisioned.postgres.clone();
        let running = launch(&install, &dir).await?;
        let made = running.ensure_database(DATABASE).await;
        made.map_err(|error| error.to_string())?;
        Ok(Self {
            url: running.url(DATABASE),
            running: Some(running),
            install,
            dir,
        })
    }

    /// Of its database; the same after [`PostgresServer::restart`].
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Kills it without a chance to say goodbye.
    ///
    /// # Panics
    /// When the signal cannot be sent.
    pub async fn kill(&mut self) {
        let Some(postgres) = self.running.take() else {
            return;
        };
        let pid = i32::try_from(postgres.pid()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a running process has an id"), Signal::KILL)
            .expect("a child may be killed");
        postgres.ended().await;
    }

    /// Starts it again, with what it held.
    ///
    /// # Panics
    /// When it does not start, or not under the same URL.
    pub async fn restart(&mut self) {
        self.kill().await;
        match launch(&self.install, &self.dir).await {
            Ok(postgres) => {
                assert_eq!(postgres.url(DATABASE), self.url);
                self.running = Some(postgres);
            }
            Err(reason) => panic!("PostgreSQL does not start again: {reason}"),
        }
    }
}

async fn launch(install: &PostgresInstall, dir: &TempDir) -> Result<Postgres, String> {
    let options = PostgresOptions::new(dir.path().join("pg"));
    let started = Box::pin(Postgres::start(install, options)).await;
    started.map_err(|error| error.to_string())
}

/// A server for one test, to kill and to start again. `TEST_POSTGRES_URL` is no help here.
///
/// # Panics
/// When there can be none and skipping is not allowed.
pub async fn own_postgres() -> Option<PostgresServer> {
    or_skip(
        "a PostgreSQL of the test's own",
        Box::pin(PostgresServer::start()).await,
    )
}
