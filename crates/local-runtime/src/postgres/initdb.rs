//! Making the cluster, whole or not at all.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use rustix::process::Signal;

use super::{
    PostgresError, PostgresInstall, PostgresOptions, SUPERUSER,
    home::{Home, log_tail},
    process::{self, Child},
};

const NEW: &str = "cluster.new-";
/// From this version on the server brings a locale of its own.
const BUILTIN_LOCALE: u32 = 17;

/// Makes a cluster if there is none, and checks one that is there.
pub(super) async fn ensure_cluster(
    install: &PostgresInstall,
    home: &Home,
    options: &PostgresOptions,
) -> Result<(), PostgresError> {
    let cluster = home.cluster();
    if cluster.exists() {
        return check_version(install, &cluster);
    }
    remove_leftovers(home.dir());
    let new = tempfile::Builder::new()
        .prefix(NEW)
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(home.dir())
        .map_err(PostgresError::io("creating a folder in", home.dir()))?;
    home.hand_over(new.path())?;
    run(install, home, new.path(), options).await?;
    let new = new.keep();
    fs::rename(&new, &cluster).map_err(PostgresError::io("renaming to", &cluster))?;
    File::open(home.dir())
        .and_then(|dir| dir.sync_all())
        .map_err(PostgresError::io("flushing", home.dir()))
}

fn check_version(install: &PostgresInstall, cluster: &Path) -> Result<(), PostgresError> {
    let found = match fs::read_to_string(cluster.join("PG_VERSION")) {
        Ok(found) => found.trim().to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(PostgresError::BrokenCluster {
                cluster: cluster.to_path_buf(),
            });
        }
        Err(error) => return Err(PostgresError::io("reading", cluster)(error)),
    };
    if found == install.major().to_string() {
        return Ok(());
    }
    let (cluster, installed) = (cluster.to_path_buf(), install.major());
    Err(PostgresError::VersionMismatch {
        cluster,
        found,
        installed,
    })
}

fn remove_leftovers(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(NEW.as_bytes())
        {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

async fn run(
    install: &PostgresInstall,
    home: &Home,
    target: &Path,
    options: &PostgresOptions,
) -> Result<(), PostgresError> {
    let program = install.program("initdb");
    let (log, log_path, log_start) = home.log()?;
    let mut command = process::command(&program, home.account(), log)
        .map_err(PostgresError::io("running", &program))?;
    command
        .arg("--pgdata")
        .arg(target)
        .arg(format!("--username={SUPERUSER}"))
        .args([
            "--encoding=UTF8",
            "--data-checksums",
            // Whoever can enter the socket's directory is trusted: that is the server's user and root.
            "--auth-local=trust",
            "--auth-host=reject",
            "--no-instructions",
        ]);
    if install.major() >= BUILTIN_LOCALE {
        command.args([
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]);
    } else {
        command.arg("--locale=C.UTF-8");
    }
    if !options.durable {
        command.arg("--no-sync");
    }
    let deadline = options.initdb_deadline;
    let failed = |status: String| PostgresError::InitdbFailed {
        home: home.dir().to_path_buf(),
        status,
        log: log_tail(&log_path, log_start),
    };
    let child = Child::spawn(command, Signal::KILL)
        .await
        .map_err(PostgresError::io("running", &program))?;
    match child.ended_within(deadline).await {
        Some(_) if child.succeeded() == Some(true) => Ok(()),
        Some(status) => Err(failed(status)),
        None => Err(failed(format!(
            "no end after {} seconds",
            deadline.as_secs()
        ))),
    }
}
