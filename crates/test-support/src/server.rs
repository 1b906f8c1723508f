//! The PostgreSQL that the tests of one process share.

use std::{
    fs::{self, Permissions},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
};

use local_runtime::{Postgres, PostgresOptions};
use tokio::sync::OnceCell;

use crate::{POSTGRES_URL_VARIABLE, or_skip, provisioned};

/// A server, and how to reach it.
#[derive(Debug)]
pub struct SharedPostgres {
    admin_url: String,
    local: Option<Local>,
}

#[derive(Debug)]
struct Local {
    postgres: Postgres,
    /// Holds the pipe whose end tells the watcher that this process is gone.
    _watcher: Child,
}

impl SharedPostgres {
    /// A superuser's URL of the maintenance database.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// The local server; `None` when `TEST_POSTGRES_URL` names another.
    pub fn local(&self) -> Option<&Postgres> {
        self.local.as_ref().map(|local| &local.postgres)
    }
}

/// The shared server, started at the first call; `None` (and a printed notice) when there can be none.
///
/// # Panics
/// When there can be none and skipping is not allowed.
pub async fn postgres() -> Option<&'static SharedPostgres> {
    static SHARED: OnceCell<Result<SharedPostgres, String>> = OnceCell::const_new();
    let shared = SHARED.get_or_init(|| async {
        match std::env::var(POSTGRES_URL_VARIABLE) {
            Ok(admin_url) if !admin_url.is_empty() => Ok(SharedPostgres {
                admin_url,
                local: None,
            }),
            _ => Box::pin(start()).await,
        }
    });
    or_skip("PostgreSQL", shared.await.as_ref().map_err(Clone::clone))
}

async fn start() -> Result<SharedPostgres, String> {
    let provisioned = provisioned().await?;
    let dir = tempfile::Builder::new()
        .prefix("promptsales-test-")
        // The server's user passes through when tests run as root; the cluster itself is private.
        .permissions(Permissions::from_mode(0o711))
        .tempdir()
        .map_err(|error| format!("no temporary directory: {error}"))?;
    fs::set_permissions(dir.path(), Permissions::from_mode(0o711))
        .map_err(|error| format!("{}: {error}", dir.path().display()))?;
    let options = PostgresOptions {
        // Lost with the process anyway, so nothing need reach the disk.
        durable: false,
        max_connections: 200,
        // Where the temporary directory is closed to the server's user, still nothing lasts.
        fallback_root: "/tmp/promptsales-test".into(),
        ..PostgresOptions::new(dir.path().join("pg"))
    };
    let postgres = Postgres::start(&provisioned.postgres, options)
        .await
        .map_err(|error| error.to_string())?;
    let home = postgres.home().to_path_buf();
    let watcher = watch(&dir.keep(), &home, postgres.pid())
        .map_err(|error| format!("no watcher: {error}"))?;
    let admin_url = postgres.url("postgres");
    Ok(SharedPostgres {
        admin_url,
        local: Some(Local {
            postgres,
            _watcher: watcher,
        }),
    })
}

/// Starts a shell that waits for this process to end, which closes its standard input, then for the
/// server, and removes what they leave. Its own process group keeps a Ctrl-C from it.
fn watch(dir: &Path, home: &Path, server: u32) -> std::io::Result<Child> {
    const SCRIPT: &str = "cat >/dev/null; n=0; \
         while kill -0 \"$3\" 2>/dev/null && [ $n -lt 150 ]; do sleep 0.1; n=$((n + 1)); done; \
         rm -rf -- \"$1\" \"$2\"";
    Command::new("/bin/sh")
        .args(["-c", SCRIPT, "watcher"])
        .args([dir, home])
        .arg(server.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}
