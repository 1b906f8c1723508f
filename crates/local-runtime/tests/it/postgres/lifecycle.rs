//! Starting, using, stopping.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    time::Duration,
};

use local_runtime::{Postgres, PostgresError, PostgresOptions};
use rustix::process::{Signal, getpgid, kill_process};
use sqlx::{Connection, Row};

use super::{connect, gone, install, options, pid, setting, start};
use crate::fake::open_dir;

#[tokio::test]
async fn the_products_cluster_is_durable_private_and_bilingual() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let postgres = Postgres::start(&install, PostgresOptions::new(dir.path()))
        .await
        .unwrap();
    assert_eq!(postgres.version(), install.version());
    let mut connection = connect(&postgres, "postgres").await;
    for (name, expected) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("max_connections", "60"),
        ("shared_buffers", "512MB"),
        ("max_locks_per_transaction", "256"),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ] {
        assert_eq!(setting(&mut connection, name).await, expected, "{name}");
    }
    let upper: String = sqlx::query_scalar("select upper('campaña')")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(upper, "CAMPAÑA");
    let socket = fs::metadata(postgres.socket_dir()).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o700);
    assert_eq!(
        getpgid(Some(pid(postgres.pid()))).unwrap(),
        pid(postgres.pid()),
        "a Ctrl-C must not reach it"
    );
    sqlx::query("create extension vector")
        .execute(&mut connection)
        .await
        .unwrap();
    let server = postgres.pid();
    postgres.stop().await.unwrap();
    gone(server).await;
    assert!(
        !dir.path().join("cluster/postmaster.pid").exists(),
        "it was stopped in order"
    );
}

#[tokio::test]
async fn data_survives_a_restart_and_a_database_is_made_once() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let postgres = start(&install, dir.path()).await.unwrap();
    let (one, two) = tokio::join!(
        postgres.ensure_database("promptads"),
        postgres.ensure_database("promptads")
    );
    one.unwrap();
    two.unwrap();
    let mut connection = connect(&postgres, "promptads").await;
    sqlx::query("create table kept as select 42 as answer")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let bad = postgres.ensure_database("no\"name").await.unwrap_err();
    assert!(matches!(bad, PostgresError::DatabaseName { .. }), "{bad}");
    postgres.stop().await.unwrap();

    // A log that has grown large is moved aside.
    File::options()
        .write(true)
        .open(dir.path().join("postgres.log"))
        .and_then(|log| log.set_len(11 * 1024 * 1024))
        .unwrap();
    let postgres = start(&install, dir.path()).await.unwrap();
    assert!(dir.path().join("postgres.log.1").exists());
    assert!(fs::metadata(dir.path().join("postgres.log")).unwrap().len() < 1024 * 1024);
    postgres.ensure_database("promptads").await.unwrap();
    let mut connection = connect(&postgres, "promptads").await;
    let row = sqlx::query("select answer from kept")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(row.get::<i32, _>(0), 42);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn dropping_it_ends_it() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let postgres = start(&install, dir.path()).await.unwrap();
    let server = postgres.pid();
    drop(postgres);
    // At once: the next one waits for the last one.
    let next = start(&install, dir.path()).await.unwrap();
    gone(server).await;
    next.stop().await.unwrap();
}

#[tokio::test]
async fn a_session_that_does_not_end_is_stopped_hard() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let stop_deadline = Duration::from_millis(100);
    let options = PostgresOptions {
        stop_deadline,
        ..options(dir.path())
    };
    let postgres = Postgres::start(&install, options).await.unwrap();
    let mut connection = connect(&postgres, "postgres").await;
    let backend: i32 = sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    kill_process(pid(backend.unsigned_abs()), Signal::STOP).unwrap();
    let server = postgres.pid();
    postgres.stop().await.unwrap();
    gone(server).await;
    start(&install, dir.path())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

#[tokio::test]
async fn settings_of_ones_own_win_and_wrong_ones_are_quoted() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let with = |name: &str, value: &str| PostgresOptions {
        settings: vec![(name.to_owned(), value.to_owned())],
        ..options(dir.path())
    };
    let postgres = Postgres::start(&install, with("max_connections", "17"))
        .await
        .unwrap();
    let mut connection = connect(&postgres, "postgres").await;
    assert_eq!(setting(&mut connection, "max_connections").await, "17");
    connection.close().await.unwrap();
    postgres.stop().await.unwrap();

    let error = Postgres::start(&install, with("work_mem", "lots"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, PostgresError::StartFailed { .. }),
        "{error}"
    );
    let message = error.to_string();
    assert!(
        message.contains("work_mem") && message.contains("postgres.log"),
        "{message}"
    );
    assert!(
        !message.contains("shutting down"),
        "an earlier run's log is not this one's: {message}"
    );
}

#[tokio::test]
async fn no_answer_in_time_is_an_error_and_leaves_no_server() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let options = PostgresOptions {
        start_deadline: Duration::ZERO,
        ..options(dir.path())
    };
    let error = Postgres::start(&install, options).await.unwrap_err();
    assert!(
        error.to_string().contains("no answer within 0 seconds"),
        "{error}"
    );
    start(&install, dir.path())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}
