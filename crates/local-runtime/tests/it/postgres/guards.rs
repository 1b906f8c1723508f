//! Refusing what would end badly.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use local_runtime::{Postgres, PostgresError, PostgresInstall, PostgresOptions};

use super::{install, options, start};
use crate::fake::{is_root, open_dir, script};

/// Set for the copy of this test binary that runs as another user.
const STRANGER: &str = "LOCAL_RUNTIME_STRANGER";

/// Something that looks like an installation, in `own/` under `dir`.
fn stand_in(dir: &Path, initdb: &str) -> PathBuf {
    let root = dir.join("own");
    script(
        &root.join("bin/postgres"),
        "#!/bin/sh\necho 'postgres (PostgreSQL) 18.9'\n",
    );
    script(&root.join("bin/initdb"), &format!("#!/bin/sh\n{initdb}\n"));
    root
}

#[tokio::test]
async fn one_data_directory_has_one_server() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let postgres = start(&install, dir.path()).await.unwrap();
    let error = start(&install, dir.path()).await.unwrap_err();
    let expected = format!("another PromptSales (pid {})", std::process::id());
    assert!(error.to_string().starts_with(&expected), "{error}");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn another_major_version_and_a_broken_cluster_are_refused() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let cluster = dir.path().join("cluster");
    fs::create_dir(&cluster).unwrap();
    let error = start(&install, dir.path()).await.unwrap_err();
    assert!(
        matches!(error, PostgresError::BrokenCluster { .. }),
        "{error}"
    );

    fs::write(cluster.join("PG_VERSION"), "13\n").unwrap();
    let error = start(&install, dir.path()).await.unwrap_err();
    assert!(
        matches!(error, PostgresError::VersionMismatch { .. }),
        "{error}"
    );
    let message = error.to_string();
    assert!(
        message.contains("made by PostgreSQL 13, and 18 is installed"),
        "{message}"
    );
}

#[tokio::test]
async fn an_installation_without_pgvector_is_refused() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let tree = install.root().join("../..").canonicalize().unwrap();
    let copy = dir.path().join("copy");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(&tree)
        .arg(&copy)
        .status()
        .unwrap();
    assert!(copied.success());
    let root = copy.join(install.root().strip_prefix(&tree).unwrap());
    fs::remove_file(root.join("share/postgresql/extension/vector.control")).unwrap();
    let without = PostgresInstall::inspect(&root).await.unwrap();
    let error = start(&without, &dir.path().join("data")).await.unwrap_err();
    assert!(matches!(error, PostgresError::NoPgvector { .. }), "{error}");
    assert!(
        error.to_string().contains("PROMPTSALES_POSTGRES"),
        "{error}"
    );
}

#[tokio::test]
async fn a_failing_initdb_is_quoted() {
    let dir = open_dir();
    let root = stand_in(
        dir.path(),
        "echo 'could not write: disk on fire' >&2; exit 3",
    );
    let install = PostgresInstall::inspect(&root).await.unwrap();
    let error = start(&install, &dir.path().join("data")).await.unwrap_err();
    assert!(
        matches!(error, PostgresError::InitdbFailed { .. }),
        "{error}"
    );
    let message = error.to_string();
    assert!(
        message.contains("disk on fire") && message.contains("exit status: 3"),
        "{message}"
    );
    assert!(!dir.path().join("data/cluster").exists());
}

#[tokio::test]
async fn an_initdb_that_hangs_is_stopped() {
    let dir = open_dir();
    let install = PostgresInstall::inspect(&stand_in(dir.path(), "exec sleep 600"))
        .await
        .unwrap();
    let data_dir = dir.path().join("data");
    let initdb_deadline = Duration::from_millis(50);
    let options = PostgresOptions {
        initdb_deadline,
        ..options(&data_dir)
    };
    let error = Postgres::start(&install, options).await.unwrap_err();
    assert!(
        error.to_string().contains("no end after 0 seconds"),
        "{error}"
    );
    assert!(!data_dir.join("cluster").exists());
}

#[tokio::test]
async fn a_cluster_of_a_user_who_is_gone_is_refused() {
    if !is_root() {
        eprintln!("skipped: only root can make another user's cluster");
        return;
    }
    let dir = open_dir();
    let install = PostgresInstall::inspect(&stand_in(dir.path(), "exit 1"))
        .await
        .unwrap();
    let cluster = dir.path().join("data/cluster");
    fs::create_dir_all(&cluster).unwrap();
    chown(&cluster, Some(4_000_001), None).unwrap();
    let error = start(&install, &dir.path().join("data")).await.unwrap_err();
    assert!(matches!(error, PostgresError::NoAccount { .. }), "{error}");
    assert!(error.to_string().contains("4000001"), "{error}");
}

/// Not a test of its own: what the next test runs as another user. The variable names a directory
/// with a stand-in for an installation and a data directory.
#[tokio::test]
async fn stranger() {
    let Ok(dir) = std::env::var(STRANGER) else {
        return;
    };
    let dir = Path::new(&dir);
    let install = PostgresInstall::inspect(&dir.join("own")).await.unwrap();
    println!(
        "\nrefused: {}",
        start(&install, &dir.join("data")).await.unwrap_err()
    );
}

#[tokio::test]
async fn an_ordinary_user_is_refused_anothers_cluster() {
    if !is_root() {
        eprintln!("skipped: only root can make another user's cluster");
        return;
    }
    let dir = open_dir();
    stand_in(dir.path(), "exit 1");
    let data_dir = dir.path().join("data");
    fs::create_dir_all(data_dir.join("cluster")).unwrap();
    let daemon = 1;
    chown(&data_dir, Some(daemon), None).unwrap();
    // The test binary may be in a place that only root can reach.
    let binary = dir.path().join("it");
    let this = std::env::current_exe().unwrap();
    assert!(
        Command::new("cp")
            .arg(this)
            .arg(&binary)
            .status()
            .unwrap()
            .success()
    );
    let output = Command::new(binary)
        .args(["--exact", "postgres::guards::stranger", "--nocapture"])
        .env(STRANGER, dir.path())
        .current_dir("/")
        .uid(daemon)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("belongs to user id 0, and this is user id 1"),
        "{said}"
    );
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    fs::write(dir.path().join("file"), "").unwrap();
    let error = start(&install, &dir.path().join("file/data"))
        .await
        .unwrap_err();
    assert!(matches!(error, PostgresError::Io { .. }), "{error}");
    assert!(error.to_string().contains("file/data"), "{error}");
}

#[tokio::test]
async fn an_installation_that_the_server_cannot_reach_is_refused() {
    if !is_root() {
        eprintln!("skipped: only root runs the server as another user");
        return;
    }
    let closed = tempfile::tempdir().unwrap();
    fs::set_permissions(closed.path(), Permissions::from_mode(0o700)).unwrap();
    let root = stand_in(closed.path(), "exit 1");
    let install = PostgresInstall::inspect(&root).await.unwrap();
    let dir = open_dir();
    let error = start(&install, dir.path()).await.unwrap_err();
    assert!(
        matches!(error, PostgresError::Unreachable { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("chmod o+x"), "{error}");
}
