//! Where the cluster and its socket live.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use local_runtime::{Postgres, PostgresError, PostgresOptions};
use sqlx::Connection;

use super::{connect, install, options, start};
use crate::fake::{is_root, open_dir};

#[tokio::test]
async fn a_path_too_long_for_a_socket_gets_one_elsewhere() {
    let Some(install) = install().await else {
        return;
    };
    let (dir, runtime) = (open_dir(), open_dir());
    let data_dir = dir.path().join("d".repeat(120));
    let options = PostgresOptions {
        runtime_dir: Some(runtime.path().into()),
        ..options(&data_dir)
    };
    // A directory recorded by a process that was killed.
    let old = runtime.path().join("promptsales-old");
    fs::create_dir_all(&old).unwrap();
    fs::set_permissions(&old, Permissions::from_mode(0o700)).unwrap();
    fs::create_dir_all(&data_dir).unwrap();
    fs::set_permissions(&data_dir, Permissions::from_mode(0o711)).unwrap();
    let location = data_dir.join("socket-location");
    fs::write(&location, format!("{}\n", old.display())).unwrap();

    let postgres = Postgres::start(&install, options).await.unwrap();
    assert!(!old.exists());
    let socket = postgres.socket_dir().to_path_buf();
    assert!(socket.starts_with(runtime.path()), "{}", socket.display());
    assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o700);
    assert_eq!(
        fs::read_to_string(&location).unwrap().trim_end(),
        socket.to_str().unwrap()
    );
    connect(&postgres, "postgres").await.close().await.unwrap();
    postgres.stop().await.unwrap();
    assert!(!socket.exists());
}

#[tokio::test]
async fn without_a_runtime_directory_the_socket_goes_to_tmp() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let data_dir = dir.path().join("d".repeat(120));
    let runtime_dir = Some(dir.path().join("missing"));
    let options = PostgresOptions {
        runtime_dir,
        ..options(&data_dir)
    };
    let postgres = Postgres::start(&install, options).await.unwrap();
    assert_eq!(postgres.socket_dir().parent(), Some(Path::new("/tmp")));
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_recorded_socket_directory_that_is_not_ours_is_left_alone() {
    let Some(install) = install().await else {
        return;
    };
    let (dir, other) = (open_dir(), open_dir());
    let precious = other.path().join("precious");
    fs::create_dir(&precious).unwrap();
    fs::write(
        dir.path().join("socket-location"),
        format!("{}\n", precious.display()),
    )
    .unwrap();
    start(&install, dir.path())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    assert!(precious.exists());
}

#[tokio::test]
async fn unusual_characters_in_a_path_do_no_harm() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let data_dir = dir.path().join("año, \"q\" %41 b=c?&");
    let postgres = start(&install, &data_dir).await.unwrap();
    connect(&postgres, "postgres").await.close().await.unwrap();
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn root_keeps_an_unreachable_cluster_elsewhere() {
    if !is_root() {
        eprintln!("skipped: only root runs the server as another user");
        return;
    }
    let Some(install) = install().await else {
        return;
    };
    let (dir, fallback) = (open_dir(), open_dir());
    let data_dir = dir.path().join("closed");
    fs::create_dir(&data_dir).unwrap();
    fs::set_permissions(&data_dir, Permissions::from_mode(0o700)).unwrap();
    let with_fallback = || PostgresOptions {
        fallback_root: fallback.path().join("lib"),
        ..options(&data_dir)
    };
    let postgres = Postgres::start(&install, with_fallback()).await.unwrap();
    let home = postgres.home().to_path_buf();
    assert!(home.starts_with(fallback.path()), "{}", home.display());
    assert_ne!(fs::metadata(home.join("cluster")).unwrap().uid(), 0);
    assert!(!data_dir.join("cluster").exists());
    postgres.ensure_database("kept").await.unwrap();
    postgres.stop().await.unwrap();

    // The pointer counts, even when the directory has been opened since.
    fs::set_permissions(&data_dir, Permissions::from_mode(0o711)).unwrap();
    let postgres = Postgres::start(&install, with_fallback()).await.unwrap();
    assert_eq!(postgres.home(), home);
    connect(&postgres, "kept").await.close().await.unwrap();
    postgres.stop().await.unwrap();

    fs::remove_dir_all(&home).unwrap();
    let error = Postgres::start(&install, with_fallback())
        .await
        .unwrap_err();
    assert!(
        matches!(error, PostgresError::LostCluster { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn root_serves_a_users_cluster_as_that_user() {
    if !is_root() {
        eprintln!("skipped: only root can make another user's cluster");
        return;
    }
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    start(&install, dir.path())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    // `daemon`, which every system has.
    let daemon = 1;
    give_to(dir.path().join("cluster").as_path(), daemon);
    let postgres = start(&install, dir.path()).await.unwrap();
    let process = fs::metadata(format!("/proc/{}", postgres.pid())).unwrap();
    assert_eq!(process.uid(), daemon);
    postgres.stop().await.unwrap();
}

fn give_to(path: &Path, uid: u32) {
    chown(path, Some(uid), None).unwrap();
    if path.is_dir() {
        fs::read_dir(path)
            .unwrap()
            .flatten()
            .for_each(|entry| give_to(&entry.path(), uid));
    }
}
